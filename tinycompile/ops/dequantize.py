"""DEQUANTIZE: integers to float32, scale * (x - zero point).

Source of the semantics: `Dequantize` in tensorflow/lite/kernels/internal/reference/dequantize.h.
"""

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._copy import literal
from tinycompile.ops._elementwise import Body, ElementwiseKernel
from tinycompile.ops._limits import QUANTIZED, has_elements, has_per_tensor_quantization
from tinycompile.ops._lookup import Unary
from tinycompile.ops.base import Operation, TypeRule, register


@register
class Dequantize(Unary):
    """DEQUANTIZE with one scale for the tensor."""

    kind = "DEQUANTIZE"
    types = tuple(TypeRule((dtype,), (DType.FLOAT32,)) for dtype in QUANTIZED)
    limits = (has_elements, has_per_tensor_quantization)
    kernels = (ElementwiseKernel(lambda operation, board: _body(operation, board)),)

    def apply(self, operation: Operation, values: Array) -> Array:
        """One rounding to float32: the product is exact in double."""
        source = operation.input(0)
        result: Array = (source.scale * (values.astype(np.float64) - source.zero_point)).astype(np.float32)
        return result


def _body(operation: Operation, board: Board) -> Body:
    source = operation.input(0)
    return Body(
        template="dequantize/affine.c.j2",
        parameters={"in_type": source.dtype.c_type, "scale": literal(DType.FLOAT32, source.scale)},
        arguments=(source.zero_point,),
        cycles=15,
    )
