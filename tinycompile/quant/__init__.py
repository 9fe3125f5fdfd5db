"""Arithmetic of quantized inference: fixed-point multipliers and activation clamps."""

from tinycompile.quant.activation import REAL_RANGES, Activation, activation_range
from tinycompile.quant.multiplier import (
    Int64,
    Multiplier,
    doubling_high_multiply,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    requantize,
    round_half_away,
    rounding_divide_by_power_of_two,
    wrap_int32,
)

__all__ = [
    "REAL_RANGES", "Activation", "Int64", "Multiplier", "activation_range", "doubling_high_multiply",
    "multiply_by_quantized_multiplier", "quantize_multiplier", "requantize", "round_half_away",
    "rounding_divide_by_power_of_two", "wrap_int32",
]  # fmt: skip
