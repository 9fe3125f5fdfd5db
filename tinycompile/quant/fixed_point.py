"""Fixed-point functions of gemmlowp on raw values of int32 or int16, as TFLite's reference kernels use them. Exact arithmetic.

A Q(m) number of `bits` bits has m integer bits: its value is raw / 2**(bits - 1 - m). Arrays are int64 and hold values of the
type. Source: gemmlowp fixedpoint/fixedpoint.h.
"""

import numpy as np

from tinycompile.quant.multiplier import Int64, rounding_divide_by_power_of_two

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
_THREE_HALVES_IN_Q3 = (1 << 28) + (1 << 27)
_SQRT_HALF = 1518500250
_SQRT_SQRT_HALF = 1805811301
_LOG_2 = 1488522236
_LOG_N, _LOG_D, _LOG_I, _LOG_F = 117049297, 127690142, 1057819769, 638450708
"""Coefficients of the logarithm near one: of numerator and denominator."""


def saturating_multiply(first: Int64, second: Int64 | int, bits: int = 32) -> Int64:
    """SaturatingRoundingDoublingHighMul, with the one case that saturates."""
    product: Int64 = (first * second + (1 << (bits - 2))) >> (bits - 1)
    return np.minimum(product, _one(bits))


def saturating_shift_left(value: Int64, exponent: int, bits: int = 32) -> Int64:
    """Times 2**exponent, limited to the type (gemmlowp SaturatingRoundingMultiplyByPOT)."""
    shifted: Int64 = np.clip(value << exponent, -(1 << (bits - 1)), _one(bits))
    return shifted


def exp_on_negative_values(value: Int64, integer_bits: int, bits: int = 32) -> Int64:
    """exp of a Q number that is not positive, in Q0. The number of integer bits is at most 7."""
    assert 0 <= integer_bits <= 7, integer_bits
    fraction_bits = bits - 1 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    from_quarter = (value & (quarter - 1)) - quarter
    result = _exp_between_minus_quarter_and_zero(
        saturating_shift_left(from_quarter, integer_bits, bits), bits
    )
    remainder = from_quarter - value
    for exponent, multiplier in _EXP_OF_MINUS_POWERS:
        if integer_bits > exponent:
            bit = 1 << (fraction_bits + exponent)
            smaller = saturating_multiply(result, _constant(multiplier, bits), bits)
            result = np.where(remainder & bit, smaller, result)
    if integer_bits > 5:
        result = np.where(value < -(1 << (fraction_bits + 5)), 0, result)
    return np.where(value == 0, _one(bits), result)


def _exp_between_minus_quarter_and_zero(value: Int64, bits: int) -> Int64:
    """exp of a Q0 number in -1/4..0: its Taylor polynomial around -1/8."""
    x = value + (1 << (bits - 4))
    x2 = saturating_multiply(x, x, bits)
    x3 = saturating_multiply(x2, x, bits)
    x4_over_4 = rounding_divide_by_power_of_two(saturating_multiply(x2, x2, bits), 2)
    third = saturating_multiply(x4_over_4 + x3, _constant(_ONE_THIRD, bits), bits)
    higher = rounding_divide_by_power_of_two(third + x2, 1)
    constant = _constant(_EXP_MINUS_EIGHTH, bits)
    return np.minimum(constant + saturating_multiply(x + higher, constant, bits), _one(bits))


def one_over_one_plus(value: Int64, bits: int = 32) -> Int64:
    """1 / (1 + x) for a Q0 number in 0..1, in Q0."""
    return saturating_shift_left(_two_over_one_plus(value, bits), 1, bits)


def _two_over_one_plus(value: Int64, bits: int) -> Int64:
    """2 / (1 + x) for a Q0 number in 0..1, in Q2: three Newton steps from 48/17 - 32/17 (1 + x) / 2."""
    half_denominator = (value + _one(bits) + 1) >> 1
    slope = saturating_multiply(half_denominator, _constant(_MINUS_32_OVER_17, bits), bits)
    result = _constant(_48_OVER_17, bits) + slope
    for _ in range(3):
        rest = (1 << (bits - 3)) - saturating_multiply(half_denominator, result, bits)
        result = result + saturating_shift_left(saturating_multiply(result, rest, bits), 2, bits)
    return result


