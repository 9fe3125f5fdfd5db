/* tc_dot.h - sums over contiguous vectors of integers, written so that compilers vectorise them. */
#ifndef TC_DOT_H
#define TC_DOT_H

#include "tc_types.h"

/* A function with the sum of a[i] * b[i], 0 <= i < count. */
#define TC_DOT(name, type_a, type_b)                                                                                   \
    static inline int32_t name(const type_a *a, const type_b *b, int32_t count)                                        \
    {                                                                                                                  \
        int32_t sum = 0;                                                                                               \
        for (int32_t i = 0; i < count; ++i) {                                                                          \
            sum += a[i] * b[i];                                                                                        \
        }                                                                                                              \
        return sum;                                                                                                    \
    }

TC_DOT(tc_dot_s8, int8_t, int8_t)
TC_DOT(tc_dot_u8_s8, uint8_t, int8_t)
TC_DOT(tc_dot_u8_s16, uint8_t, int16_t)

/* Sum of a[i] * b[i], 0 <= i < count, in runs that fit 32 bits: a product is at most 2**22. */
static inline int64_t tc_dot_s16_s8(const int16_t *a, const int8_t *b, int32_t count)
{
    int64_t total = 0;
    while (count > 0) {
        const int32_t run = count < 511 ? count : 511;
        int32_t sum = 0;
        for (int32_t i = 0; i < run; ++i) {
            sum += a[i] * b[i];
        }
        total += sum;
        a += run;
        b += run;
        count -= run;
    }
    return total;
}

/* Sum of a[i], 0 <= i < count. */
static inline int32_t tc_sum_s8(const int8_t *a, int32_t count)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < count; ++i) {
        sum += a[i];
    }
    return sum;
}

/* Sum of a[i], 0 <= i < count. */
static inline int32_t tc_sum_s16(const int16_t *a, int32_t count)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < count; ++i) {
        sum += a[i];
    }
    return sum;
}

#endif /* TC_DOT_H */
