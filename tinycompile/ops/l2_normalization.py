"""L2_NORMALIZATION: each vector along the last dimension divided by its length.

Quantized: an output of 0 is the zero point in the middle of the type, 1/128 is its scale; the length is a fixed-point square
root. Source of the semantics: tensorflow/lite/kernels/internal/reference/integer_ops/l2normalization.h and l2normalization.h.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._limits import has_elements, has_per_tensor_quantization, last_dimension_limit
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Operation, Operator, TypeRule, register
from tinycompile.quant import Int64, Multiplier, inverse_square_root, multiply_by_quantized_multiplier

OUTPUT_BITS = 7
"""A quantized output has steps of 2**-7."""
ZERO_POINTS = {DType.INT8: 0, DType.UINT8: 128}
"""Zero point that the output of each type has."""


def has_unit_output(operation: Operation) -> str | None:
    """A quantized output has scale 1/128 and zero point 0 (uint8: 128)."""
    output = operation.output
    if output.dtype not in ZERO_POINTS or has_per_tensor_quantization(operation):
        return None
    exact = output.scale == 1 / 128 and output.zero_point == ZERO_POINTS[output.dtype]
    return None if exact else f"scale {output.scale:g}, zero point {output.zero_point}"


@register
class L2Normalization(Operator):
    """L2_NORMALIZATION along the last dimension."""

    kind = "L2_NORMALIZATION"
    types = tuple(TypeRule((dtype,), (dtype,)) for dtype in (*ZERO_POINTS, DType.FLOAT32))
    limits = (has_elements, last_dimension_limit(32768), has_per_tensor_quantization, has_unit_output)
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The input's shape."""
        return (operation.input(0).shape,)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Row by row; in float32 a length of less than 1e-6 counts as 1e-6."""
        values = inputs[0]
        assert values is not None
        rows = values.reshape(-1, values.shape[-1])
        if operation.output.dtype is DType.FLOAT32:
            lengths = np.sqrt((rows * rows).sum(axis=1, keepdims=True, dtype=np.float32))
            return ((rows / np.maximum(lengths, np.float32(1e-6))).reshape(values.shape).astype(np.float32),)
        real = rows.astype(np.int64) - operation.input(0).zero_point
        normalized = np.stack([_normalized(row, operation.output.dtype) for row in real])
        return (normalized.reshape(values.shape).astype(values.dtype),)

    def access(self, operation: Operation, index: int) -> Access:
        """An element depends on all of its vector."""
        return WHOLE

    def overwrites(self, operation: Operation) -> tuple[int, ...]:
        """A vector is read before it is written, and each element before its place is."""
        return (0,)


def _normalized(row: Int64, dtype: DType) -> Array:
    multiplier, shift = inverse_square_root(int((row * row).sum()))
    if dtype is DType.UINT8:  # the reference moves the elements up before it scales them
        scaled = multiply_by_quantized_multiplier(row << OUTPUT_BITS, Multiplier(multiplier, shift))
    else:
        scaled = multiply_by_quantized_multiplier(row, Multiplier(multiplier, shift + OUTPUT_BITS))
    result: Array = np.clip(scaled + ZERO_POINTS[dtype], *dtype.limits)
    return result


def _code(operation: Operation) -> TemplateCode:
    dtype, depth = operation.output.dtype, operation.output.shape[-1]
    quantized, rows = dtype in ZERO_POINTS, operation.output.elements // depth
    return TemplateCode(
        "l2_normalization/portable.c.j2",
        {
            "c_type": dtype.c_type,
            "rows": rows,
            "depth": depth,
            "output_bits": OUTPUT_BITS,
            "zero_point": ZERO_POINTS.get(dtype, 0),
        },
        arguments=(-operation.input(0).zero_point,) if quantized else (),
        runtime=("tc_fixed_point.h", "tc_requantize.h") if quantized else ("tc_math.h",),
        cycles=30 * operation.output.elements + 200 * rows,
    )
