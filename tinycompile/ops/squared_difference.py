"""SQUARED_DIFFERENCE: (a - b) squared.

int8: operands, shifted left by 7 bits, are scaled to twice the larger input scale, the squared difference to the output.
Source of the semantics: tensorflow/lite/kernels/squared_difference.cc.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._elementwise import Body, Elementwise, elementwise_kernels, has_broadcast_shapes
from tinycompile.ops._limits import QUANTIZED, has_elements, has_per_tensor_quantization
from tinycompile.ops.base import Operation, TypeRule, register
from tinycompile.quant import Multiplier, multiply_by_quantized_multiplier, quantize_multiplier

LEFT_SHIFT = 7


def has_bounded_factor(operation: Operation) -> str | None:
    """Twice the larger input scale, squared, is less than 2**28 times the output scale."""
    if operation.output.dtype not in QUANTIZED or has_per_tensor_quantization(operation):
        return None
    factor = _output_factor(operation)
    return None if factor < 2.0**14 else f"it is {factor * 2.0**14:g} times that"


@register
class SquaredDifference(Elementwise):
    """SQUARED_DIFFERENCE with broadcasting."""

    kind = "SQUARED_DIFFERENCE"
    types = tuple(TypeRule((dtype,), (dtype,)) for dtype in (DType.INT8, DType.INT32, DType.FLOAT32))
    limits = (has_elements, has_broadcast_shapes, has_per_tensor_quantization, has_bounded_factor)
    min_inputs = 2
    kernels = elementwise_kernels(lambda operation, board: _body(operation, board))

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The fixed-point steps for int8."""
        first, second = inputs[0], inputs[1]
        assert first is not None and second is not None
        if operation.output.dtype not in QUANTIZED:
            return (np.square(first - second),)
        scaled = [
            multiply_by_quantized_multiplier(
                (array.astype(np.int64) - operation.input(index).zero_point) << LEFT_SHIFT, multiplier
            )
            for index, (array, multiplier) in enumerate(
                zip((first, second), _multipliers(operation), strict=True)
            )
        ]
        square = multiply_by_quantized_multiplier((scaled[0] - scaled[1]) ** 2, _output_multiplier(operation))
        return (np.clip(square + operation.output.zero_point, -128, 127).astype(np.int8),)


def _multipliers(operation: Operation) -> list[Multiplier]:
    scales = [operation.input(index).scale for index in (0, 1)]
    return [quantize_multiplier(scale / (2.0 * max(scales))) for scale in scales]


def _output_factor(operation: Operation) -> float:
    twice = 2.0 * max(operation.input(index).scale for index in (0, 1))
    return twice * twice / (2.0 ** (2 * LEFT_SHIFT) * operation.output.scale)


def _output_multiplier(operation: Operation) -> Multiplier:
    return quantize_multiplier(_output_factor(operation))


def _body(operation: Operation, board: Board) -> Body:
    dtype = operation.output.dtype
    if dtype not in QUANTIZED:
        holes = {"kind": operation.node.kind, "in_type": dtype.c_type, "out_type": dtype.c_type}
        return Body("binary/plain.c.j2", holes, runtime=("tc_math.h",), cycles=7)
    arguments: list[int] = []
    for index, multiplier in enumerate((*_multipliers(operation), _output_multiplier(operation))):
        tensor = operation.output if index == 2 else operation.input(index)
        zero_point = tensor.zero_point if index == 2 else -tensor.zero_point
        arguments += [zero_point, multiplier.value, multiplier.shift]
    return Body("squared_difference/int8.c.j2", {}, (), tuple(arguments), ("tc_requantize.h",), cycles=45)
