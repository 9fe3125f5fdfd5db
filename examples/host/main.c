/* main.c - the digits model on this computer: reads a drawing and prints the score of each digit. */
#include "digits.h"
#include "drawing.h"

#include <math.h>
#include <stdio.h>

static TC_ALIGNED(DIGITS_ARENA_ALIGN) uint8_t arena[DIGITS_ARENA_BYTES];

/* Real value -> int8, as the model's input is quantized. */
static int8_t quantize(float real)
{
    const float level = roundf(real / DIGITS_INPUT_0_SCALE) + DIGITS_INPUT_0_ZERO_POINT;
    return (int8_t)fminf(fmaxf(level, -128.0f), 127.0f);
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
            *input++ = quantize(drawing_pixel(row, column));
        }
        puts(drawing[row]);
    }
    if (digits_invoke(&ctx) != TC_OK) {
        return 1;
    }
    const int8_t *scores = digits_output_0(&ctx);
    for (unsigned digit = 0; digit < DIGITS_OUTPUT_0_ELEMENTS; ++digit) {
        const float probability = DIGITS_OUTPUT_0_SCALE * (float)(scores[digit] - DIGITS_OUTPUT_0_ZERO_POINT);
        printf("%u: %5.1f %%\n", digit, 100.0 * (double)probability);
    }
    return 0;
}
