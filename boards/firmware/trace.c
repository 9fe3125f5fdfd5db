/* trace.c - records what each layer wrote: layer, output, row, bytes (four words), then the bytes themselves.
 */
#include "tc_harness_trace.h"

#include "tc_harness_port.h"

#include <string.h>

#define BUFFER_BYTES 8192u

static uint8_t buffer[BUFFER_BYTES];
static uint32_t used;
static int file = -1;

static void flush(void)
{
    if (used > 0u) {
        tc_port_write(file, buffer, used);
        used = 0u;
    }
}

static void append(const void *data, uint32_t bytes)
{
    if (bytes > BUFFER_BYTES - used) {
        flush();
    }
    if (bytes > BUFFER_BYTES) {
        tc_port_write(file, data, bytes);
        return;
    }
    memcpy(buffer + used, data, bytes);
    used += bytes;
}

void trace_begin(int handle)
{
    file = handle;
}

void trace_end(void)
{
    flush();
    file = -1;
}

void tc_trace_row(uint32_t layer, uint32_t output, uint32_t row, const void *data, uint32_t bytes)
{
    if (file >= 0) {
        const uint32_t head[4] = {layer, output, row, bytes};
        append(head, sizeof head);
        append(data, bytes);
    }
}

/* A place that an emulator can watch; it costs a call and a return. */
__attribute__((noinline)) void tc_trace_layer(uint32_t layer)
{
    __asm volatile("" : : "r"(layer));
}
