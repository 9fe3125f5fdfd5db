"""What the comparisons share. Quantized operands are scaled to reals in fixed point with 8 more bits, then compared.

Source of the semantics: tensorflow/lite/kernels/comparisons.cc and internal/reference/comparisons.h (`...WithScaling`).
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType, Tensor
from tinycompile.ops._binary import binary_types
from tinycompile.ops._elementwise import Body, Elementwise, elementwise_kernels, has_broadcast_shapes
from tinycompile.ops._limits import has_elements, has_per_tensor_quantization
from tinycompile.ops._lookup import BYTES
from tinycompile.ops.base import Operation, TypeRule
from tinycompile.program import Parameter
from tinycompile.quant import Int64, multiply_by_quantized_multiplier, quantize_multiplier

LEFT_SHIFT = 8
ORDERED = binary_types(DType.BOOL, DType.INT8, DType.UINT8, DType.INT32, DType.INT64, DType.FLOAT32)
"""Types of the comparisons with an order."""
ANY: tuple[TypeRule, ...] = (*ORDERED, *binary_types(DType.BOOL, DType.BOOL))
"""Types of EQUAL and NOT_EQUAL."""
INT16 = binary_types(DType.BOOL, DType.INT16)
"""Of some comparisons; stored values are compared, whatever their scales."""


def has_scales_below_one(operation: Operation) -> str | None:
    """The scales of int8 and uint8 operands are less than 1."""
    if has_per_tensor_quantization(operation):
        return None
    scales = [t.scale for t in operation.inputs if t is not None and t.dtype in BYTES]
    return None if max(scales, default=0.0) < 1.0 else f"scales {scales}"


class Comparison(Elementwise):
    """Base of the comparisons."""

    compare: ClassVar[Callable[[Any, Any], Any]]
    types = ORDERED
    limits = (has_elements, has_broadcast_shapes, has_per_tensor_quantization, has_scales_below_one)
    min_inputs = 2
    kernels = elementwise_kernels(lambda operation, board: _body(operation, board))

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Compare stored or scaled values."""
        operands = []
        for index in (0, 1):
            array = inputs[index]
            assert array is not None
            operands.append(_scaled(operation.input(index), array))
        return (np.asarray(type(self).compare(operands[0], operands[1])),)


def _scaled(tensor: Tensor, values: Array) -> Int64 | Array:
    if tensor.dtype not in BYTES:
        return values
    shifted = (values.astype(np.int64) - tensor.zero_point) << LEFT_SHIFT
    scaled: Int64 = multiply_by_quantized_multiplier(shifted, quantize_multiplier(tensor.scale))
    return scaled


def _body(operation: Operation, board: Board) -> Body:
    source = operation.input(0).dtype
    holes: dict[str, Parameter] = {"kind": operation.node.kind, "in_type": source.c_type, "out_type": "bool"}
    if source not in BYTES:
        return Body("binary/plain.c.j2", holes, cycles=7)
    arguments: list[int] = []
    for tensor in (operation.input(0), operation.input(1)):
        multiplier = quantize_multiplier(tensor.scale)
        arguments += [-tensor.zero_point, multiplier.value, multiplier.shift]
    return Body("binary/compare_scaled.c.j2", holes, (), tuple(arguments), ("tc_requantize.h",), cycles=30)
