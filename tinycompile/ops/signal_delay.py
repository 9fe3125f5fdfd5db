"""SignalDelay: the samples of `delay_length` before, for each channel (all but the last dimension).

State: the last `delay_length` samples of each channel. Source of the semantics: signal/micro/kernels/delay.cc in tflite-micro.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._limits import has_elements
from tinycompile.ops._signal import SignalOperator, has_dimension, integer_option
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.base import Operation, TypeRule, register


@dataclass(frozen=True)
class DelayAttributes(Attributes):
    """Options of the operator, in samples."""

    delay_length: int


def has_sound_length(operation: Operation) -> str | None:
    """`delay_length` is from 1 to 65536."""
    length = _length(operation)
    return None if 1 <= length <= 65536 else f"it is {length}"


@register
class SignalDelay(SignalOperator):
    """SignalDelay of TFLM, by a fixed number of samples."""

    custom_code = "SignalDelay"
    types = (TypeRule((DType.INT16,), (DType.INT16,)),)
    limits = (has_elements, has_dimension, has_sound_length)
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def parse(self, options: Options) -> DelayAttributes:
        """Read the options."""
        return DelayAttributes(integer_option(options, "delay_length"))

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The input's shape."""
        return (operation.input(0).shape,)

    def state(self, operation: Operation) -> tuple[Array, ...]:
        """Silence before the first call."""
        return (np.zeros((_channels(operation), _length(operation)), np.int16),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Old samples and new ones in a line; the oldest leave, the newest stay."""
        samples, old = inputs[0], inputs[1]
        assert samples is not None and old is not None
        line = np.concatenate([old, samples.reshape(len(old), -1)], axis=1)
        frame = samples.shape[-1]
        return line[:, :frame].reshape(samples.shape), line[:, frame:]


def _length(operation: Operation) -> int:
    assert isinstance(operation.node.attributes, DelayAttributes)
    return operation.node.attributes.delay_length


def _channels(operation: Operation) -> int:
    source = operation.input(0)
    return source.elements // source.shape[-1]


def _code(operation: Operation) -> TemplateCode:
    samples = operation.input(0).shape[-1]
    arguments = (_channels(operation), samples, _length(operation))
    return TemplateCode(
        "signal/delay.c.j2", arguments=arguments, cycles=_channels(operation) * (samples + _length(operation))
    )