def logistic(value: Int64, integer_bits: int, bits: int = 32) -> Int64:
    """1 / (1 + exp(-x)) of a Q number, in Q0."""
    positive = one_over_one_plus(exp_on_negative_values(-np.abs(value), integer_bits, bits), bits)
    signed = np.where(value > 0, positive, _one(bits) - positive)
    return np.where(value == 0, 1 << (bits - 2), signed)


def tanh(value: Int64, integer_bits: int, bits: int = 32) -> Int64:
    """tanh of a Q number with at most 6 integer bits, in Q0: 2 / (1 + e) - 1 with e = exp(-2 |x|)."""
    # twice the value: one integer bit more
    exponential = exp_on_negative_values(-np.abs(value), integer_bits + 1, bits)
    rest = _two_over_one_plus(exponential, bits) - (1 << (bits - 3))
    return np.sign(value) * saturating_shift_left(rest, 2, bits)


def _one(bits: int) -> int:
    """The Q0 number nearest to one."""
    return (1 << (bits - 1)) - 1


def _constant(value: int, bits: int) -> int:
    """A constant that is given with 32 bits."""
    return int(rounding_divide_by_power_of_two(value, 32 - bits))


def reciprocal(value: int, integer_bits: int) -> tuple[int, int]:
    """1 / x of a Q number that is at least one, as (scale in Q0, n): scale / 2**n (TFLite GetReciprocal)."""
    leading_zeros = 32 - value.bit_length()
    rest = ((value << leading_zeros) & 0xFFFFFFFF) - (1 << 31)
    return int(one_over_one_plus(np.array(rest, np.int64))), integer_bits - leading_zeros


def inverse_square_root(value: int) -> tuple[int, int]:
    """1 / sqrt(x) of an integer, as (multiplier, shift) of a fixed-point factor (TFLite GetInvSqrtQuantizedMultiplierExp).

    0 counts as 1. Five Newton steps in Q3 from an estimate of 1.
    """
    if value <= 1:
        return ONE, 0
    right = 11
    while value >= 1 << 29:
        value //= 4
        right += 1
    pairs = (31 - value.bit_length()) // 2 - 1
    right -= pairs
    value <<= 2 * pairs
    half = int(rounding_divide_by_power_of_two(value >> 1, 1))
    x = 1 << 28
    for _ in range(5):
        cube = _int_shift(_multiply(_multiply(x, x), x), 6)
        x = _int_shift(_multiply(_THREE_HALVES_IN_Q3, x) - _multiply(half, cube), 3)
    multiplier = _multiply(x, _SQRT_HALF)
    return (multiplier << -right, 0) if right < 0 else (multiplier, -right)


def log_of_at_least_one(value: int) -> int:
    """Natural logarithm of a Q12 number that is at least one, in Q5 (TFLite log_x_for_x_greater_than_or_equal_to_1).

    The value is brought to r around sqrt(sqrt(1/2)) by a power of two that is a multiple of 1/2; log(r) is a quotient of
    polynomials.
    """
    left_a = 31 - value.bit_length()
    r_a = _int_shift(_multiply(value << left_a, _SQRT_HALF), 1)
    z_b = _multiply(value, _SQRT_HALF)
    left_b = 31 - z_b.bit_length()
    r = min(r_a, _int_shift(value, left_b))
    exponent = max(((11 - left_a) << 25) + (1 << 23), ((12 - left_b) << 25) - (1 << 23))
    p = (r + _SQRT_SQRT_HALF + 1) >> 1
    q = 2 * (r - _SQRT_SQRT_HALF)
    square = _multiply(q, q)
    numerator = _multiply(q, r) + _multiply(_multiply(q, square), _LOG_N)
    rest = _multiply(p, _LOG_I + q + _multiply(_LOG_D, square)) + _multiply(_LOG_F, q)
    inverse = int(one_over_one_plus(np.array(rest, np.int64)))
    scaled = int(rounding_divide_by_power_of_two(numerator, 6))
    return _int_shift(_multiply(exponent, _LOG_2) + _multiply(scaled, inverse), 1)


def _multiply(first: int, second: int) -> int:
    return int(saturating_multiply(np.array(first, np.int64), second))


def _int_shift(value: int, exponent: int) -> int:
    return int(saturating_shift_left(np.array(value, np.int64), exponent))
