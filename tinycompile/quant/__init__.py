"""Arithmetic of quantized inference: fixed-point multipliers and activation clamps."""

from tinycompile.quant.activation import REAL_RANGES, Activation, activation_range
from tinycompile.quant.fixed_point import (
    exp_on_negative_values,
    inverse_square_root,
    log_of_at_least_one,
    logistic,
    reciprocal,
    saturating_multiply,
    tanh,
)
from tinycompile.quant.float_scale import FloatScale, divided, float_scale
from tinycompile.quant.multiplier import (
    Int64,
    Multiplier,
    doubling_high_multiply,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    quantize_multipliers,
    reduced_multiplier,
    requantize,
    requantize_wide,
    round_half_away,
    rounding_divide_by_power_of_two,
    wrap_int32,
)
from tinycompile.quant.solver import solve
from tinycompile.quant.thresholds import Accumulators, Requantization

__all__ = [
    "REAL_RANGES", "Accumulators", "Activation", "FloatScale", "Int64", "Multiplier", "Requantization",
    "activation_range", "divided", "doubling_high_multiply", "exp_on_negative_values", "float_scale",
    "inverse_square_root", "log_of_at_least_one", "logistic", "multiply_by_quantized_multiplier",
    "quantize_multiplier", "quantize_multipliers", "reciprocal",
    "reduced_multiplier", "requantize", "requantize_wide", "round_half_away",
    "rounding_divide_by_power_of_two", "saturating_multiply", "solve", "tanh", "wrap_int32",
]  # fmt: skip
