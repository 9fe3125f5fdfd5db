"""SOFTMAX over the last dimension: exp(beta * x) divided by the sum of them.

Quantized: fixed-point arithmetic; the exponentials of all differences to the greatest element are a table made at compile time.
Source of the semantics: `Softmax` in tensorflow/lite/kernels/internal/reference/softmax.h, `PreprocessSoftmaxScaling`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._copy import literal
from tinycompile.ops._limits import QUANTIZED, has_elements, has_per_tensor_quantization, last_dimension_limit
from tinycompile.ops._softmax_int16 import difference_multiplier, exponentials, reciprocals, softmax_int16
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Cost, Kernel, Operation, Operator, TypeRule, register
from tinycompile.program import Constant, Granularity, KernelCode, Parameter, Passing
from tinycompile.quant import (
    Int64,
    Multiplier,
    exp_on_negative_values,
    quantize_multiplier,
    reciprocal,
    rounding_divide_by_power_of_two,
    saturating_multiply,
)

DIFFERENCE_BITS = 5
"""Integer bits of a scaled difference."""
SUM_BITS = 12
"""Integer bits of the sum of exponentials."""

OUTPUTS = {DType.INT8: (1 / 256, -128), DType.UINT8: (1 / 256, 0), DType.INT16: (1 / 65536, -32768)}
"""Scale and zero point that the output of each type has."""
OUTPUT_OF_INT16 = (1 / 32768, 0)
"""The same where the input is int16 too."""


@dataclass(frozen=True)
class SoftmaxAttributes(Attributes):
    """Options of a softmax."""

    beta: float = 1.0


def has_probability_output(operation: Operation) -> str | None:
    """A quantized output has scale 1/256 and the least zero point (int8 to int16: 1/65536 and -32768, int16: 1/32768 and 0)."""
    output = operation.output
    if output.dtype not in OUTPUTS:
        return None
    if output.quantization is None or len(output.quantization.scales) != 1:
        return "the output has no quantization"
    scale, zero_point = OUTPUT_OF_INT16 if _is_int16(operation) else OUTPUTS[output.dtype]
    exact = abs(output.scale - scale) <= 0.001 * scale and output.zero_point == zero_point
    return None if exact else f"scale {output.scale:g}, zero point {output.zero_point}"


def has_sound_beta(operation: Operation) -> str | None:
    """beta times the input scale is positive and more than 2**-26 (int16: less than 1)."""
    source = operation.inputs[0]
    if source is None or source.dtype not in QUANTIZED or has_quantized_input(operation):
        return None
    product = _beta(operation) * source.scale
    return None if 2.0**-26 < product < (1.0 if _is_int16(operation) else np.inf) else f"it is {product:g}"


def has_quantized_input(operation: Operation) -> str | None:
    """A quantized input has one positive scale and a zero point of its type."""
    single = Operation(operation.node, operation.inputs, ())
    return has_per_tensor_quantization(single)


@register
class Softmax(Operator):
    """SOFTMAX over the last dimension."""

    kind = "SOFTMAX"
    types = (
        TypeRule((DType.INT8,), (DType.INT8,)),
        TypeRule((DType.UINT8,), (DType.UINT8,)),
        TypeRule((DType.INT8,), (DType.INT16,)),
        TypeRule((DType.INT16,), (DType.INT16,)),
        TypeRule((DType.FLOAT32,), (DType.FLOAT32,)),
    )
    limits = (
        has_elements,
        last_dimension_limit(4095),
        has_quantized_input,
        has_probability_output,
        has_sound_beta,
    )

    def parse(self, options: Options) -> SoftmaxAttributes:
        """Read SoftmaxOptions."""
        return SoftmaxAttributes(float(options.get("beta", 0.0)))

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The input's shape."""
        return (operation.input(0).shape,)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Row by row over the last dimension."""
        values = inputs[0]
        assert values is not None
        rows = values.reshape(-1, values.shape[-1])
        if operation.output.dtype is DType.FLOAT32:
            exponentials = np.exp((rows - rows.max(axis=1, keepdims=True)) * np.float32(_beta(operation)))
            total = exponentials.sum(axis=1, keepdims=True, dtype=np.float32)
            return ((exponentials / total).reshape(values.shape).astype(np.float32),)
        if _is_int16(operation):
            return (softmax_int16(rows, _difference_multiplier(operation)).reshape(values.shape),)
        table, dtype = exponentials_of(operation), operation.output.dtype
        wide = rows.astype(np.int64)
        found = [_fixed_point_row(table, row.max() - row, dtype) for row in wide]
        return (np.stack(found).reshape(values.shape).astype(dtype.numpy),)

    def access(self, operation: Operation, index: int) -> Access:
        """An element depends on all channels of its pixel."""
        return WHOLE

    def overwrites(self, operation: Operation) -> tuple[int, ...]:
        """A row is read before its first element is written, and each element before its place is."""
        same = operation.input(0).dtype.element_bytes == operation.output.dtype.element_bytes
        return (0,) if same else ()


def exponentials_of(operation: Operation) -> Int64:
    """exp(-beta * scale * d) in Q0 for the differences d = 0..255; 0 where the reference leaves a difference out."""
    real = min(_beta(operation) * operation.input(0).scale * 2.0 ** (31 - DIFFERENCE_BITS), 2.0**31 - 1.0)
    multiplier = quantize_multiplier(real)
    reach = ((1 << DIFFERENCE_BITS) - 1) * 2.0 ** (31 - DIFFERENCE_BITS) / 2.0**multiplier.shift
    differences = np.arange(min(256, floor(reach) + 1), dtype=np.int64)
    scaled = saturating_multiply(-differences << multiplier.shift, multiplier.value)
    table = np.zeros(256, np.int64)
    table[: len(differences)] = exp_on_negative_values(scaled, DIFFERENCE_BITS)
    return table


def _fixed_point_row(table: Int64, differences: Int64, dtype: DType) -> Int64:
    """Outputs of one row of differences to its greatest element."""
    exponentials = table[differences]
    total = int(rounding_divide_by_power_of_two(exponentials, SUM_BITS).sum())
    scale, bits = reciprocal(total, SUM_BITS)
    exponent = bits + 31 - 8 * dtype.element_bytes
    low, high = dtype.limits
    scaled = saturating_multiply(exponentials, scale)
    if exponent <= 31:
        quotients = rounding_divide_by_power_of_two(scaled, exponent)
    else:  # a sum of 512 or more: the reference shifts by too much, and this is what it computes on x86
        quotients = (scaled >> (exponent - 32)) + 1
    result: Int64 = np.where(exponentials > 0, np.clip(quotients + low, low, high), low)
    return result


def _is_int16(operation: Operation) -> bool:
    return operation.input(0).dtype is DType.INT16


def _difference_multiplier(operation: Operation) -> Multiplier:
    return difference_multiplier(operation.input(0).scale, _beta(operation))


def _beta(operation: Operation) -> float:
    assert isinstance(operation.node.attributes, SoftmaxAttributes)
    return operation.node.attributes.beta


class TableSoftmax(Kernel):
    """Quantized types: exponentials from a table."""

    name = "table"

    def supports(self, operation: Operation, board: Board) -> bool:
        """Types of one byte."""
        return operation.input(0).dtype.element_bytes == 1

    def cost(self, operation: Operation, board: Board) -> Cost:
        """Three passes over each row, and two divisions."""
        rows = operation.output.elements // operation.output.shape[-1]
        return Cost(27 * operation.output.elements + 100 * rows, 1024)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `softmax/table.c.j2`; the table ends with its last entry that is not 0."""
        table = exponentials_of(operation)
        entries = int(np.flatnonzero(table).max()) + 1
        return KernelCode(
            template="softmax/table.c.j2",
            parameters={**_holes(operation), "entries": entries, "sum_bits": SUM_BITS},
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            constants=(
                Constant(
                    "exponentials", table[:entries].astype(np.int32), "exp of differences", is_weight=False
                ),
            ),
            runtime=("tc_fixed_point.h", "tc_requantize.h"),
        )


