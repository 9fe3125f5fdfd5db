/* harness.c - runs a generated model on the samples of inputs.bin.
 *
 * inputs.bin   samples, each all inputs one after the other
 * outputs.bin  for each sample all outputs
 * result.bin   words, in the order of `result` below
 * trace.bin    what each layer wrote for sample HARNESS_TRACE_SAMPLE (builds with TC_TRACE_ROWS)
 *
 * The arena is filled with a pattern before each sample and has guard bytes around it: a kernel that reads
 * what nobody wrote gives other bytes than the reference, and one that writes outside is told. The second
 * inference is measured.
 */
#include "harness_model.h"
#include "harness_port.h"
#include "harness_trace.h"

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
    port_measurement invoke;
    port_measurement empty;
} result;

MODEL_ALIGNED static uint8_t arena_guarded[GUARD_BYTES + MODEL_ARENA_BYTES + GUARD_BYTES];
MODEL_ALIGNED static uint8_t state_guarded[GUARD_BYTES + MODEL_STATE_BYTES + GUARD_BYTES];
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
    return is_broken(arena_guarded) | is_broken(arena_guarded + GUARD_BYTES + MODEL_ARENA_BYTES) << 1 |
           is_broken(state_guarded) << 2 | is_broken(state_guarded + GUARD_BYTES + MODEL_STATE_BYTES) << 3;
}

/* Reads the inputs of one sample; 0 when there is none left. */
static int read_sample(int file, const MODEL_CONTEXT *context)
{
    const region inputs[] = MODEL_INPUTS(context);
    for (uint32_t i = 0u; i < MODEL_INPUT_COUNT; ++i) {
        if (port_read(file, inputs[i].data, inputs[i].bytes) != inputs[i].bytes) {
            return 0;
        }
    }
    return 1;
}

static void write_outputs(int file, const MODEL_CONTEXT *context)
{
    const const_region outputs[] = MODEL_OUTPUTS(context);
    for (uint32_t i = 0u; i < MODEL_OUTPUT_COUNT; ++i) {
        port_write(file, outputs[i].data, outputs[i].bytes);
    }
}

static tc_status run_sample(uint32_t sample, const MODEL_CONTEXT *context)
{
#ifdef TC_TRACE_ROWS
    if (sample == HARNESS_TRACE_SAMPLE) {
        const int trace = port_open_write("trace.bin");
        trace_begin(trace);
        const tc_status status = MODEL_INVOKE(context);
        trace_end();
        port_close(trace);
        return status;
    }
#endif
    return sample == MEASURED ? port_measured_invoke(context, &measured.invoke, &measured.empty)
                              : MODEL_INVOKE(context);
}

int main(void)
{
    MODEL_CONTEXT context;
    port_init();
    memset(arena_guarded, GUARD, sizeof arena_guarded);
    memset(state_guarded, GUARD, sizeof state_guarded);
    measured.format = FORMAT;
    measured.status =
        (uint32_t)MODEL_INIT(&context, arena_guarded + GUARD_BYTES, state_guarded + GUARD_BYTES);
    MODEL_BIND_INPUTS(&context);

    const int inputs = port_open_read("inputs.bin");
    const int outputs = port_open_write("outputs.bin");
    while (measured.status == (uint32_t)TC_OK) {
        memset(arena_guarded + GUARD_BYTES, STALE, MODEL_ARENA_BYTES);
        if (!read_sample(inputs, &context)) {
            break;
        }
        measured.status = (uint32_t)run_sample(measured.samples, &context);
        write_outputs(outputs, &context);
        ++measured.samples;
    }
    measured.guards_broken = broken_guards();
    port_close(outputs);
    const int results = port_open_write("result.bin");
    port_write(results, &measured, sizeof measured);
    port_close(results);
    port_exit(0);
    return 0;
}
