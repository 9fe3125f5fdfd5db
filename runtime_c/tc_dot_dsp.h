/* tc_dot_dsp.h - sums over contiguous vectors with the DSP extension, four or two products at a time. */
#ifndef TC_DOT_DSP_H
#define TC_DOT_DSP_H

#include "tc_dsp.h"
#include "tc_types.h"

/* Adds the products of four int8 with four others. */
static inline int32_t tc_add_products_s8x4(uint32_t even, uint32_t odd, const int8_t *weights, int32_t sum)
{
    const uint32_t word = tc_load_s8x4(weights);
    return tc_smlad(tc_sxtb16_ror8(word), odd, tc_smlad(tc_sxtb16(word), even, sum));
}

/* sums[k] += the sum of x[i] * rows[k * count + i], 0 <= i < count, 0 <= k < 4. */
static inline void tc_dot_4_rows_s8(int32_t *sums, const int8_t *x, const int8_t *rows, int32_t count)
{
    int32_t a = sums[0];
    int32_t b = sums[1];
    int32_t c = sums[2];
    int32_t d = sums[3];
    int32_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const uint32_t word = tc_load_s8x4(x + i);
        const uint32_t even = tc_sxtb16(word);
        const uint32_t odd = tc_sxtb16_ror8(word);
        a = tc_add_products_s8x4(even, odd, rows + i, a);
        b = tc_add_products_s8x4(even, odd, rows + count + i, b);
        c = tc_add_products_s8x4(even, odd, rows + 2 * count + i, c);
        d = tc_add_products_s8x4(even, odd, rows + 3 * count + i, d);
    }
    for (; i < count; ++i) {
        a += x[i] * rows[i];
        b += x[i] * rows[count + i];
        c += x[i] * rows[2 * count + i];
        d += x[i] * rows[3 * count + i];
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

/* sum + the sum of a[i] * b[i], 0 <= i < count; it wraps. */
static inline int32_t tc_add_dot_s8(int32_t sum, const int8_t *a, const int8_t *b, int32_t count)
{
    int32_t i = 0;
    for (; i + 4 <= count; i += 4) {
        const uint32_t word = tc_load_s8x4(a + i);
        sum = tc_add_products_s8x4(tc_sxtb16(word), tc_sxtb16_ror8(word), b + i, sum);
    }
    for (; i < count; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* The same for int16. */
static inline int32_t tc_add_dot_s16(int32_t sum, const int16_t *a, const int16_t *b, int32_t count)
{
    int32_t i = 0;
    for (; i + 2 <= count; i += 2) {
        uint32_t first;
        uint32_t second;
        memcpy(&first, a + i, sizeof first);
        memcpy(&second, b + i, sizeof second);
        sum = tc_smlad(first, second, sum);
    }
    for (; i < count; ++i) {
        sum = (int32_t)((uint32_t)sum + (uint32_t)(a[i] * b[i]));
    }
    return sum;
}

#endif /* TC_DOT_DSP_H */
