/* tc_move.h - moves bytes to lower addresses, eight words at a time where the processor loads several registers at once. */
#ifndef TC_MOVE_H
#define TC_MOVE_H

#include "tc_types.h"

#if defined(__thumb2__) && defined(__GNUC__)

/* Moves words upward, one block after the other; both addresses are multiples of 4, and `to` is below `from` where they overlap. */
static __attribute__((naked, noinline, unused)) void tc_move_words(void *to __attribute__((unused)),
                                                                   const void *from __attribute__((unused)),
                                                                   size_t words __attribute__((unused)))
{
    __asm__("push   {r4-r10, lr}\n\t"
            "subs   r2, r2, #8\n\t"
            "blo    2f\n"
            "1:\n\t"
            "ldmia  r1!, {r3-r10}\n\t"
            "stmia  r0!, {r3-r10}\n\t"
            "subs   r2, r2, #8\n\t"
            "bhs    1b\n"
            "2:\n\t"
            "adds   r2, r2, #8\n\t"
            "beq    4f\n"
            "3:\n\t"
            "ldr    r3, [r1], #4\n\t"
            "str    r3, [r0], #4\n\t"
            "subs   r2, r2, #1\n\t"
            "bne    3b\n"
            "4:\n\t"
            "pop    {r4-r10, pc}\n\t");
}

#endif

/* Moves `bytes` bytes; where the two ranges overlap, `to` is not above `from`. */
static inline void tc_move_down(void *to, const void *from, size_t bytes)
{
#if defined(__thumb2__) && defined(__GNUC__)
    if (((uintptr_t)to | (uintptr_t)from | bytes) % 4u == 0u) {
        tc_move_words(to, from, bytes / 4u);
        return;
    }
#endif
    memmove(to, from, bytes);
}

#endif /* TC_MOVE_H */
