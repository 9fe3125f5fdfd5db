/* tc_dsp.h - the instructions of the Armv7E-M DSP extension that kernels use, one function each, named for the instruction.
 * Without the extension a portable body computes the same. A word holds four int8 or two int16, the first in the low bits.
 * Source: Armv7-M Architecture Reference Manual, A7.7. */
#ifndef TC_DSP_H
#define TC_DSP_H

#include "tc_requantize.h"
#include "tc_types.h"

#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__) && defined(__GNUC__) && defined(__OPTIMIZE__)
#define TC_DSP_ASM 1
#else
#define TC_DSP_ASM 0
#endif

#if TC_DSP_ASM
/* A function that is assembly from its first instruction to its return. */
#define TC_NAKED  __attribute__((naked, noinline))
#define TC_UNUSED __attribute__((unused))
#endif

/* The int16 in the low half of a word. */
static inline int32_t tc_low(uint32_t word)
{
    return (int32_t)(int16_t)(uint16_t)(word & 0xffffu);
}

/* The int16 in the high half of a word. */
static inline int32_t tc_high(uint32_t word)
{
    return (int32_t)(int16_t)(uint16_t)(word >> 16);
}

/* Four int8 from any address. */
static inline uint32_t tc_load_s8x4(const int8_t *from)
{
    uint32_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

/* The first `count` int8 from any address, 1 <= count <= 3, and zeros. */
static inline uint32_t tc_load_s8x(const int8_t *from, int32_t count)
{
    uint32_t word = (uint8_t)from[0];
    if (count > 1) {
        word |= (uint32_t)(uint8_t)from[1] << 8;
    }
    if (count > 2) {
        word |= (uint32_t)(uint8_t)from[2] << 16;
    }
    return word;
}

/* Bytes 0 and 2, sign extended to two int16. */
static inline uint32_t tc_sxtb16(uint32_t word)
{
#if TC_DSP_ASM
    uint32_t result;
    __asm__("sxtb16 %0, %1" : "=r"(result) : "r"(word));
    return result;
#else
    const uint32_t low = (uint32_t)(int32_t)(int8_t)(uint8_t)(word & 0xffu) & 0xffffu;
    const uint32_t high = (uint32_t)(int32_t)(int8_t)(uint8_t)(word >> 16 & 0xffu) & 0xffffu;
    return low | high << 16;
#endif
}

/* Bytes 1 and 3, sign extended to two int16. */
static inline uint32_t tc_sxtb16_ror8(uint32_t word)
{
#if TC_DSP_ASM
    uint32_t result;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(word));
    return result;
#else
    return tc_sxtb16(word >> 8 | word << 24);
#endif
}

/* Two int16 plus the bytes 0 and 2 of a word, each sum modulo 2**16. */
static inline uint32_t tc_sxtab16(uint32_t sums, uint32_t word)
{
#if TC_DSP_ASM
    uint32_t result;
    __asm__("sxtab16 %0, %1, %2" : "=r"(result) : "r"(sums), "r"(word));
    return result;
#else
    const uint32_t addend = tc_sxtb16(word);
    return ((sums + addend) & 0xffffu) | ((sums & 0xffff0000u) + (addend & 0xffff0000u));
#endif
}

/* The same with the bytes 1 and 3. */
static inline uint32_t tc_sxtab16_ror8(uint32_t sums, uint32_t word)
{
#if TC_DSP_ASM
    uint32_t result;
    __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(sums), "r"(word));
    return result;
#else
    return tc_sxtab16(sums, word >> 8 | word << 24);
#endif
}

/* The greater of two int8, in each of four bytes. */
static inline uint32_t tc_max_s8x4(uint32_t a, uint32_t b)
{
    uint32_t result;
#if TC_DSP_ASM
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b) : "cc");
#else
    int8_t x[4], y[4];
    memcpy(x, &a, sizeof x);
    memcpy(y, &b, sizeof y);
    for (int32_t k = 0; k < 4; ++k) {
        x[k] = x[k] > y[k] ? x[k] : y[k];
    }
    memcpy(&result, x, sizeof result);
#endif
    return result;
}

/* The lesser of two int8, in each of four bytes. */
static inline uint32_t tc_min_s8x4(uint32_t a, uint32_t b)
{
    uint32_t result;
#if TC_DSP_ASM
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %2, %1" : "=&r"(result) : "r"(a), "r"(b) : "cc");
#else
    result = ~tc_max_s8x4(~a, ~b);
#endif
    return result;
}

/* The low half of `low`, and the low half of `high` above it. */
static inline uint32_t tc_pkhbt(uint32_t low, uint32_t high)
{
#if TC_DSP_ASM
    uint32_t result;
    __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(result) : "r"(low), "r"(high));
    return result;
#else
    return (low & 0xffffu) | high << 16;
#endif
}

