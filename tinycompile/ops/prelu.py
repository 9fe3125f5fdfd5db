"""PRELU: x where it is not negative, else alpha * x, with alpha broadcast.

Source of the semantics: tensorflow/lite/kernels/activations.cc and internal/reference/prelu.h; the factors are float32.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._elementwise import Body, Elementwise, elementwise_kernels, has_broadcast_shapes
from tinycompile.ops._limits import QUANTIZED, has_elements, has_per_tensor_quantization
from tinycompile.ops.base import Operation, TypeRule, register
from tinycompile.quant import Multiplier, multiply_by_quantized_multiplier, quantize_multiplier


def has_input_shape(operation: Operation) -> str | None:
    """alpha broadcasts to the input's shape."""
    source, alpha = operation.inputs[0], operation.optional(1)
    if source is None or alpha is None or has_broadcast_shapes(operation):
        return None
    shape = np.broadcast_shapes(source.shape, alpha.shape)
    return None if shape == source.shape else f"alpha {alpha.describe()} for {source.describe()}"


def has_bounded_factors(operation: Operation) -> str | None:
    """Neither the input scale nor its product with alpha's scale reaches 2**14 output scales."""
    if operation.output.dtype not in QUANTIZED or has_per_tensor_quantization(operation):
        return None
    largest = max(_factors(operation))
    return None if largest < 2.0**14 else f"a factor is {largest:g}"


@register
class Prelu(Elementwise):
    """PRELU."""

    kind = "PRELU"
    types = tuple(TypeRule((dtype,), (dtype,)) for dtype in (DType.INT8, DType.UINT8, DType.FLOAT32))
    limits = (
        has_elements,
        has_broadcast_shapes,
        has_input_shape,
        has_per_tensor_quantization,
        has_bounded_factors,
    )
    min_inputs = 2
    kernels = elementwise_kernels(lambda operation, board: _body(operation, board))

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """A factor of its own for negative values."""
        values, alpha = inputs[0], inputs[1]
        assert values is not None and alpha is not None
        if operation.output.dtype not in QUANTIZED:
            return (np.where(values >= 0, values, values * alpha),)
        real = values.astype(np.int64) - operation.input(0).zero_point
        slope = alpha.astype(np.int64) - operation.input(1).zero_point
        positive, negative = _multipliers(operation)
        scaled = np.where(
            real >= 0,
            multiply_by_quantized_multiplier(real, positive),
            multiply_by_quantized_multiplier(real * slope, negative),
        )
        output = operation.output
        return (np.clip(scaled + output.zero_point, *output.dtype.limits).astype(output.dtype.numpy),)


def _factors(operation: Operation) -> tuple[float, float]:
    """Factor to the output of inputs that are not negative, and of products with alpha."""
    source, alpha, output = (
        np.float32(t.scale) for t in (operation.input(0), operation.input(1), operation.output)
    )
    return float(source / output), float(source * alpha / output)


def _multipliers(operation: Operation) -> tuple[Multiplier, Multiplier]:
    positive, negative = _factors(operation)
    return quantize_multiplier(positive), quantize_multiplier(negative)


def _body(operation: Operation, board: Board) -> Body:
    dtype = operation.output.dtype
    holes = {"c_type": dtype.c_type}
    if dtype not in QUANTIZED:
        return Body("prelu/float.c.j2", holes, cycles=7)
    positive, negative = _multipliers(operation)
    arguments = (
        -operation.input(0).zero_point, -operation.input(1).zero_point, operation.output.zero_point,
        positive.value, positive.shift, negative.value, negative.shift, *dtype.limits,
    )  # fmt: skip
    return Body("prelu/quantized.c.j2", holes, (), arguments, ("tc_requantize.h",), cycles=18)
