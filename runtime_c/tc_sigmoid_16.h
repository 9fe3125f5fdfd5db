/* tc_sigmoid_16.h - sigmoid and hyperbolic tangent of int16 from a table with interpolation, as TFLite's kernels for int16 compute them.
 * The table has 256 values of 65536 * sigmoid(i / 24). */
#ifndef TC_SIGMOID_16_H
#define TC_SIGMOID_16_H

#include "tc_types.h"

/* The sigmoid of |scaled| / (24 * 2**bits) with 16 + bits fractional bits, `most` beyond the table. */
static inline int32_t tc_sigmoid_between(int32_t scaled, const uint16_t *sigmoid, int32_t bits, int32_t most)
{
    const int32_t magnitude = scaled < 0 ? -scaled : scaled;
    const int32_t index = magnitude >> bits;
    if (index >= 255) {
        return most;
    }
    const int32_t here = sigmoid[index];
    return (here << bits) + (magnitude & ((1 << bits) - 1)) * (sigmoid[index + 1] - here);
}

/* The sigmoid of scaled / (24 * 512), with 15 fractional bits. */
static inline int16_t tc_sigmoid_16(int32_t scaled, const uint16_t *sigmoid)
{
    const int32_t value = tc_sigmoid_between(scaled, sigmoid, 9, 0x7FFF << 10);
    return (int16_t)((scaled >= 0 ? value + 512 : (1 << 25) - value + 511) >> 10);
}

/* The hyperbolic tangent of scaled / (24 * 512), with 15 fractional bits. */
static inline int16_t tc_tanh_by_sigmoid_16(int32_t scaled, const uint16_t *sigmoid)
{
    const int32_t value = tc_sigmoid_between(scaled, sigmoid, 8, 0xFFFF << 8) - (1 << 23);
    return (int16_t)((scaled >= 0 ? value + 128 : 127 - value) >> 8);
}

#endif /* TC_SIGMOID_16_H */
