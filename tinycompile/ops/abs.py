"""ABS: the absolute value.

Quantized: without the zero point, scaled to the output when the scales differ. Source of the semantics: `AbsEvalQuantized` in
tensorflow/lite/kernels/elementwise.cc; the factor is a float32 quotient.
"""

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._activations import FloatKernel, same_types
from tinycompile.ops._elementwise import Body, ElementwiseKernel
from tinycompile.ops._float_quotient import has_bounded_scale, scale_multiplier
from tinycompile.ops._limits import has_elements, has_per_tensor_quantization
from tinycompile.ops._lookup import Unary, lookup_kernels
from tinycompile.ops.base import Operation, register
from tinycompile.quant import multiply_by_quantized_multiplier


def _int16_body(operation: Operation, board: Board) -> Body:
    multiplier = scale_multiplier(operation)
    return Body(
        "abs/int16.c.j2", {}, (), (multiplier.value, multiplier.shift), ("tc_requantize.h",), cycles=18
    )


class Int16Kernel(ElementwiseKernel):
    """int16."""

    name = "int16"

    def __init__(self) -> None:
        super().__init__(_int16_body)

    def supports(self, operation: Operation, board: Board) -> bool:
        """int16 inputs."""
        return operation.input(0).dtype is DType.INT16


@register
class Abs(Unary):
    """ABS."""

    kind = "ABS"
    types = same_types(DType.INT8, DType.INT16, DType.FLOAT32)
    limits = (has_elements, has_per_tensor_quantization, has_bounded_scale)
    kernels = (*lookup_kernels(), Int16Kernel(), FloatKernel(cycles=5))

    def apply(self, operation: Operation, values: Array) -> Array:
        """A factor of 1 is exact in fixed point too."""
        if values.dtype == np.float32:
            return np.abs(values)
        output = operation.output
        real = np.abs(values.astype(np.int64) - operation.input(0).zero_point)
        scaled = multiply_by_quantized_multiplier(real, scale_multiplier(operation)) + output.zero_point
        result: Array = np.clip(scaled, *output.dtype.limits).astype(output.dtype.numpy)
        return result
