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

/* The bits of a float, and back. */
static inline uint32_t tc_float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float tc_bits_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The square root: three Newton steps from an estimate by halving the exponent, for the value scaled to 1..4. */
static inline float tc_sqrt(float value)
{
    if (!(value > 0.0f)) {
        return value == 0.0f ? value : (value - value) / (value - value);
    }
    const uint32_t bits = tc_float_bits(value);
    if (bits >= 0x7f800000u) {
        return value;
    }
    if (bits < 0x00800000u) {
        return tc_sqrt(value * 16777216.0f) * (1.0f / 4096.0f);
    }
    float root = tc_bits_float((bits >> 1) + 0x1fc00000u);
    for (int32_t i = 0; i < 3; ++i) {
        root = 0.5f * (root + value / root);
    }
    return root;
}

/* The natural logarithm: that of the exponent, and of the mantissa by the series of atanh. */
static inline float tc_log(float value)
{
    if (!(value > 0.0f)) {
        const float infinity = (float)1e38 * (float)1e38;
        return value == 0.0f ? -infinity : infinity - infinity;
    }
    uint32_t bits = tc_float_bits(value);
    if (bits >= 0x7f800000u) {
        return value;
    }
    int32_t exponent = 0;
    if (bits < 0x00800000u) {
        bits = tc_float_bits(value * 16777216.0f);
        exponent = -24;
    }
    exponent += (int32_t)(bits >> 23) - 127;
    float mantissa = tc_bits_float((bits & 0x007fffffu) | 0x3f800000u);
    if (mantissa > 1.41421356f) {
        mantissa *= 0.5f;
        exponent += 1;
    }
    const float t = (mantissa - 1.0f) / (mantissa + 1.0f);
    const float square = t * t;
    float sum = 1.0f / 9.0f;
    sum = sum * square + 1.0f / 7.0f;
    sum = sum * square + 1.0f / 5.0f;
    sum = sum * square + 1.0f / 3.0f;
    return (float)exponent * 0.69314718f + 2.0f * (t + t * square * sum);
}

/* The greatest integer that is not greater. */
static inline float tc_floor(float value)
{
    if (!(value > -8388608.0f && value < 8388608.0f)) {
        return value;
    }
    const float whole = (float)(int32_t)value;
    const float floor = whole > value ? whole - 1.0f : whole;
    return floor == 0.0f ? value * 0.0f : floor;
}

/* The nearest integer, ties to even. */
static inline float tc_round_even(float value)
{
    const float floor = tc_floor(value);
    const float rest = value - floor;
    if (rest != 0.5f) {
        return rest > 0.5f ? floor + 1.0f : floor;
    }
    return floor - 2.0f * tc_floor(floor * 0.5f) == 0.0f ? floor : floor + 1.0f;
}

/* sin(value + quarters * pi / 2); the value is reduced by multiples of pi / 2, which is held in three parts. */
static inline float tc_sin_quarter(float value, int32_t quarters)
{
    if (!(value > -1e5f && value < 1e5f)) {
        return value - value; /* beyond float32's reach of the period */
    }
    const int32_t n = (int32_t)(value * 0.63661977f + (value < 0.0f ? -0.5f : 0.5f));
    const float r = ((value - (float)n * 1.5703125f) - (float)n * 4.8351288e-4f) - (float)n * 3.1385571e-7f;
    const float square = r * r;
    const int32_t quadrant = (n + quarters) & 3;
    float result;
    if ((quadrant & 1) != 0) {
        result = 1.0f - 0.5f * square +
                 square * square * (1.0f / 24.0f - square * (1.0f / 720.0f - square / 40320.0f));
    } else {
        result =
            r - r * square *
                    (1.0f / 6.0f - square * (1.0f / 120.0f - square * (1.0f / 5040.0f - square / 362880.0f)));
    }
    return quadrant >= 2 ? -result : result;
}

/* Sine and cosine, for values below 1e5. */
static inline float tc_sin(float value)
{
    return tc_sin_quarter(value, 0);
}

static inline float tc_cos(float value)
{
    return tc_sin_quarter(value, 1);
}

/* Integer division towards zero, and towards minus infinity with its remainder; a divisor of 0 gives 0. */
static inline int64_t tc_divide(int64_t a, int64_t b)
{
    return b == 0 ? 0 : b == -1 ? (int64_t)(0u - (uint64_t)a) : a / b;
}

static inline int64_t tc_floor_divide(int64_t a, int64_t b)
{
    const int64_t quotient = tc_divide(a, b);
    return b != 0 && b != -1 && a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

static inline int64_t tc_floor_remainder(int64_t a, int64_t b)
{
    if (b == 0 || b == -1) {
        return 0;
    }
    const int64_t rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

/* What is left of a / b after its greatest integer; it has the sign of b. The remainder is taken off in steps of b times a power of
 * two, each of which is exact. */
static inline float tc_floor_remainder_float(float a, float b)
{
    float divisor = b < 0.0f ? -b : b;
    float rest = a < 0.0f ? -a : a;
    if (!(divisor > 0.0f) || !(rest <= 3.402823466e+38f)) {
        return (a - a) / (b - b);
    }
    if (divisor <= 3.402823466e+38f && rest >= divisor) {
        float step = divisor;
        while (step <= rest * 0.5f) {
            step *= 2.0f;
        }
        for (; step >= divisor; step *= 0.5f) {
            rest = rest >= step ? rest - step : rest;
        }
    }
    rest = a < 0.0f ? -rest : rest;
    return rest != 0.0f && (rest < 0.0f) != (b < 0.0f) ? rest + b : rest;
}

#endif /* TC_MATH_H */
