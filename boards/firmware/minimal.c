/* minimal.c - the smallest firmware around the model: its linked size is what the model costs in flash. */
#include "harness_model.h"

MODEL_ALIGNED static uint8_t arena[MODEL_ARENA_BYTES + 1u];
MODEL_ALIGNED static uint8_t state[MODEL_STATE_BYTES + 1u];

int main(void)
{
    MODEL_CONTEXT context;
    if (MODEL_INIT(&context, arena, state) != TC_OK) {
        return 1;
    }
    MODEL_BIND_INPUTS(&context);
    return (int)MODEL_INVOKE(&context);
}
