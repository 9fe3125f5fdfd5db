"""SignalFilterBankLog: natural logarithms in fixed point, times `output_scale`.

Source of the semantics: signal/src/filter_bank_log.cc and log.cc in tflite-micro. log2 is the exponent plus the fraction, with a
correction that is interpolated over 128 segments; 16 fraction bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._limits import has_elements
from tinycompile.ops._signal import SignalOperator, integer_option, is_vector
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.base import Operation, TypeRule, register
from tinycompile.program import Constant

SEGMENTS = 128
SCALE = 1 << 16
LOG_2 = 45426
"""log(2) with 16 fraction bits."""


@dataclass(frozen=True)
class LogAttributes(Attributes):
    """Options of the operator."""

    output_scale: int
    input_correction_bits: int


def has_correction_bits(operation: Operation) -> str | None:
    """`input_correction_bits` is from 0 to 31."""
    bits = _attributes(operation).input_correction_bits
    return None if 0 <= bits <= 31 else f"it is {bits}"


@register
class SignalFilterBankLog(SignalOperator):
    """SignalFilterBankLog of TFLM."""

    custom_code = "SignalFilterBankLog"
    types = (TypeRule((DType.UINT32,), (DType.INT16,)),)
    limits = (has_elements, is_vector, has_correction_bits)
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def parse(self, options: Options) -> LogAttributes:
        """Read the options."""
        bits = integer_option(options, "input_correction_bits")
        return LogAttributes(integer_option(options, "output_scale"), bits)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The input's shape."""
        return (operation.input(0).shape,)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Element by element."""
        assert inputs[0] is not None
        found, table = _attributes(operation), correction_table()
        scaled = [(int(value) << found.input_correction_bits) & 0xFFFFFFFF for value in inputs[0]]
        logs = [_log(value, found.output_scale, table) if value > 1 else 0 for value in scaled]
        return (np.minimum(np.array(logs, np.int64), 32767).astype(np.int16),)


def correction_table() -> Array:
    """log2(1 + x) - x at the segments' ends, with 16 fraction bits; 0 at both ends."""
    x = np.arange(SEGMENTS + 1) / SEGMENTS
    table = np.rint((np.log2(1 + x) - x) * SCALE)
    return np.append(table, 0).astype(np.uint16)[: SEGMENTS + 2]


def _log(value: int, scale: int, table: Array) -> int:
    exponent = value.bit_length() - 1
    fraction = value - (1 << exponent)
    fraction = fraction << (16 - exponent) if exponent < 16 else fraction >> (exponent - 16)
    segment, place = divmod(fraction, SCALE // SEGMENTS)
    low, high = int(table[segment]), int(table[segment + 1])
    log2 = (exponent << 16) + fraction + low + (((high - low) * place) >> 16)
    natural = (LOG_2 * log2 + SCALE // 2) >> 16
    return ((scale * natural + SCALE // 2) & 0xFFFFFFFF) >> 16


def _attributes(operation: Operation) -> LogAttributes:
    assert isinstance(operation.node.attributes, LogAttributes)
    return operation.node.attributes


def _code(operation: Operation) -> TemplateCode:
    found, elements = _attributes(operation), operation.output.elements
    table = Constant("correction", correction_table(), "log2(1 + x) - x, 16 fraction bits", is_weight=False)
    arguments = (elements, found.output_scale, found.input_correction_bits)
    return TemplateCode("signal/log.c.j2", constants=(table,), arguments=arguments, cycles=40 * elements)
