"""LOG_SOFTMAX over the last dimension: x minus the logarithm of the sum of the exponentials.

Quantized: an output has 4 integer bits and no positive value. The exponentials of all differences to the greatest element are a
table made at compile time. Source of the semantics: tensorflow/lite/kernels/internal/reference/log_softmax.h,
`PreprocessLogSoftmaxScalingExp`.
"""

from collections.abc import Sequence
from math import floor

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._limits import has_elements, has_per_tensor_quantization, last_dimension_limit
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Operation, Operator, TypeRule, register
from tinycompile.program import Constant, Parameter
from tinycompile.quant import (
    Int64,
    Multiplier,
    exp_on_negative_values,
    log_of_at_least_one,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    rounding_divide_by_power_of_two,
)

DIFFERENCE_BITS = 5
"""Integer bits of a scaled difference and of a logarithm."""
SUM_BITS = 12
"""Integer bits of the sum of exponentials."""
OUTPUT_BITS = 4
"""Integer bits of an output."""

ZERO_POINTS = {DType.INT8: 127, DType.UINT8: 255}
"""Zero point that the output of each type has."""
OUTPUT_SCALE = 16 / 256


def has_logarithm_output(operation: Operation) -> str | None:
    """A quantized output has scale 1/16 and zero point 127 (uint8: 255); the input's scale is more than 2**-25."""
    source, output = operation.inputs[0], operation.output
    if source is None or output.dtype not in ZERO_POINTS or has_per_tensor_quantization(operation):
        return None
    exact = output.scale == OUTPUT_SCALE and output.zero_point == ZERO_POINTS[output.dtype]
    if not exact:
        return f"scale {output.scale:g}, zero point {output.zero_point}"
    return None if source.scale > 2.0**-25 else f"the input has scale {source.scale:g}"


@register
class LogSoftmax(Operator):
    """LOG_SOFTMAX over the last dimension."""

    kind = "LOG_SOFTMAX"
    types = tuple(TypeRule((dtype,), (dtype,)) for dtype in (*ZERO_POINTS, DType.FLOAT32))
    limits = (has_elements, last_dimension_limit(4095), has_per_tensor_quantization, has_logarithm_output)
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The input's shape."""
        return (operation.input(0).shape,)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Row by row over the last dimension."""
        values, dtype = inputs[0], operation.output.dtype
        assert values is not None
        rows = values.reshape(-1, values.shape[-1])
        if dtype is DType.FLOAT32:
            differences = rows - rows.max(axis=1, keepdims=True)
            sums = np.exp(differences).sum(axis=1, keepdims=True, dtype=np.float32)
            return ((differences - np.log(sums)).reshape(values.shape).astype(np.float32),)
        table = exponentials_of(operation)
        wide = rows.astype(np.int64)
        found = [_fixed_point_row(operation, table, row - row.max()) for row in wide]
        return (np.stack(found).reshape(values.shape).astype(dtype.numpy),)

    def access(self, operation: Operation, index: int) -> Access:
        """An element depends on all of its row."""
        return WHOLE

    def overwrites(self, operation: Operation) -> tuple[int, ...]:
        """A row is read before its first element is written, and each element before its place is."""
        return (0,)


def exponentials_of(operation: Operation) -> Int64:
    """exp(-scale * d) in Q12 for the differences d = 0..255; 0 where the reference leaves a difference out."""
    scale, _ = _multipliers(operation)
    differences = np.arange(min(256, _reach(scale) + 1), dtype=np.int64)
    scaled = multiply_by_quantized_multiplier(-differences, scale)
    table = np.zeros(256, np.int64)
    exponentials = exp_on_negative_values(scaled, DIFFERENCE_BITS)
    table[: len(differences)] = rounding_divide_by_power_of_two(exponentials, SUM_BITS)
    return table


def _fixed_point_row(operation: Operation, table: Int64, differences: Int64) -> Int64:
    """Outputs of one row of differences (of 0 and less) to its greatest element."""
    scale, inverse = _multipliers(operation)
    logarithm = log_of_at_least_one(int(table[-differences].sum()))
    bound = int(multiply_by_quantized_multiplier(logarithm - (1 << 31), inverse))
    low, high = operation.output.dtype.limits
    scaled = multiply_by_quantized_multiplier(differences, scale) - logarithm
    outputs = rounding_divide_by_power_of_two(scaled, 31 - DIFFERENCE_BITS - OUTPUT_BITS) + high
    result: Int64 = np.where(differences > max(-_reach(scale) - 1, bound), np.clip(outputs, low, high), low)
    return result


def _multipliers(operation: Operation) -> tuple[Multiplier, Multiplier]:
    """From a difference to its Q5 number, and back."""
    real = min(operation.input(0).scale * 2.0 ** (31 - DIFFERENCE_BITS), 2.0**31 - 1.0)
    scale = quantize_multiplier(real)
    return scale, quantize_multiplier(2.0 ** (31 - scale.shift) / scale.value)


def _reach(scale: Multiplier) -> int:
    """The greatest difference whose exponential counts."""
    return floor(((1 << DIFFERENCE_BITS) - 1) * 2.0 ** (31 - DIFFERENCE_BITS) / 2.0**scale.shift)


def _code(operation: Operation) -> TemplateCode:
    depth, dtype = operation.output.shape[-1], operation.output.dtype
    rows = operation.output.elements // depth
    parameters: dict[str, Parameter] = {"c_type": dtype.c_type, "rows": rows, "depth": depth}
    cycles = 60 * operation.output.elements + 150 * rows
    if dtype is DType.FLOAT32:
        return TemplateCode("log_softmax/float.c.j2", parameters, runtime=("tc_math.h",), cycles=cycles)
    table = exponentials_of(operation)
    entries = int(np.flatnonzero(table).max()) + 1  # the table ends with its last entry that is not 0
    scale, inverse = _multipliers(operation)
    least, greatest = dtype.limits
    return TemplateCode(
        "log_softmax/table.c.j2",
        {
            **parameters,
            "entries": entries,
            "least": least,
            "greatest": greatest,
            "output_shift": 31 - DIFFERENCE_BITS - OUTPUT_BITS,
        },
        constants=(
            Constant("exponentials", table[:entries].astype(np.int32), "exp of differences", is_weight=False),
        ),
        arguments=(scale.value, scale.shift, inverse.value, inverse.shift, -_reach(scale) - 1),
        runtime=("tc_fixed_point.h", "tc_requantize.h"),
        cycles=cycles,
    )
