/* main.c - the digits model reads a frame buffer of the caller (`--input const`): the arena has no room for the image, and invoke
 * leaves the image as it was.
 */
#include "digits.h"
#include "drawing.h"

#include <stdio.h>

static TC_ALIGNED(DIGITS_ARENA_ALIGN) uint8_t arena[DIGITS_ARENA_BYTES];

/* What a camera fills, or an image in flash. */
static TC_ALIGNED(DIGITS_INPUT_ALIGN) int8_t frame[DIGITS_INPUT_0_ELEMENTS];

int main(void)
{
    digits_context ctx;
    if (digits_init(&ctx, arena, NULL) != TC_OK) {
        return 1;
    }
    digits_set_input_0(&ctx, frame);
    for (int row = 0; row < DRAWING_PIXELS; ++row) {
        for (int column = 0; column < DRAWING_PIXELS; ++column) {
            frame[row * DRAWING_PIXELS + column] = drawing_level(row, column);
        }
    }
    if (digits_invoke(&ctx) != TC_OK) {
        return 1;
    }
    const int8_t *scores = digits_output_0(&ctx);
    unsigned best = 0;
    for (unsigned digit = 1; digit < DIGITS_OUTPUT_0_ELEMENTS; ++digit) {
        best = scores[digit] > scores[best] ? digit : best;
    }
    printf("it is a %u, found in %u bytes beside the frame of %u\n", best, DIGITS_ARENA_BYTES,
           DIGITS_INPUT_0_BYTES);
    return 0;
}
