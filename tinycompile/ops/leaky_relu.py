"""LEAKY_RELU: x where it is not negative, else alpha * x.

Source of the semantics: `QuantizeLeakyRelu` in tensorflow/lite/kernels/internal/reference/leaky_relu.h; the factors are float32.
"""

from dataclasses import dataclass

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._activations import FloatKernel, float_hole, same_types
from tinycompile.ops._elementwise import Body, ElementwiseKernel
from tinycompile.ops._limits import QUANTIZED, has_elements, has_per_tensor_quantization
from tinycompile.ops._lookup import Unary, lookup_kernels
from tinycompile.ops.base import Operation, register
from tinycompile.quant import Multiplier, multiply_by_quantized_multiplier, quantize_multiplier


@dataclass(frozen=True)
class LeakyReluAttributes(Attributes):
    """Options of a leaky ReLU."""

    alpha: float = 0.0


def has_bounded_factors(operation: Operation) -> str | None:
    """alpha is finite, and for quantized types neither the input scale nor alpha times it reaches 2**14 output scales."""
    alpha = _alpha(operation)
    if not np.isfinite(alpha):
        return f"alpha is {alpha}"
    source = operation.inputs[0]
    if source is None or source.dtype not in QUANTIZED or has_per_tensor_quantization(operation):
        return None
    largest = max(abs(factor) for factor in _factors(operation))
    return None if largest < 2.0**14 else f"a factor is {largest:g}"


@register
class LeakyRelu(Unary):
    """LEAKY_RELU."""

    kind = "LEAKY_RELU"
    types = same_types(DType.INT8, DType.UINT8, DType.INT16, DType.FLOAT32)
    limits = (has_elements, has_per_tensor_quantization, has_bounded_factors)

    def parse(self, options: Options) -> LeakyReluAttributes:
        """Read LeakyReluOptions."""
        return LeakyReluAttributes(float(options.get("alpha", 0.0)))

    def apply(self, operation: Operation, values: Array) -> Array:
        """A factor for each side of zero."""
        if values.dtype == np.float32:
            return np.where(values > 0, values, values * np.float32(_alpha(operation)))
        source, output = operation.input(0), operation.output
        real = values.astype(np.int64) - source.zero_point
        positive, negative = (multiply_by_quantized_multiplier(real, m) for m in _multipliers(operation))
        result: Array = np.clip(
            np.where(real >= 0, positive, negative) + output.zero_point, *output.dtype.limits
        )
        return result.astype(output.dtype.numpy)


def _alpha(operation: Operation) -> float:
    assert isinstance(operation.node.attributes, LeakyReluAttributes)
    return operation.node.attributes.alpha


def _factors(operation: Operation) -> tuple[float, float]:
    """Factor to the output of inputs that are not negative, and of the others."""
    scale, out_scale = np.float32(operation.input(0).scale), np.float32(operation.output.scale)
    return float(scale / out_scale), float(scale * np.float32(_alpha(operation)) / out_scale)


def _multipliers(operation: Operation) -> tuple[Multiplier, Multiplier]:
    positive, negative = _factors(operation)
    return quantize_multiplier(positive), quantize_multiplier(negative)


class Int16Kernel(ElementwiseKernel):
    """int16: two multipliers."""

    name = "two_sides"

    def __init__(self) -> None:
        super().__init__(_int16_body)

    def supports(self, operation: Operation, board: Board) -> bool:
        """int16 inputs."""
        return operation.input(0).dtype is DType.INT16


def _int16_body(operation: Operation, board: Board) -> Body:
    arguments = tuple(
        n for multiplier in _multipliers(operation) for n in (multiplier.value, multiplier.shift)
    )
    return Body("leaky_relu/int16.c.j2", {}, (), arguments, ("tc_requantize.h",), cycles=22)


LeakyRelu.kernels = (
    *lookup_kernels(),
    Int16Kernel(),
    FloatKernel(lambda operation: {"alpha": float_hole(_alpha(operation))}),
)
