"""Fixed-point multipliers, as TFLite's reference kernels and gemmlowp define them (double rounding).

Source: tensorflow/lite/kernels/internal/quantization_util.cc and common.h, gemmlowp fixedpoint.h. Everything here is exact
integer arithmetic on numpy int64, or on Python's int.
"""

from dataclasses import dataclass
from math import floor, frexp
from typing import Any

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class Multiplier:
    """A real factor as `value * 2**(shift - 31)`, with value in [2**30, 2**31) or 0; a positive shift goes left."""

    value: int
    shift: int

    @property
    def real(self) -> float:
        """The factor that the pair stands for."""
        return float(self.value) * 2.0 ** (self.shift - 31)


def round_half_away(value: float) -> int:
    """Round to the nearest integer, ties away from zero, as C's `round` does."""
    return floor(value + 0.5) if value >= 0 else -floor(-value + 0.5)


def quantize_multiplier(real: float) -> Multiplier:
    """Turn a real factor into a fixed-point multiplier (TFLite `QuantizeMultiplier`).

    Factors below 2**-32 become 0, as in TFLite.
    """
    if real == 0.0:
        return Multiplier(0, 0)
    fraction, shift = frexp(real)
    value = round_half_away(fraction * (1 << 31))
    if value == 1 << 31:
        value //= 2
        shift += 1
    if shift < -31:
        return Multiplier(0, 0)
    return Multiplier(value, shift)


def quantize_multipliers(reals: NDArray[np.float64]) -> tuple[Multiplier, ...]:
    """`quantize_multiplier` of each of many factors."""
    fractions, shifts = np.frexp(reals)
    scaled = fractions * (1 << 31)
    values = np.where(scaled >= 0, np.floor(scaled + 0.5), -np.floor(0.5 - scaled)).astype(np.int64)
    full = values == 1 << 31
    values, shifts = np.where(full, values // 2, values), shifts + full
    small = shifts < -31
    values[small], shifts[small] = 0, 0
    return tuple(map(Multiplier, values.tolist(), shifts.tolist()))


def doubling_high_multiply(accumulator: Any, multiplier: Any) -> Any:
    """Round (a * b) / 2**31 half up: gemmlowp's SaturatingRoundingDoublingHighMul for int32 operands, on arrays or ints.

    The one case that saturates, both operands -2**31, cannot occur with a multiplier from `quantize_multiplier`.
    """
    return (accumulator * multiplier + (1 << 30)) >> 31


def rounding_divide_by_power_of_two(value: Any, exponent: Any) -> Any:
    """Divide by 2**exponent, ties away from zero: gemmlowp's RoundingDivideByPOT, on arrays or ints."""
    mask = (np.int64(1) << exponent) - 1 if isinstance(exponent, np.ndarray) else (1 << exponent) - 1
    threshold = (mask >> 1) + (value < 0)
    return (value >> exponent) + ((value & mask) > threshold)


def wrap_int32(value: Any) -> Any:
    """Reduce to int32 as two's complement arithmetic does."""
    return ((value + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def multiply_by_quantized_multiplier(accumulator: Any, multiplier: Multiplier) -> Any:
    """Scale an int32 accumulator (TFLite `MultiplyByQuantizedMultiplier`, double rounding).

    `accumulator` is an int or an int64 array that holds int32 values; the left shift wraps as int32 does.
    """
    left, right = max(multiplier.shift, 0), max(-multiplier.shift, 0)
    shifted = wrap_int32(accumulator * (1 << left))
    return rounding_divide_by_power_of_two(doubling_high_multiply(shifted, multiplier.value), right)


def requantize(accumulator: Int64, multipliers: tuple[Multiplier, ...]) -> Int64:
    """Scale accumulators [..., channels] with one multiplier for all channels, or one for each."""
    if len(multipliers) == 1:
        scaled: Int64 = multiply_by_quantized_multiplier(accumulator, multipliers[0])
        return scaled
    values = np.array([m.value for m in multipliers], np.int64)
    left = np.array([max(m.shift, 0) for m in multipliers], np.int64)
    right = np.array([max(-m.shift, 0) for m in multipliers], np.int64)
    high = doubling_high_multiply(wrap_int32(accumulator * (np.int64(1) << left)), values)
    result: Int64 = rounding_divide_by_power_of_two(high, right)
    return result


def reduced_multiplier(multiplier: Multiplier) -> int:
    """The multiplier's value in 16 bits, as TFLite scales accumulators of 64 bits with it."""
    return (multiplier.value + (1 << 15)) >> 16 if multiplier.value < 0x7FFF0000 else 0x7FFF


def requantize_wide(accumulator: Int64, multipliers: tuple[Multiplier, ...]) -> Int64:
    """Scale accumulators [..., channels] below 2**47, rounded once, half up (`MultiplyByQuantizedMultiplier` of 64 bits)."""
    values = np.array([reduced_multiplier(m) for m in multipliers], np.int64)
    shifts = np.array([15 - m.shift for m in multipliers], np.int64)
    result: Int64 = (accumulator * values + (np.int64(1) << (shifts - 1))) >> shifts
    return result
