"""SignalPCAN: per-channel amplitude normalisation, a gain that falls with the estimate of the noise, and a soft threshold.

Source of the semantics: signal/micro/kernels/pcan.cc and signal/src/pcan_argc_fixed.cc in tflite-micro. The gain is interpolated
by parabolas, three coefficients for each power of two.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._limits import constant_input, has_elements
from tinycompile.ops._signal import SignalOperator, integer_option, is_vector
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.base import Operation, TypeRule, register

LEAST_TABLE = 4 * 32 - 6 + 3
"""Elements of the table up to the coefficients of 32 bits."""


@dataclass(frozen=True)
class PcanAttributes(Attributes):
    """Options of the operator."""

    snr_shift: int


def has_noise_of_each_channel(operation: Operation) -> str | None:
    """The estimate of the noise has the shape of the signal."""
    signal, noise = operation.inputs[:2]
    if signal is None or noise is None or signal.shape == noise.shape:
        return None
    return f"{signal.describe()} and {noise.describe()}"


def has_table(operation: Operation) -> str | None:
    """The table of the gain has at least 125 elements."""
    table = operation.inputs[2]
    return None if table is None or table.elements >= LEAST_TABLE else f"it is {table.describe()}"


def has_snr_shift(operation: Operation) -> str | None:
    """`snr_shift` is from 0 to 63."""
    return None if 0 <= _shift(operation) <= 63 else f"it is {_shift(operation)}"


@register
class SignalPCAN(SignalOperator):
    """SignalPCAN of TFLM."""

    custom_code = "SignalPCAN"
    types = (TypeRule((DType.UINT32, DType.UINT32, DType.INT16), (DType.UINT32,)),)
    min_inputs = 3
    limits = (
        has_elements,
        is_vector,
        has_noise_of_each_channel,
        constant_input(2, "table of the gain"),
        has_table,
        has_snr_shift,
    )
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def parse(self, options: Options) -> PcanAttributes:
        """Read the options."""
        return PcanAttributes(integer_option(options, "snr_shift"))

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The shape of the signal."""
        return (operation.input(0).shape,)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Channel by channel, with Python's integers cut to the widths of the C."""
        signal, noise, table = inputs[0], inputs[1], inputs[2]
        assert signal is not None and noise is not None and table is not None
        coefficients = [int(value) for value in table]
        found = []
        for level, estimate in zip(map(int, signal), map(int, noise), strict=True):
            gain = _gain(estimate, coefficients) & 0xFFFFFFFF
            ratio = ((level * gain) & _WIDE) >> _shift(operation) & 0xFFFFFFFF
            found.append(_shrink(ratio))
        return (np.array(found, np.uint32),)

    def overwrites(self, operation: Operation) -> tuple[int, ...]:
        """A channel is read before its place is written."""
        return (0,)


_WIDE = (1 << 64) - 1


def _gain(estimate: int, table: list[int]) -> int:
    if estimate <= 2:
        return table[estimate]
    bits = estimate.bit_length()
    first = 4 * bits - 6
    fraction = (estimate << (11 - bits) if bits < 11 else estimate >> (bits - 11)) & 0x3FF
    slope = ((table[first + 2] * fraction) >> 5) + (table[first + 1] << 5)
    value = ((slope * fraction + (1 << 14)) >> 15) + table[first]
    return (value + 0x8000 & 0xFFFF) - 0x8000


def _shrink(ratio: int) -> int:
    if ratio < 2 << 12:
        return (ratio * ratio) >> (2 + 2 * 12 - 6)
    return (ratio >> 6) - (1 << 6)


def _shift(operation: Operation) -> int:
    assert isinstance(operation.node.attributes, PcanAttributes)
    return operation.node.attributes.snr_shift


def _code(operation: Operation) -> TemplateCode:
    elements = operation.output.elements
    arguments = (elements, _shift(operation))
    return TemplateCode("signal/pcan.c.j2", inputs=(0, 1, 2), arguments=arguments, cycles=60 * elements)
