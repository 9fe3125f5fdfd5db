/* tc_fixed_point_16.h - fixed-point functions on int16, exact with gemmlowp as TFLite's integer LSTM uses it.
 * A number with m integer bits has 15 - m fractional ones; values are held in int32. */
#ifndef TC_FIXED_POINT_16_H
#define TC_FIXED_POINT_16_H

#include "tc_requantize.h"
#include "tc_types.h"

/* a * b / 2**15, rounded half up, limited to int16. */
static inline int32_t tc_multiply_16(int32_t a, int32_t b)
{
    const int32_t product = (a * b + (1 << 14)) >> 15;
    return product > INT16_MAX ? INT16_MAX : product;
}

/* value * 2**exponent limited to int16, 0 <= exponent <= 7. */
static inline int32_t tc_saturating_shift_left_16(int32_t value, int32_t exponent)
{
    return tc_clamp(value * (1 << exponent), INT16_MIN, INT16_MAX);
}

/* e**value of a number that is not positive, with 15 fractional bits; integer_bits <= 7. */
static inline int32_t tc_exp_16(int32_t value, int32_t integer_bits)
{
    static const int16_t powers[7] = {25520, 19875, 12055, 4435,
                                      600,   11,    0}; /* e**-(2**-2), e**-(2**-1), ... */
    const int32_t fraction_bits = 15 - integer_bits;
    const int32_t quarter = 1 << (fraction_bits - 2);
    const int32_t rest = (value & (quarter - 1)) - quarter;
    const int32_t x = tc_saturating_shift_left_16(rest, integer_bits) + (1 << 12);
    const int32_t x2 = tc_multiply_16(x, x);
    const int32_t x3 = tc_multiply_16(x2, x);
    const int32_t x4_over_4 = tc_rounding_divide(tc_multiply_16(x2, x2), 2);
    const int32_t higher = tc_rounding_divide(tc_multiply_16(x4_over_4 + x3, 10923) + x2, 1);
    int32_t result = 28918 + tc_multiply_16(x + higher, 28918);
    result = result > INT16_MAX ? INT16_MAX : result;
    const int32_t steps = rest - value;
    for (int32_t k = 0; k < integer_bits + 2 && k < 7; ++k) {
        if ((steps & (quarter << k)) != 0) {
            result = tc_multiply_16(result, powers[k]);
        }
    }
    if (integer_bits > 5 && value < -(1 << (fraction_bits + 5))) {
        result = 0;
    }
    return value == 0 ? INT16_MAX : result;
}

/* 2 / (1 + value) of a number in 0..1 with 15 fractional bits; the result has 2 integer bits. */
static inline int32_t tc_two_over_one_plus_16(int32_t value)
{
    const int32_t half_denominator = (value + INT16_MAX + 1) >> 1;
    int32_t result = 23130 + tc_multiply_16(half_denominator, -15420);
    for (int32_t i = 0; i < 3; ++i) {
        const int32_t rest = (1 << 13) - tc_multiply_16(half_denominator, result);
        result += tc_saturating_shift_left_16(tc_multiply_16(result, rest), 2);
    }
    return result;
}

/* 1 / (1 + e**-value) of a number with 3 integer bits, with 15 fractional bits. */
static inline int32_t tc_logistic_16(int32_t value)
{
    const int32_t exponential = tc_exp_16(value > 0 ? -value : value, 3);
    const int32_t positive = tc_saturating_shift_left_16(tc_two_over_one_plus_16(exponential), 1);
    return value == 0 ? 1 << 14 : value > 0 ? positive : INT16_MAX - positive;
}

/* Hyperbolic tangent of a number with integer_bits <= 6, with 15 fractional bits. */
static inline int32_t tc_tanh_16(int32_t value, int32_t integer_bits)
{
    const int32_t exponential = tc_exp_16(value > 0 ? -value : value, integer_bits + 1);
    const int32_t positive = tc_saturating_shift_left_16(tc_two_over_one_plus_16(exponential) - (1 << 13), 2);
    return value == 0 ? 0 : value > 0 ? positive : -positive;
}

#endif /* TC_FIXED_POINT_16_H */
