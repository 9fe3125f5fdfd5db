"""Fixed-point functions of gemmlowp on int32 raw values, as TFLite's reference kernels use them. Exact integer arithmetic.

A Q(m) number has m integer bits: its value is raw / 2**(31 - m). Arrays are int64 and hold int32 values.
Source: gemmlowp fixedpoint/fixedpoint.h.
"""

import numpy as np

from tinycompile.quant.multiplier import Int64, doubling_high_multiply, rounding_divide_by_power_of_two

ONE = (1 << 31) - 1
"""The Q0 number nearest to one."""

_EXP_MINUS_EIGHTH = 1895147668
_ONE_THIRD = 715827883
_EXP_OF_MINUS_POWERS = (
    (-2, 1672461947), (-1, 1302514674), (0, 790015084), (1, 290630308), (2, 39332535), (3, 720401), (4, 242),
)  # fmt: skip
"""(e, exp(-2**e) in Q0)."""
_48_OVER_17 = 1515870810
"""In Q2."""
_MINUS_32_OVER_17 = -1010580540
"""In Q2."""
_ONE_IN_Q2 = 1 << 29


def saturating_multiply(first: Int64, second: Int64 | int) -> Int64:
    """SaturatingRoundingDoublingHighMul, with the one case that saturates."""
    product: Int64 = np.minimum(doubling_high_multiply(first, second), ONE)
    return product


def saturating_shift_left(value: Int64, exponent: int) -> Int64:
    """Times 2**exponent, limited to int32 (gemmlowp SaturatingRoundingMultiplyByPOT)."""
    shifted: Int64 = np.clip(value << exponent, -(1 << 31), ONE)
    return shifted


def exp_on_negative_values(value: Int64, integer_bits: int) -> Int64:
    """exp of a Q number that is not positive, in Q0. The number of integer bits is at most 5."""
    assert 0 <= integer_bits <= 5, integer_bits
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    from_quarter = (value & (quarter - 1)) - quarter
    result = _exp_between_minus_quarter_and_zero(saturating_shift_left(from_quarter, integer_bits))
    remainder = from_quarter - value
    for exponent, multiplier in _EXP_OF_MINUS_POWERS:
        if integer_bits > exponent:
            bit = 1 << (fraction_bits + exponent)
            result = np.where(remainder & bit, saturating_multiply(result, multiplier), result)
    return np.where(value == 0, ONE, result)


def _exp_between_minus_quarter_and_zero(value: Int64) -> Int64:
    """exp of a Q0 number in -1/4..0: its Taylor polynomial around -1/8."""
    x = value + (1 << 28)
    x2 = saturating_multiply(x, x)
    x3 = saturating_multiply(x2, x)
    x4_over_4 = rounding_divide_by_power_of_two(saturating_multiply(x2, x2), 2)
    higher = rounding_divide_by_power_of_two(saturating_multiply(x4_over_4 + x3, _ONE_THIRD) + x2, 1)
    return np.minimum(_EXP_MINUS_EIGHTH + saturating_multiply(x + higher, _EXP_MINUS_EIGHTH), ONE)


def one_over_one_plus(value: Int64) -> Int64:
    """1 / (1 + x) for a Q0 number in 0..1, in Q0."""
    return saturating_shift_left(_two_over_one_plus(value), 1)


def _two_over_one_plus(value: Int64) -> Int64:
    """2 / (1 + x) for a Q0 number in 0..1, in Q2: three Newton steps from 48/17 - 32/17 (1 + x) / 2."""
    half_denominator = (value + ONE + 1) >> 1
    result = _48_OVER_17 + saturating_multiply(half_denominator, _MINUS_32_OVER_17)
    for _ in range(3):
        rest = _ONE_IN_Q2 - saturating_multiply(half_denominator, result)
        result = result + saturating_shift_left(saturating_multiply(result, rest), 2)
    return result


def logistic(value: Int64, integer_bits: int) -> Int64:
    """1 / (1 + exp(-x)) of a Q number with at most 5 integer bits, in Q0."""
    positive = one_over_one_plus(exp_on_negative_values(-np.abs(value), integer_bits))
    return np.where(value == 0, 1 << 30, np.where(value > 0, positive, ONE - positive))


def tanh(value: Int64, integer_bits: int) -> Int64:
    """tanh of a Q number with at most 4 integer bits, in Q0: 2 / (1 + e) - 1 with e = exp(-2 |x|)."""
    exponential = exp_on_negative_values(
        -np.abs(value), integer_bits + 1
    )  # twice the value: one integer bit more
    return np.sign(value) * saturating_shift_left(_two_over_one_plus(exponential) - _ONE_IN_Q2, 2)


def reciprocal(value: int, integer_bits: int) -> tuple[int, int]:
    """1 / x of a Q number that is at least one, as (scale in Q0, n): scale / 2**n (TFLite GetReciprocal)."""
    leading_zeros = 32 - value.bit_length()
    rest = ((value << leading_zeros) & 0xFFFFFFFF) - (1 << 31)
    return int(one_over_one_plus(np.array(rest, np.int64))), integer_bits - leading_zeros
