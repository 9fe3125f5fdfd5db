/* harness_rows.h - delivers the rows of an input out of a buffer, for models that ask for them one by one. */
#ifndef HARNESS_ROWS_H
#define HARNESS_ROWS_H

#include <stdint.h>
#include <string.h>

typedef struct harness_rows {
    const uint8_t *data;
    uint32_t row_bytes;
} harness_rows;

static inline void harness_read_row(void *user, int32_t row, void *data)
{
    const harness_rows *const rows = (const harness_rows *)user;
    memcpy(data, rows->data + (uint32_t)row * rows->row_bytes, rows->row_bytes);
}

#endif