class Int16Softmax(Kernel):
    """int16: exponentials and reciprocals from tables with interpolation."""

    name = "interpolated"

    def supports(self, operation: Operation, board: Board) -> bool:
        """int16 inputs."""
        return _is_int16(operation)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """Three passes over each row."""
        return Cost(45 * operation.output.elements, 2052)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `softmax/int16.c.j2`."""
        multiplier = _difference_multiplier(operation)
        return KernelCode(
            template="softmax/int16.c.j2",
            parameters=_holes(operation),
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            constants=(
                Constant("exponentials", exponentials(), "exp of -10 to 0", is_weight=False),
                Constant("reciprocals", reciprocals(), "1 / (1 + x) of 0 to 1", is_weight=False),
            ),
            arguments=(multiplier.value, multiplier.shift),
            runtime=("tc_fixed_point.h", "tc_requantize.h"),
        )


class FloatSoftmax(Kernel):
    """float32."""

    name = "float"

    def supports(self, operation: Operation, board: Board) -> bool:
        """float32 alone."""
        return operation.input(0).dtype is DType.FLOAT32

    def cost(self, operation: Operation, board: Board) -> Cost:
        """An exponential for each element."""
        return Cost(60 * operation.output.elements, 300)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `softmax/float.c.j2`."""
        return KernelCode(
            template="softmax/float.c.j2",
            parameters={**_holes(operation), "beta": literal(DType.FLOAT32, _beta(operation))},
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            runtime=("tc_math.h",),
        )


def _holes(operation: Operation) -> dict[str, Parameter]:
    depth = operation.output.shape[-1]
    return {
        "in_type": operation.input(0).dtype.c_type,
        "out_type": operation.output.dtype.c_type,
        "rows": operation.output.elements // depth,
        "depth": depth,
    }


Softmax.kernels = (TableSoftmax(), Int16Softmax(), FloatSoftmax())
