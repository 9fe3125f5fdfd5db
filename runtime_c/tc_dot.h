/* tc_dot.h - sums over contiguous vectors of integers, written so that compilers vectorise them. */
#ifndef TC_DOT_H
#define TC_DOT_H

#include "tc_types.h"

/* Sum of a[i] * b[i], 0 <= i < count. */
static inline int32_t tc_dot_s8(const int8_t *a, const int8_t *b, int32_t count)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < count; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

/* Sum of a[i] * b[i], 0 <= i < count; b may be the difference of two int8. */
static inline int32_t tc_dot_s8_s16(const int8_t *a, const int16_t *b, int32_t count)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < count; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

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
