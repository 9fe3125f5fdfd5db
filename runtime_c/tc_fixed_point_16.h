/* tc_fixed_point_16.h - fixed-point functions on int16, exact with gemmlowp as TFLite's integer LSTM uses it.
 * A number with m integer bits has 15 - m fractional ones; values are held in int32. integer_bits should be a constant. */
#ifndef TC_FIXED_POINT_16_H
#define TC_FIXED_POINT_16_H

#include "tc_requantize.h"
#include "tc_types.h"

/* a * b / 2**15, rounded half up; a and b are not both -2**15. */
static inline int32_t tc_multiply_16(int32_t a, int32_t b)
{
    return (a * b + (1 << 14)) >> 15;
}

/* result * e**-(2**k), which `power` is, where bit `bit` of `steps` is set. */
static inline int32_t tc_exp_step_16(int32_t result, int32_t steps, int32_t bit, int32_t power)
{
    const int32_t smaller = tc_multiply_16(result, power);
    return (steps & (1 << bit)) != 0 ? smaller : result;
}

/* e**value of a number that is not positive, with 15 fractional bits; integer_bits <= 7. */
static inline int32_t tc_exp_16(int32_t value, int32_t integer_bits)
{
    const int32_t fraction_bits = 15 - integer_bits;
    const int32_t quarter = 1 << (fraction_bits - 2);
    const int32_t rest = (value & (quarter - 1)) - quarter;
    const int32_t x = rest * (1 << integer_bits) + (1 << 12);
    const int32_t x2 = tc_multiply_16(x, x);
    const int32_t x3 = tc_multiply_16(x2, x);
    const int32_t x4_over_4 = (tc_multiply_16(x2, x2) + 2) >> 2;
    const int32_t higher = tc_rounding_divide(tc_multiply_16(x4_over_4 + x3, 10923) + x2, 1);
    const int32_t steps = rest - value;
    int32_t result = 28918 + tc_multiply_16(x + higher, 28918);
    result = result > INT16_MAX ? INT16_MAX : result;
    result = tc_exp_step_16(result, steps, fraction_bits - 2, 25520);
    result = tc_exp_step_16(result, steps, fraction_bits - 1, 19875);
    result = integer_bits > 0 ? tc_exp_step_16(result, steps, fraction_bits, 12055) : result;
    result = integer_bits > 1 ? tc_exp_step_16(result, steps, fraction_bits + 1, 4435) : result;
    result = integer_bits > 2 ? tc_exp_step_16(result, steps, fraction_bits + 2, 600) : result;
    result = integer_bits > 3 ? tc_exp_step_16(result, steps, fraction_bits + 3, 11) : result;
    result = integer_bits > 4 ? tc_exp_step_16(result, steps, fraction_bits + 4, 0) : result;
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
    result += 4 * tc_multiply_16(result, (1 << 13) - tc_multiply_16(half_denominator, result));
    result += 4 * tc_multiply_16(result, (1 << 13) - tc_multiply_16(half_denominator, result));
    result += 4 * tc_multiply_16(result, (1 << 13) - tc_multiply_16(half_denominator, result));
    return result;
}

/* 1 / (1 + e**-value) of a number with 3 integer bits, with 15 fractional bits. */
static inline int32_t tc_logistic_16(int32_t value)
{
    const int32_t quotient = 2 * tc_two_over_one_plus_16(tc_exp_16(value > 0 ? -value : value, 3));
    const int32_t positive = quotient > INT16_MAX ? INT16_MAX : quotient;
    return value == 0 ? 1 << 14 : value > 0 ? positive : INT16_MAX - positive;
}

/* Hyperbolic tangent of a number with integer_bits <= 6, with 15 fractional bits. */
static inline int32_t tc_tanh_16(int32_t value, int32_t integer_bits)
{
    const int32_t exponential = tc_exp_16(value > 0 ? -value : value, integer_bits + 1);
    const int32_t quotient = 4 * (tc_two_over_one_plus_16(exponential) - (1 << 13));
    const int32_t positive = quotient > INT16_MAX ? INT16_MAX : quotient;
    return value == 0 ? 0 : value > 0 ? positive : -positive;
}

#endif /* TC_FIXED_POINT_16_H */
