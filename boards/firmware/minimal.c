/* minimal.c - the smallest firmware around the model: its linked size is what the model costs in flash. */
#include "tc_harness_model.h"

TC_MODEL_ALIGNED static uint8_t arena[TC_MODEL_ARENA_BYTES + 1u];
TC_MODEL_ALIGNED static uint8_t state[TC_MODEL_STATE_BYTES + 1u];

int main(void)
{
    TC_MODEL_CONTEXT context;
    if (TC_MODEL_INIT(&context, arena, state) != TC_OK) {
        return 1;
    }
    TC_MODEL_BIND_INPUTS(&context);
    return (int)TC_MODEL_INVOKE(&context);
}
