/* tc_math.h - elementary functions of float32 without a C library; results are within 2 units in the last place. */
#ifndef TC_MATH_H
#define TC_MATH_H

#include "tc_types.h"

/* The nearest integer, ties away from zero, limited to low..high; NaN gives low. */
static inline int32_t tc_round_clamp(float value, int32_t low, int32_t high)
{
    if (!(value > (float)low)) {
        return low;
    }
    if (value >= (float)high) {
        return high;
    }
    const int32_t whole = (int32_t)value;
    const float rest = value - (float)whole;
    return whole + (rest >= 0.5f ? 1 : 0) - (rest <= -0.5f ? 1 : 0);
}

/* 2**exponent, -126 <= exponent <= 127. */
static inline float tc_power_of_two(int32_t exponent)
{
    const uint32_t bits = (uint32_t)(exponent + 127) << 23;
    float result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

/* e**value: 2**n * e**r with |r| <= ln(2) / 2, and a polynomial of degree 6 in r. */
static inline float tc_exp(float value)
{
    if (value > 88.72283f) {
        return (float)1e38 * (float)1e38;
    }
    if (!(value > -103.97f)) {
        return value != value ? value : 0.0f;
    }
    const float scaled = value * 1.44269504f;
    const int32_t n = (int32_t)(scaled < 0.0f ? scaled - 0.5f : scaled + 0.5f);
    const float r = (value - (float)n * 0.693359375f) + (float)n * 2.12194440e-4f;
    float p = 1.0f / 720.0f;
    p = p * r + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
    p = p * r + 0.5f;
    p = p * r * r + r + 1.0f;
    const int32_t half = n / 2; /* in two steps, for results near the ends of the exponent */
    return p * tc_power_of_two(half) * tc_power_of_two(n - half);
}

/* e**value - 1, exact near 0 too. */
static inline float tc_expm1(float value)
{
    if (value > 0.35f || value < -0.35f) {
        return tc_exp(value) - 1.0f;
    }
    float p = 1.0f / 5040.0f;
    p = p * value + 1.0f / 720.0f;
    p = p * value + 1.0f / 120.0f;
    p = p * value + 1.0f / 24.0f;
    p = p * value + 1.0f / 6.0f;
    p = p * value + 0.5f;
    return p * value * value + value;
}

/* 1 / (1 + e**-value); below -9 it is e**value, as in TFLite's reference (up to 1.2e-4 more, relative). */
static inline float tc_logistic(float value)
{
    if (value < -9.0f) {
        return tc_exp(value);
    }
    return 1.0f / (1.0f + tc_exp(-value));
}

/* Hyperbolic tangent: 1 - 2 / (e**2x + 1) written with e**2x - 1, which is exact near 0. */
static inline float tc_tanh(float value)
{
    if (value > 10.0f) {
        return 1.0f;
    }
    if (value < -10.0f) {
        return -1.0f;
    }
    const float e = tc_expm1(2.0f * value);
    return e / (e + 2.0f);
}

/* 1 - erf(value) for value >= 0: a continued fraction far from 0, the series of erf near it. */
static inline float tc_erfc_positive(float value)
{
    const float square = value * value;
    if (value > 2.0f) {
        float rest = value;
        for (int32_t k = 24; k > 0; --k) {
            rest = value + 0.5f * (float)k / rest;
        }
        return tc_exp(-square) * 0.56418958f / rest;
    }
    float term = value;
    float sum = value;
    for (int32_t k = 1; k < 24; ++k) {
        term *= -square / (float)k;
        sum += term / (float)(2 * k + 1);
    }
    return 1.0f - 1.12837917f * sum;
}

/* The error function. */
static inline float tc_erf(float value)
{
    return value < 0.0f ? tc_erfc_positive(-value) - 1.0f : 1.0f - tc_erfc_positive(value);
}

#endif /* TC_MATH_H */
