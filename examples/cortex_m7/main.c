/* main.c - the digits model on a bare-metal Cortex-M7: no operating system, no heap, no stdio.
 */
#include "digits.h"
#include "drawing.h"
#include "semihosting.h"

static TC_ALIGNED(DIGITS_ARENA_ALIGN) uint8_t arena[DIGITS_ARENA_BYTES];

static void print(const char *text)
{
    semihosting(SYS_WRITE0, text);
}

int main(void)
{
    digits_context ctx;
    if (digits_init(&ctx, arena, NULL) != TC_OK) {
        return 1;
    }
    int8_t *input = digits_input_0(&ctx);
    for (int row = 0; row < DRAWING_PIXELS; ++row) {
        for (int column = 0; column < DRAWING_PIXELS; ++column) {
            *input++ = drawing_level(row, column);
        }
        print(drawing[row]);
        print("\n");
    }
    if (digits_invoke(&ctx) != TC_OK) {
        return 1;
    }
    const int8_t *scores = digits_output_0(&ctx);
    unsigned best = 0;
    for (unsigned digit = 1; digit < DIGITS_OUTPUT_0_ELEMENTS; ++digit) {
        best = scores[digit] > scores[best] ? digit : best;
    }
    const char line[] = {'i', 't', ' ', 'i', 's', ' ', 'a', ' ', (char)('0' + best), '\n', '\0'};
    print(line);
    return 0;
}
