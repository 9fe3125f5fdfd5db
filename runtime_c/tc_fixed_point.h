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

#endif /* TC_FIXED_POINT_H */
