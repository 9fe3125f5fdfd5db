/* host_timer.c - the least time of an inference on this computer, in nanoseconds.
 * Built with MODEL (the prefix of the generated API), MODEL_HEADER, ARENA_BYTES, STATE_BYTES, INPUT_BYTES and RUNS. */
#include MODEL_HEADER

#include <stdio.h>
#include <time.h>

#define JOINED(a, b) a##b
#define NAME(prefix, suffix) JOINED(prefix, suffix)

static unsigned char arena[ARENA_BYTES + 1] __attribute__((aligned(64)));
static unsigned char state[STATE_BYTES + 1] __attribute__((aligned(64)));

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(void)
{
    NAME(MODEL, _context) context;
    long long least = -1;
    if (NAME(MODEL, _init)(&context, arena, state) != TC_OK) {
        return 1;
    }
    for (int run = 0; run < RUNS; ++run) {
        unsigned char *const input = (unsigned char *)NAME(MODEL, _input_0)(&context);
        for (unsigned i = 0; i < INPUT_BYTES; ++i) {
            input[i] = (unsigned char)(i * 37u + (unsigned)run * 11u);
        }
        const long long begin = now();
        if (NAME(MODEL, _invoke)(&context) != TC_OK) {
            return 1;
        }
        const long long taken = now() - begin;
        least = least < 0 || taken < least ? taken : least;
    }
    printf("%lld\n", least);
    return 0;
}
