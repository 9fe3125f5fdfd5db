/* tc_harness_port.h - what the harness needs of the machine that it runs on. */
#ifndef TC_HARNESS_PORT_INCLUDED
#define TC_HARNESS_PORT_INCLUDED

#include "tc_harness_model.h"

#include <stdint.h>

/* Readings of the timer on each side of a call; see `tinycompile/toolchain/ticks.py` for why several. */
#define TC_PORT_READINGS 8u

/* What one call took. */
typedef struct tc_port_measurement {
    uint32_t before[TC_PORT_READINGS]; /* elapsed ticks; consecutive instructions read the timer */
    uint32_t after[TC_PORT_READINGS];
    uint32_t
        stack_bytes; /* from the stack pointer of the caller of the call down to the lowest byte written */
} tc_port_measurement;

/* Prepares timer and stack; to be called first. */
void tc_port_init(void);

/* Files in the working directory of the emulator or of the program. Handles are negative when opening failed.
 */
int tc_port_open_read(const char *name);
int tc_port_open_write(const char *name);
uint32_t tc_port_read(int handle, void *data, uint32_t bytes); /* returns the bytes read, fewer at the end */
void tc_port_write(int handle, const void *data, uint32_t bytes);
void tc_port_close(int handle);

/* Ends the program. */
void tc_port_exit(int status);

/* Runs the model once and measures it, and beside it a function that is one instruction (`empty`), by which
 * the cost of measuring is known. All zero where the machine cannot measure. */
tc_status tc_port_measured_invoke(const TC_MODEL_CONTEXT *context, tc_port_measurement *invoke,
                                  tc_port_measurement *empty);

#endif /* TC_HARNESS_PORT_INCLUDED */
