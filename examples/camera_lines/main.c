/* main.c - the digits model takes a camera's lines one by one (`--input rows`): there is no image anywhere.
 *
 * Invoke asks for a line when the first layer needs it. A firmware waits for the camera there; this program draws the line.
 */
#include "digits.h"
#include "drawing.h"

#include <stdio.h>

static TC_ALIGNED(DIGITS_ARENA_ALIGN) uint8_t arena[DIGITS_ARENA_BYTES];

typedef struct camera {
    unsigned lines; /* delivered so far */
} camera;

/* Writes line `row` to `data`, DIGITS_INPUT_0_ROW_BYTES bytes. */
static void read_line(void *user, int32_t row, void *data)
{
    camera *const from = (camera *)user;
    int8_t *const line = (int8_t *)data;
    for (int column = 0; column < DRAWING_PIXELS; ++column) {
        line[column] = drawing_level((int)row, column);
    }
    ++from->lines;
}

int main(void)
{
    digits_context ctx;
    camera from = {0};
    if (digits_init(&ctx, arena, NULL) != TC_OK) {
        return 1;
    }
    digits_set_rows_0(&ctx, read_line, &from);
    if (digits_invoke(&ctx) != TC_OK) {
        return 1;
    }
    const int8_t *scores = digits_output_0(&ctx);
    unsigned best = 0;
    for (unsigned digit = 1; digit < DIGITS_OUTPUT_0_ELEMENTS; ++digit) {
        best = scores[digit] > scores[best] ? digit : best;
    }
    printf("it is a %u, found in %u bytes and %u lines of %u\n", best, DIGITS_ARENA_BYTES, from.lines,
           DIGITS_INPUT_0_ROW_BYTES);
    return 0;
}
