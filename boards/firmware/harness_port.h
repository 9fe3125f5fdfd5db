/* harness_port.h - what the harness needs of the machine that it runs on. */
#ifndef HARNESS_PORT_H
#define HARNESS_PORT_H

#include "harness_model.h"

#include <stdint.h>

/* Readings of the timer on each side of a call; see `tinycompile/toolchain/ticks.py` for why several. */
#define PORT_READINGS 8u

/* What one call took. */
typedef struct port_measurement {
    uint32_t before[PORT_READINGS]; /* elapsed ticks; consecutive instructions read the timer */
    uint32_t after[PORT_READINGS];
    uint32_t
        stack_bytes; /* from the stack pointer of the caller of the call down to the lowest byte written */
} port_measurement;

/* Prepares timer and stack; to be called first. */
void port_init(void);

/* Files in the working directory of the emulator or of the program. Handles are negative when opening failed.
 */
int port_open_read(const char *name);
int port_open_write(const char *name);
uint32_t port_read(int handle, void *data, uint32_t bytes); /* returns the bytes read, fewer at the end */
void port_write(int handle, const void *data, uint32_t bytes);
void port_close(int handle);

/* Ends the program. */
void port_exit(int status);

/* Runs the model once and measures it, and beside it a function that is one instruction (`empty`), by which
 * the cost of measuring is known. All zero where the machine cannot measure. */
tc_status port_measured_invoke(const MODEL_CONTEXT *context, port_measurement *invoke,
                               port_measurement *empty);

#endif /* HARNESS_PORT_H */
