/* tc_requantize.h - scaling of accumulators to integers, exact with TFLite's reference kernels (double rounding). */
#ifndef TC_REQUANTIZE_H
#define TC_REQUANTIZE_H

#include "tc_types.h"

/* value limited to low..high. */
static inline int32_t tc_clamp(int32_t value, int32_t low, int32_t high)
{
    const int32_t least = value < low ? low : value;
    return least > high ? high : least;
}

/* value * 2**exponent as two's complement arithmetic does it, 0 <= exponent <= 31. */
static inline int32_t tc_shift_left(int32_t value, int32_t exponent)
{
    return (int32_t)((uint32_t)value << exponent);
}

/* a * b / 2**31, rounded half up (gemmlowp SaturatingRoundingDoublingHighMul; a and b are not both -2**31). */
static inline int32_t tc_doubling_high_multiply(int32_t a, int32_t b)
{
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

/* value / 2**exponent, rounded to nearest with ties away from zero (gemmlowp RoundingDivideByPOT), 0 <= exponent <= 31. */
static inline int32_t tc_rounding_divide(int32_t value, int32_t exponent)
{
    const int32_t mask = (int32_t)(((uint32_t)1 << exponent) - 1u);
    const int32_t threshold = (int32_t)((uint32_t)mask >> 1) + (value < 0 ? 1 : 0);
    return (value >> exponent) + ((value & mask) > threshold ? 1 : 0);
}

/* value * multiplier * 2**(shift - 31); multiplier is 0 or in 2**30 .. 2**31 - 1, -31 <= shift <= 30
 * (TFLite MultiplyByQuantizedMultiplier). */
static inline int32_t tc_requantize(int32_t value, int32_t multiplier, int32_t shift)
{
    const int32_t left = shift > 0 ? shift : 0;
    const int32_t right = shift > 0 ? 0 : -shift;
    return tc_rounding_divide(tc_doubling_high_multiply(tc_shift_left(value, left), multiplier), right);
}

/* value * multiplier * 2**(shift - 15), rounded once, half up; multiplier is that of tc_requantize in 16 bits, shift <= 7, and
 * |value| < 2**47 (TFLite MultiplyByQuantizedMultiplier of 64 bits, for int16 activations). */
static inline int32_t tc_requantize_s64(int64_t value, int32_t multiplier, int32_t shift)
{
    const int32_t right = 15 - shift;
    return (int32_t)((value * multiplier + ((int64_t)1 << (right - 1))) >> right);
}

#endif /* TC_REQUANTIZE_H */