/* The high half of `low` moved down, and the high half of `high` above it. */
static inline uint32_t tc_pkhtb(uint32_t high, uint32_t low)
{
#if TC_DSP_ASM
    uint32_t result;
    __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(result) : "r"(high), "r"(low));
    return result;
#else
    return low >> 16 | (high & 0xffff0000u);
#endif
}

/* sum + low(a) * low(b) + high(a) * high(b), modulo 2**32. */
static inline int32_t tc_smlad(uint32_t a, uint32_t b, int32_t sum)
{
#if TC_DSP_ASM
    int32_t result;
    __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return (int32_t)((uint32_t)sum + (uint32_t)(tc_low(a) * tc_low(b)) + (uint32_t)(tc_high(a) * tc_high(b)));
#endif
}

/* sum + low(a) * low(b), modulo 2**32. */
static inline int32_t tc_smlabb(uint32_t a, uint32_t b, int32_t sum)
{
#if TC_DSP_ASM
    int32_t result;
    __asm__("smlabb %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return (int32_t)((uint32_t)sum + (uint32_t)(tc_low(a) * tc_low(b)));
#endif
}

/* sum + high(a) * high(b), modulo 2**32. */
static inline int32_t tc_smlatt(uint32_t a, uint32_t b, int32_t sum)
{
#if TC_DSP_ASM
    int32_t result;
    __asm__("smlatt %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return (int32_t)((uint32_t)sum + (uint32_t)(tc_high(a) * tc_high(b)));
#endif
}

/* sum + (a * low(b) >> 16), modulo 2**32. */
static inline int32_t tc_smlawb(int32_t a, uint32_t b, int32_t sum)
{
#if TC_DSP_ASM
    int32_t result;
    __asm__("smlawb %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return (int32_t)((uint32_t)sum + (uint32_t)(int32_t)((int64_t)a * tc_low(b) >> 16));
#endif
}

/* sum + (a * high(b) >> 16), modulo 2**32. */
static inline int32_t tc_smlawt(int32_t a, uint32_t b, int32_t sum)
{
#if TC_DSP_ASM
    int32_t result;
    __asm__("smlawt %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    return (int32_t)((uint32_t)sum + (uint32_t)(int32_t)((int64_t)a * tc_high(b) >> 16));
#endif
}

/* The high word of sum * 2**32 + a * b, rounded half up, modulo 2**32. */
static inline int32_t tc_smmlar(int32_t a, int32_t b, int32_t sum)
{
#if TC_DSP_ASM
    int32_t result;
    __asm__("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
#else
    const int64_t product = (int64_t)a * b + ((int64_t)1 << 31);
    return (int32_t)((uint32_t)sum + (uint32_t)(int32_t)(product >> 32));
#endif
}

/* value limited to -128..127. */
static inline int32_t tc_ssat8(int32_t value)
{
#if TC_DSP_ASM
    int32_t result;
    __asm__("ssat %0, #8, %1" : "=r"(result) : "r"(value));
    return result;
#else
    const int32_t least = value < -128 ? -128 : value;
    return least > 127 ? 127 : least;
#endif
}

/* value >> shift limited to -128..127, 1 <= shift <= 31, a constant: one instruction, which compilers do not find in loops. */
#if TC_DSP_ASM
#define TC_SSAT8_SHIFTED(value, shift)                                                                       \
    __extension__({                                                                                          \
        int32_t tc_saturated;                                                                                \
        __asm__("ssat %0, #8, %1, asr %2" : "=r"(tc_saturated) : "r"((int32_t)(value)), "i"(shift));         \
        tc_saturated;                                                                                        \
    })
#else
#define TC_SSAT8_SHIFTED(value, shift) tc_ssat8((int32_t)(value) >> (shift))
#endif

/* The second of two dot products, from their sum 256 * second + first and the first; it fits 24 bits. */
static inline int32_t tc_second_of_pair(int32_t joined, int32_t first)
{
    return (int32_t)((uint32_t)joined - (uint32_t)first) >> 8;
}

/* Requantization in four instructions. With a = doubled / 2 and the TFLite multiplier (m, -shift), and
 * offset = (zero point << shift) + (1 << (shift - 1)), the result before clamping is that of tc_requantize plus the zero point.
 * The lowering has checked that a stays below 2**30 and that 1 <= shift <= 22. */
static inline int32_t tc_scale_exact(int32_t doubled, int32_t multiplier, int32_t offset, int32_t shift)
{
    /* Ties go away from zero: a negative value is rounded from one unit below. */
    return tc_smmlar(doubled, multiplier, offset + (doubled >> 31)) >> shift;
}

/* The same for results that a clamp keeps at or above the zero point: how negative values round does not matter. */
static inline int32_t tc_scale_floor(int32_t doubled, int32_t multiplier, int32_t offset, int32_t shift)
{
    return tc_smmlar(doubled, multiplier, offset) >> shift;
}

#endif /* TC_DSP_H */
