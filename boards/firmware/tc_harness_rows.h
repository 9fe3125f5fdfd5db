/* tc_harness_rows.h - delivers the rows of an input out of a buffer, for models that ask for them one by one. */
#ifndef TC_HARNESS_ROWS_INCLUDED
#define TC_HARNESS_ROWS_INCLUDED

#include <stdint.h>
#include <string.h>

typedef struct tc_harness_rows {
    const uint8_t *data;
    uint32_t row_bytes;
} tc_harness_rows;

static inline void tc_harness_read_row(void *user, int32_t row, void *data)
{
    const tc_harness_rows *const rows = (const tc_harness_rows *)user;
    memcpy(data, rows->data + (uint32_t)row * rows->row_bytes, rows->row_bytes);
}

#endif
