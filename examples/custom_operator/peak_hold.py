"""PeakHold, a custom operator: a level meter that follows peaks at once and falls slowly.

For each channel: peak = max(x, peak - decay), where a new peak is kept between calls. int8, on the scale of the input.
Use: `tinycompile build peak_hold.tflite --plugin peak_hold.py`. The C is in `peak_hold.c.j2`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinycompile.custom import (
    WHOLE,
    Access,
    Array,
    Attributes,
    CustomOperator,
    DType,
    Operation,
    Options,
    TemplateCode,
    TemplateKernel,
    TypeRule,
    register,
)

LOWEST = -128


@dataclass(frozen=True)
class PeakHoldAttributes(Attributes):
    """Options in the file, a FlexBuffer map."""

    decay: int


def has_sound_decay(operation: Operation) -> str | None:
    """The option `decay` is from 0 to 255."""
    decay = _decay(operation)
    return None if 0 <= decay <= 255 else f"it is {decay}"


def keeps_quantization(operation: Operation) -> str | None:
    """Input and output have the same scale and zero point."""
    source, output = operation.input(0).quantization, operation.output.quantization
    return None if source == output else f"they have {source} and {output}"


@register
class PeakHold(CustomOperator):
    """PeakHold of int8: peaks of each element over the calls, falling by `decay` a call."""

    custom_code = "PeakHold"
    types = (TypeRule((DType.INT8,), (DType.INT8,)),)
    limits = (has_sound_decay, keeps_quantization)
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def parse(self, options: Options) -> PeakHoldAttributes:
        """The option `decay`, 1 when it is left out."""
        return PeakHoldAttributes(int(options.get("decay", 1)))

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The shape of the input."""
        return (operation.input(0).shape,)

    def state(self, operation: Operation) -> tuple[Array, ...]:
        """Before the first call no peak was seen."""
        return (np.full(operation.input(0).shape, LOWEST, np.int8),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The peaks, twice: as the output, and as the state for the next call."""
        values, old = inputs
        assert values is not None and old is not None
        fallen = np.maximum(old.astype(np.int32) - _decay(operation), LOWEST)
        peaks = np.maximum(values, fallen).astype(np.int8)
        return peaks, peaks

    def access(self, operation: Operation, index: int) -> Access:
        """Elements are computed all at once."""
        return WHOLE

    def overwrites(self, operation: Operation) -> tuple[int, ...]:
        """The output may take the place of the input: each element is read before it is written."""
        return (0,)


def _decay(operation: Operation) -> int:
    assert isinstance(operation.node.attributes, PeakHoldAttributes)
    return operation.node.attributes.decay


def _code(operation: Operation) -> TemplateCode:
    elements = operation.output.elements
    template = str(Path(__file__).with_name("peak_hold.c.j2"))
    return TemplateCode(template, arguments=(elements, _decay(operation)), cycles=9 * elements)
