"""QUANTIZE: float to integers, or integers from one scale to another.

Source of the semantics: `AffineQuantize` and `Requantize` in tensorflow/lite/kernels/internal/reference.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._copy import literal
from tinycompile.ops._elementwise import Body, Elementwise, elementwise_kernels
from tinycompile.ops._limits import has_elements, has_per_tensor_quantization
from tinycompile.ops._lookup import BYTE_TYPES, lookup_body
from tinycompile.ops.base import Operation, TypeRule, register
from tinycompile.program import Parameter
from tinycompile.quant import Multiplier, multiply_by_quantized_multiplier, quantize_multiplier

LARGEST_SHIFT = 14
"""Scales may grow by less than 2**14, so that no int16 value leaves int32."""


def has_bounded_factor(operation: Operation) -> str | None:
    """The input's scale is less than 2**14 times the output's."""
    if operation.input(0).dtype is DType.FLOAT32 or has_per_tensor_quantization(operation):
        return None
    factor = operation.input(0).scale / operation.output.scale
    return f"it is {factor:g} times that" if not factor < 2.0**LARGEST_SHIFT else None


@register
class Quantize(Elementwise):
    """QUANTIZE from float, and between integer types and scales."""

    kind = "QUANTIZE"
    types = (
        TypeRule((DType.FLOAT32,), (DType.INT8,)),
        TypeRule((DType.FLOAT32,), (DType.UINT8,)),
        TypeRule((DType.FLOAT32,), (DType.INT16,)),
        TypeRule((DType.INT8,), (DType.INT8,)),
        TypeRule((DType.INT8,), (DType.UINT8,)),
        TypeRule((DType.INT8,), (DType.INT16,)),
        TypeRule((DType.UINT8,), (DType.UINT8,)),
        TypeRule((DType.UINT8,), (DType.INT8,)),
        TypeRule((DType.INT16,), (DType.INT8,)),
        TypeRule((DType.INT16,), (DType.INT16,)),
    )
    limits = (has_elements, has_per_tensor_quantization, has_bounded_factor)
    kernels = elementwise_kernels(lambda operation, board: _body(operation, board))

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Divide by the scale in float32, or multiply by the quotient of the scales in fixed point."""
        values = inputs[0]
        assert values is not None
        return (_quantized(operation, values),)


def _quantized(operation: Operation, values: Array) -> Array:
    output = operation.output
    low, high = output.dtype.limits
    if operation.input(0).dtype is DType.FLOAT32:
        quotients = values / np.float32(output.scale)
        levels = np.copysign(np.floor(np.abs(quotients.astype(np.float64)) + 0.5), quotients) + output.zero_point
    else:
        centred = values.astype(np.int64) - operation.input(0).zero_point
        levels = multiply_by_quantized_multiplier(centred, _multiplier(operation)) + output.zero_point
    return np.clip(levels, low, high).astype(output.dtype.numpy)


def _multiplier(operation: Operation) -> Multiplier:
    return quantize_multiplier(operation.input(0).scale / operation.output.scale)


def _body(operation: Operation, board: Board) -> Body:
    source, output = operation.input(0), operation.output
    if source.dtype in BYTE_TYPES:
        return lookup_body(operation, lambda values: _quantized(operation, values))
    low, high = output.dtype.limits
    holes: dict[str, Parameter] = {"c_type": output.dtype.c_type, "low": low, "high": high}
    if source.dtype is DType.FLOAT32:
        holes["scale"] = literal(DType.FLOAT32, output.scale)
        cycles = 40 if board.fpu else 200
        return Body("quantize/from_float.c.j2", holes, (), (output.zero_point,), ("tc_math.h",), cycles)
    multiplier = _multiplier(operation)
    holes["in_c_type"] = source.dtype.c_type
    arguments = (source.zero_point, multiplier.value, multiplier.shift, output.zero_point)
    return Body("quantize/requantize.c.j2", holes, (), arguments, ("tc_requantize.h",), cycles=20)
