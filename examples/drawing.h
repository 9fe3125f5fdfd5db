/* drawing.h - a handwritten three of 16x16 pixels, for the examples. */
#ifndef DRAWING_H
#define DRAWING_H

#include <stdint.h>

#define DRAWING_PIXELS 16

/* ' ' is paper, '+' a light stroke, '#' ink. */
static const char drawing[DRAWING_PIXELS][DRAWING_PIXELS + 1] = {
    "                ", /* 0 */
    "    +######+    ", /* 1 */
    "   +########+   ", /* 2 */
    "   ###+  +###   ", /* 3 */
    "   ++     ###   ", /* 4 */
    "          ###   ", /* 5 */
    "        +##+    ", /* 6 */
    "     +####+     ", /* 7 */
    "     +#####+    ", /* 8 */
    "        +###+   ", /* 9 */
    "          ###   ", /* 10 */
    "          ###   ", /* 11 */
    "   +#     ###   ", /* 12 */
    "   ###+ +###+   ", /* 13 */
    "   +#######+    ", /* 14 */
    "     +###+      ", /* 15 */
};

/* The pixel's darkness, 0 to 16 as the model was trained on. */
static inline float drawing_pixel(int row, int column)
{
    switch (drawing[row][column]) {
    case '#':
        return 16.0f;
    case '+':
        return 8.0f;
    default:
        return 0.0f;
    }
}

/* The same as the model's input is quantized: scale 16 / 255, zero point -128. */
static inline int8_t drawing_level(int row, int column)
{
    return (int8_t)(((int)drawing_pixel(row, column) * 255 + 8) / 16 - 128);
}

#endif /* DRAWING_H */
