/* tc_fixed_point.h - fixed-point functions on int32, exact with gemmlowp as TFLite's reference kernels use it. */
#ifndef TC_FIXED_POINT_H
#define TC_FIXED_POINT_H

#include "tc_requantize.h"
#include "tc_types.h"

/* Number of zero bits above the highest one, value > 0. */
static inline int32_t tc_leading_zeros(uint32_t value)
{
#if defined(__GNUC__)
    return __builtin_clz(value);
#else
    int32_t zeros = 0;
    for (; (value & 0x80000000u) == 0u; value <<= 1) {
        ++zeros;
    }
    return zeros;
#endif
}

/* value * 2**exponent limited to int32. */
static inline int32_t tc_saturating_shift_left(int32_t value, int32_t exponent)
{
    const int64_t shifted = (int64_t)value * ((int64_t)1 << exponent);
    return shifted > INT32_MAX ? INT32_MAX : shifted < INT32_MIN ? INT32_MIN : (int32_t)shifted;
}

/* 1 / (1 + value) of a number in 0..1, both with 31 fractional bits: three Newton steps (gemmlowp one_over_one_plus_x_for_x_in_0_1). */
static inline int32_t tc_one_over_one_plus(int32_t value)
{
    const int32_t half_denominator = (int32_t)(((int64_t)value + INT32_MAX + 1) >> 1);
    int32_t result = 1515870810 + tc_doubling_high_multiply(half_denominator, -1010580540);
    for (int32_t i = 0; i < 3; ++i) {
        const int32_t rest = ((int32_t)1 << 29) - tc_doubling_high_multiply(half_denominator, result);
        result += tc_saturating_shift_left(tc_doubling_high_multiply(result, rest), 2);
    }
    return tc_saturating_shift_left(result, 1);
}

/* 1 / sqrt(value) as multiplier and shift of tc_requantize; 0 counts as 1 (TFLite GetInvSqrtQuantizedMultiplierExp). */
static inline void tc_inverse_square_root(int32_t value, int32_t *multiplier, int32_t *shift)
{
    *multiplier = INT32_MAX;
    *shift = 0;
    if (value <= 1) {
        return;
    }
    int32_t right = 11;
    while (value >= ((int32_t)1 << 29)) {
        value /= 4;
        ++right;
    }
    const int32_t pairs = (tc_leading_zeros((uint32_t)value) - 1) / 2 - 1;
    right -= pairs;
    value = (int32_t)((uint32_t)value << (2 * pairs));
    const int32_t half = tc_rounding_divide(value >> 1, 1);
    int32_t x = (int32_t)1 << 28; /* 3 integer bits */
    for (int32_t i = 0; i < 5; ++i) {
        const int32_t square = tc_doubling_high_multiply(x, x);
        const int32_t cube = tc_saturating_shift_left(tc_doubling_high_multiply(square, x), 6);
        const int32_t step = tc_doubling_high_multiply(402653184, x) - tc_doubling_high_multiply(half, cube);
        x = tc_saturating_shift_left(step, 3);
    }
    const int32_t root = tc_doubling_high_multiply(x, 1518500250);
    *multiplier = right < 0 ? (int32_t)((uint32_t)root << -right) : root;
    *shift = right < 0 ? 0 : -right;
}

/* Natural logarithm of a number with 12 integer bits that is at least one; the result has 5 integer bits
 * (TFLite log_x_for_x_greater_than_or_equal_to_1). */
static inline int32_t tc_log_of_at_least_one(int32_t value)
{
    const int32_t sqrt_half = 1518500250;
    const int32_t sqrt_sqrt_half = 1805811301;
    const int32_t left_a = tc_leading_zeros((uint32_t)value) - 1;
    const int32_t r_a =
        tc_saturating_shift_left(tc_doubling_high_multiply(tc_shift_left(value, left_a), sqrt_half), 1);
    const int32_t left_b = tc_leading_zeros((uint32_t)tc_doubling_high_multiply(value, sqrt_half)) - 1;
    const int32_t r_b = tc_saturating_shift_left(value, left_b);
    const int32_t r = r_a < r_b ? r_a : r_b;
    const int32_t exponent_a = (11 - left_a) * (1 << 25) + (1 << 23);
    const int32_t exponent_b = (12 - left_b) * (1 << 25) - (1 << 23);
    const int32_t exponent = exponent_a > exponent_b ? exponent_a : exponent_b;
    const int32_t p = (int32_t)(((int64_t)r + sqrt_sqrt_half + 1) >> 1);
    const int32_t q = 2 * (r - sqrt_sqrt_half);
    const int32_t square = tc_doubling_high_multiply(q, q);
    const int32_t numerator = tc_doubling_high_multiply(q, r) +
                              tc_doubling_high_multiply(tc_doubling_high_multiply(q, square), 117049297);
    const int32_t factor = 1057819769 + q + tc_doubling_high_multiply(127690142, square);
    const int32_t rest = tc_doubling_high_multiply(p, factor) + tc_doubling_high_multiply(638450708, q);
    const int32_t quotient =
        tc_doubling_high_multiply(tc_rounding_divide(numerator, 6), tc_one_over_one_plus(rest));
    return tc_saturating_shift_left(tc_doubling_high_multiply(exponent, 1488522236) + quotient, 1);
}

#endif /* TC_FIXED_POINT_H */
