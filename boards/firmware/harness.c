/* harness.c - runs a generated model on the samples of inputs.bin.
 *
 * inputs.bin   samples, each all inputs one after the other
 * outputs.bin  for each sample all outputs
 * result.bin   words, in the order of `result` below
 * trace.bin    what each layer wrote for sample TC_HARNESS_TRACE_SAMPLE (builds with TC_TRACE_ROWS)
 *
 * The arena is filled with a pattern before each sample and has guard bytes around it: a kernel that reads
 * what nobody wrote gives other bytes than the reference, and one that writes outside is told. The second
 * inference is measured.
 */
#include "tc_harness_model.h"
#include "tc_harness_port.h"
#include "tc_harness_trace.h"

#include <string.h>

#define GUARD_BYTES 64u
#define GUARD       0xC5u
#define STALE       0xA5u
#define MEASURED    1u
#define FORMAT      0x54433031u

typedef struct region {
    void *data;
    uint32_t bytes;
} region;

typedef struct const_region {
    const void *data;
    uint32_t bytes;
} const_region;

typedef struct result {
    uint32_t format;
    uint32_t samples;
    uint32_t status;        /* first status that was not TC_OK */
    uint32_t guards_broken; /* 1 arena before, 2 arena after, 4 state before, 8 state after */
    tc_port_measurement invoke;
    tc_port_measurement empty;
} result;

TC_MODEL_ALIGNED static uint8_t arena_guarded[GUARD_BYTES + TC_MODEL_ARENA_BYTES + GUARD_BYTES];
TC_MODEL_ALIGNED static uint8_t state_guarded[GUARD_BYTES + TC_MODEL_STATE_BYTES + GUARD_BYTES];
static result measured;

static uint32_t is_broken(const uint8_t *guard)
{
    for (uint32_t i = 0u; i < GUARD_BYTES; ++i) {
        if (guard[i] != GUARD) {
            return 1u;
        }
    }
    return 0u;
}

static uint32_t broken_guards(void)
{
    return is_broken(arena_guarded) | is_broken(arena_guarded + GUARD_BYTES + TC_MODEL_ARENA_BYTES) << 1 |
           is_broken(state_guarded) << 2 | is_broken(state_guarded + GUARD_BYTES + TC_MODEL_STATE_BYTES) << 3;
}

/* Reads the inputs of one sample; 0 when there is none left. */
static int read_sample(int file, const TC_MODEL_CONTEXT *context)
{
    const region inputs[] = TC_MODEL_INPUTS(context);
    for (uint32_t i = 0u; i < TC_MODEL_INPUT_COUNT; ++i) {
        if (tc_port_read(file, inputs[i].data, inputs[i].bytes) != inputs[i].bytes) {
            return 0;
        }
    }
    return 1;
}

static void write_outputs(int file, const TC_MODEL_CONTEXT *context)
{
    const const_region outputs[] = TC_MODEL_OUTPUTS(context);
    for (uint32_t i = 0u; i < TC_MODEL_OUTPUT_COUNT; ++i) {
        tc_port_write(file, outputs[i].data, outputs[i].bytes);
    }
}

static tc_status run_sample(uint32_t sample, const TC_MODEL_CONTEXT *context)
{
#ifdef TC_TRACE_ROWS
    if (sample == TC_HARNESS_TRACE_SAMPLE) {
        const int trace = tc_port_open_write("trace.bin");
        trace_begin(trace);
        const tc_status status = TC_MODEL_INVOKE(context);
        trace_end();
        tc_port_close(trace);
        return status;
    }
#endif
    return sample == MEASURED ? tc_port_measured_invoke(context, &measured.invoke, &measured.empty)
                              : TC_MODEL_INVOKE(context);
}

int main(void)
{
    TC_MODEL_CONTEXT context;
    tc_port_init();
    memset(arena_guarded, GUARD, sizeof arena_guarded);
    memset(state_guarded, GUARD, sizeof state_guarded);
    measured.format = FORMAT;
    measured.status =
        (uint32_t)TC_MODEL_INIT(&context, arena_guarded + GUARD_BYTES, state_guarded + GUARD_BYTES);
    TC_MODEL_BIND_INPUTS(&context);

    const int inputs = tc_port_open_read("inputs.bin");
    const int outputs = tc_port_open_write("outputs.bin");
    while (measured.status == (uint32_t)TC_OK) {
        memset(arena_guarded + GUARD_BYTES, STALE, TC_MODEL_ARENA_BYTES);
        if (!read_sample(inputs, &context)) {
            break;
        }
        measured.status = (uint32_t)run_sample(measured.samples, &context);
        write_outputs(outputs, &context);
        ++measured.samples;
    }
    measured.guards_broken = broken_guards();
    tc_port_close(outputs);
    const int results = tc_port_open_write("result.bin");
    tc_port_write(results, &measured, sizeof measured);
    tc_port_close(results);
    tc_port_exit(0);
    return 0;
}
