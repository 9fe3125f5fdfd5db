/* tc_dot.h - sums over contiguous vectors of integers. With the DSP extension four products take two SMLAD; elsewhere the loops are
 * plain, so that compilers vectorise them. */
#ifndef TC_DOT_H
#define TC_DOT_H

#include "tc_dsp.h"
#include "tc_types.h"

/* Four elements as two pairs of int16: elements 0 and 2, elements 1 and 3. */
typedef struct tc_pairs {
    uint32_t even;
    uint32_t odd;
} tc_pairs;

static inline tc_pairs tc_pairs_s8(const int8_t *from)
{
    const uint32_t word = tc_load_s8x4(from);
    const tc_pairs pairs = {tc_sxtb16(word), tc_sxtb16_ror8(word)};
    return pairs;
}

static inline tc_pairs tc_pairs_u8(const uint8_t *from)
{
    uint32_t word;
    memcpy(&word, from, sizeof word);
    const tc_pairs pairs = {word & 0x00ff00ffu, word >> 8 & 0x00ff00ffu};
    return pairs;
}

static inline tc_pairs tc_pairs_s16(const int16_t *from)
{
    uint32_t low, high;
    memcpy(&low, from, sizeof low);
    memcpy(&high, from + 2, sizeof high);
    const tc_pairs pairs = {tc_pkhbt(low, high), tc_pkhtb(high, low)};
    return pairs;
}

/* A function with the sum of a[i] * b[i], 0 <= i < count, modulo 2**32. */
#define TC_DOT(name, type_a, pairs_a, type_b, pairs_b)                                                       \
    static inline int32_t name(const type_a *a, const type_b *b, int32_t count)                              \
    {                                                                                                        \
        int32_t sum = 0;                                                                                     \
        for (; TC_DSP_ASM && count >= 4; count -= 4) {                                                       \
            const tc_pairs x = pairs_a(a);                                                                   \
            const tc_pairs y = pairs_b(b);                                                                   \
            sum = tc_smlad(x.even, y.even, sum);                                                             \
            sum = tc_smlad(x.odd, y.odd, sum);                                                               \
            a += 4;                                                                                          \
            b += 4;                                                                                          \
        }                                                                                                    \
        for (int32_t i = 0; i < count; ++i) {                                                                \
            sum += a[i] * b[i];                                                                              \
        }                                                                                                    \
        return sum;                                                                                          \
    }

TC_DOT(tc_dot_s8, int8_t, tc_pairs_s8, int8_t, tc_pairs_s8)
TC_DOT(tc_dot_u8_s8, uint8_t, tc_pairs_u8, int8_t, tc_pairs_s8)
TC_DOT(tc_dot_u8_s16, uint8_t, tc_pairs_u8, int16_t, tc_pairs_s16)
TC_DOT(tc_dot_run_s16_s8, int16_t, tc_pairs_s16, int8_t, tc_pairs_s8)

/* Sum of a[i] * b[i], 0 <= i < count, in runs that fit 32 bits: a product is at most 2**22. */
static inline int64_t tc_dot_s16_s8(const int16_t *a, const int8_t *b, int32_t count)
{
    int64_t total = 0;
    while (count > 0) {
        const int32_t run = count < 508 ? count : 508;
        total += tc_dot_run_s16_s8(a, b, run);
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
