"""HARD_SWISH: x * min(max(x + 3, 0), 6) / 6.

Quantized: 16-bit fixed point. Source of the semantics: `HardSwish` in tensorflow/lite/kernels/internal/reference/hard_swish.h,
`HardSwishPrepare` in activations.cc.
"""

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._activations import activation_kernels, same_types
from tinycompile.ops._limits import QUANTIZED, has_elements, has_per_tensor_quantization
from tinycompile.ops._lookup import Unary
from tinycompile.ops.base import Operation, register
from tinycompile.quant import Int64, quantize_multiplier, rounding_divide_by_power_of_two


def has_bounded_scale(operation: Operation) -> str | None:
    """The input scale is at most 128 times the output scale, and both are not too small for a 16-bit multiplier."""
    source = operation.inputs[0]
    if source is None or source.dtype not in QUANTIZED or has_per_tensor_quantization(operation):
        return None
    _, exponent = _multiplier(_fine_scale(operation) / np.float32(operation.output.scale))
    _, inner = _multiplier(_fine_scale(operation) / _RELU_SCALE)
    legal = -15 <= exponent <= 0 and -15 <= inner <= 15
    return None if legal else f"input scale {source.scale:g}, output scale {operation.output.scale:g}"


@register
class HardSwish(Unary):
    """HARD_SWISH."""

    kind = "HARD_SWISH"
    types = same_types(DType.INT8, DType.UINT8, DType.FLOAT32)
    limits = (has_elements, has_per_tensor_quantization, has_bounded_scale)
    kernels = activation_kernels(cycles=14)

    def apply(self, operation: Operation, values: Array) -> Array:
        """The fixed-point steps of the reference, on int16 values."""
        if values.dtype == np.float32:
            return (values * np.clip(values + np.float32(3), 0, 6) / np.float32(6)).astype(np.float32)
        output = operation.output
        fine = (values.astype(np.int64) - operation.input(0).zero_point) * 128
        multiplier, exponent = _multiplier(_fine_scale(operation) / np.float32(output.scale))
        product = _high(_relu_part(operation, fine) * _rounded_high(fine, multiplier))
        scaled = rounding_divide_by_power_of_two(product, -exponent) + output.zero_point
        result: Array = np.clip(scaled, *output.dtype.limits).astype(output.dtype.numpy)
        return result


_RELU_SCALE = np.float32(3.0) / np.float32(32768.0)


def _relu_part(operation: Operation, fine: Int64) -> Int64:
    """min(max(x + 3, 0), 6) / 6 with 15 fractional bits."""
    multiplier, exponent = _multiplier(_fine_scale(operation) / _RELU_SCALE)
    if exponent > 0:
        value = _saturated(_rounded_high(_saturated(fine << (exponent - 1)), multiplier) << 1)
    else:
        value = rounding_divide_by_power_of_two(_rounded_high(fine, multiplier), -exponent)
    return (value + (1 << 15)) >> 1


def _fine_scale(operation: Operation) -> np.float32:
    """Scale of the input with 7 more bits."""
    return np.float32(np.float32(1.0 / 128.0) * np.float32(operation.input(0).scale))


def _multiplier(factor: np.float32) -> tuple[int, int]:
    """A 16-bit multiplier and its exponent."""
    found = quantize_multiplier(float(factor))
    return min((found.value + (1 << 15)) >> 16, 32767), found.shift


def _rounded_high(first: Int64, second: int) -> Int64:
    """SaturatingRoundingDoublingHighMul of int16."""
    product = first * second
    nudged = product + np.where(product >= 0, 1 << 14, 1 - (1 << 14))
    return _saturated(np.sign(nudged) * (np.abs(nudged) >> 15))


def _high(product: Int64) -> Int64:
    """A product of int16 divided by 2**15 towards zero."""
    result: Int64 = np.sign(product) * (np.abs(product) >> 15)
    return result


def _saturated(value: Int64) -> Int64:
    return np.clip(value, -32768, 32767)
