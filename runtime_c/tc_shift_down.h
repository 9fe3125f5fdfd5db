/* tc_shift_down.h - moves the elements of a vector down by one. */
#ifndef TC_SHIFT_DOWN_H
#define TC_SHIFT_DOWN_H

#include "tc_types.h"

/* Each of `count` elements of 1 or 2 bytes takes the value of the next one; the last one is arbitrary afterwards. */
static inline void tc_shift_down(void *vector, int32_t count, int32_t element_bytes)
{
    uint8_t *bytes = vector;
    const int32_t length = count * element_bytes;
    int32_t i = 0;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint32_t word;
    if (length >= 4) {
        memcpy(&word, bytes, sizeof word);
        for (; i + 8 <= length; i += 4) {
            uint32_t next;
            memcpy(&next, bytes + i + 4, sizeof next);
            word = word >> (8 * element_bytes) | next << (32 - 8 * element_bytes);
            memcpy(bytes + i, &word, sizeof word);
            word = next;
        }
    }
#endif
    for (; i + element_bytes < length; ++i) {
        bytes[i] = bytes[i + element_bytes];
    }
}

#endif /* TC_SHIFT_DOWN_H */
