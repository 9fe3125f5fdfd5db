"""DEQUANTIZE: integers to float.

Source of the semantics: `Dequantize` in tensorflow/lite/kernels/internal/reference/dequantize.h.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._copy import literal
from tinycompile.ops._elementwise import Body, Elementwise, elementwise_kernels
from tinycompile.ops._limits import has_elements, has_per_tensor_quantization
from tinycompile.ops.base import Operation, TypeRule, register


@register
class Dequantize(Elementwise):
    """DEQUANTIZE of a tensor that is quantized per tensor."""

    kind = "DEQUANTIZE"
    types = tuple(TypeRule((dtype,), (DType.FLOAT32,)) for dtype in (DType.INT8, DType.UINT8, DType.INT16))
    limits = (has_elements, has_per_tensor_quantization)
    kernels = elementwise_kernels(lambda operation, board: _body(operation, board))

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """(x - zero point) * scale; the product is exact in double and rounded once."""
        values = inputs[0]
        assert values is not None
        source = operation.input(0)
        centred = values.astype(np.float64) - source.zero_point
        return ((centred * source.scale).astype(np.float32),)


def _body(operation: Operation, board: Board) -> Body:
    source = operation.input(0)
    holes = {"in_c_type": source.dtype.c_type, "scale": literal(DType.FLOAT32, source.scale)}
    cycles = 8 if board.fpu else 100
    return Body("dequantize/to_float.c.j2", holes, (), (source.zero_point,), cycles=cycles)
