"""CIRCULAR_BUFFER: the last rows of a stream, oldest first.

State: the rows of the call before. TFLM can also skip the rest of the model for some calls (`cycles_max`), which a compiled model
does not. Source of the semantics: tensorflow/lite/micro/kernels/circular_buffer.cc in tflite-micro.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._limits import has_elements
from tinycompile.ops._signal import integer_option
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import CustomOperator, Operation, TypeRule, register


@dataclass(frozen=True)
class CircularBufferAttributes(Attributes):
    """Options of the operator."""

    cycles_max: int


def runs_each_call(operation: Operation) -> str | None:
    """`cycles_max` is 1: what follows runs in each call."""
    assert isinstance(operation.node.attributes, CircularBufferAttributes)
    cycles = operation.node.attributes.cycles_max
    return None if cycles == 1 else f"it is {cycles}"


def has_one_row(operation: Operation) -> str | None:
    """The input is one row of one image, [1, 1, columns, channels], and the output has rows of the same extents."""
    source, output = operation.inputs[0], operation.output
    if source is None:
        return "the input is missing"
    is_image = len(source.shape) == len(output.shape) == 4
    if (
        is_image
        and source.shape[:2] == (1, 1)
        and (output.shape[0], *output.shape[2:]) == (1, *source.shape[2:])
    ):
        return None
    return f"{source.describe()} and {output.describe()}"


@register
class CircularBuffer(CustomOperator):
    """CIRCULAR_BUFFER of TFLM, whose output begins as its zero point."""

    custom_code = "CIRCULAR_BUFFER"
    types = (TypeRule((DType.INT8,), (DType.INT8,)),)
    limits = (has_elements, has_one_row, runs_each_call)
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def parse(self, options: Options) -> CircularBufferAttributes:
        """Read the options."""
        return CircularBufferAttributes(integer_option(options, "cycles_max"))

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The shape in the file says how many rows there are."""
        return (operation.output.shape,)

    def state(self, operation: Operation) -> tuple[Array, ...]:
        """Zeros as the output is quantized."""
        return (np.full(operation.output.shape, operation.output.zero_point, np.int8),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The oldest row goes, the new one comes last."""
        row, old = inputs[0], inputs[1]
        assert row is not None and old is not None
        rows = np.concatenate([old[:, 1:], row], axis=1)
        return rows, rows

    def access(self, operation: Operation, index: int) -> Access:
        """All rows come at once."""
        return WHOLE


def _code(operation: Operation) -> TemplateCode:
    rows, row_bytes = operation.output.shape[1], operation.input(0).elements
    return TemplateCode(
        "circular_buffer/slide.c.j2", arguments=(rows, row_bytes), cycles=operation.output.elements // 2
    )
