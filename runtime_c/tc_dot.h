/* tc_dot.h - sums over contiguous int8 vectors, written so that compilers vectorise them. */
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

/* Sum of a[i], 0 <= i < count. */
static inline int32_t tc_sum_s8(const int8_t *a, int32_t count)
{
    int32_t sum = 0;
    for (int32_t i = 0; i < count; ++i) {
        sum += a[i];
    }
    return sum;
}

#endif /* TC_DOT_H */
