/* port_arm.c - the harness on an emulated Cortex-M: semihosting files, a timer that counts instructions,
 * painted stack.
 *
 * QEMU's `-icount shift=6` makes one instruction 64 ns of the time that the timer counts.
 */
#include "semihosting.h"
#include "tc_harness_port.h"

#include <string.h>

#define REGISTER(offset) (*(volatile uint32_t *)(TC_TIMER_ADDRESS + (offset)))

#if defined(TC_TIMER_CMSDK)
/* CMSDK APB timer: CTRL, VALUE (counts down), RELOAD. */
#define TIMER_VALUE      (TC_TIMER_ADDRESS + 0x4u)
#define ELAPSED(reading) (~(reading))
static void start_timer(void)
{
    REGISTER(0x8u) = 0xFFFFFFFFu;
    REGISTER(0x4u) = 0xFFFFFFFFu;
    REGISTER(0x0u) = 1u;
}
#elif defined(TC_TIMER_SSE)
/* System counter of the SSE-300, control frame: CNTCR, CNTSR, CNTCV (counts up). */
#define TIMER_VALUE      (TC_TIMER_ADDRESS + 0x8u)
#define ELAPSED(reading) (reading)
static void start_timer(void)
{
    REGISTER(0x0u) = 1u;
}
#else
#error "define TC_TIMER_CMSDK or TC_TIMER_SSE"
#endif

#define PAINT 0x7AC0FFEEu

extern uint32_t stack_limit[];

typedef tc_status (*model_function)(const TC_MODEL_CONTEXT *context);

/* Reads the timer eight times, calls function(context), reads the timer eight times. Returns what the
 * function returns. */
tc_status timed_call(model_function function, const TC_MODEL_CONTEXT *context,
                     uint32_t readings[2u * TC_PORT_READINGS], const volatile uint32_t *timer);
tc_status nothing(const TC_MODEL_CONTEXT *context);

/* clang-format off */
__asm(".syntax unified\n"
      ".thumb\n"
      ".section .text.timed_call, \"ax\", %progbits\n"
      ".balign 4\n"
      ".global timed_call\n"
      ".type timed_call, %function\n"
      "timed_call:\n"
      "    push {r3-r11, lr}\n"
      "    push {r2, r3}\n"
      "    mov r12, r0\n"
      "    mov r0, r1\n"
      "    ldr r4, [r3]\n"
      "    ldr r5, [r3]\n"
      "    ldr r6, [r3]\n"
      "    ldr r7, [r3]\n"
      "    ldr r8, [r3]\n"
      "    ldr r9, [r3]\n"
      "    ldr r10, [r3]\n"
      "    ldr r11, [r3]\n"
      "    blx r12\n"
      "    pop {r2, r3}\n"
      "    stmia r2!, {r4-r11}\n"
      "    ldr r4, [r3]\n"
      "    ldr r5, [r3]\n"
      "    ldr r6, [r3]\n"
      "    ldr r7, [r3]\n"
      "    ldr r8, [r3]\n"
      "    ldr r9, [r3]\n"
      "    ldr r10, [r3]\n"
      "    ldr r11, [r3]\n"
      "    stmia r2!, {r4-r11}\n"
      "    pop {r3-r11, pc}\n"
      ".size timed_call, . - timed_call\n"
      ".section .text.nothing, \"ax\", %progbits\n"
      ".balign 4\n"
      ".global nothing\n"
      ".type nothing, %function\n"
      "nothing:\n"
      "    bx lr\n"
      ".size nothing, . - nothing\n"
      ".text\n");
/* clang-format on */

void tc_port_init(void)
{
    start_timer();
}

static int open_file(const char *name, uint32_t mode)
{
    const uint32_t block[3] = {(uint32_t)name, mode, (uint32_t)strlen(name)};
    return (int)semihosting(SYS_OPEN, block);
}

int tc_port_open_read(const char *name)
{
    return open_file(name, 1u); /* "rb" */
}

int tc_port_open_write(const char *name)
{
    return open_file(name, 5u); /* "wb" */
}

uint32_t tc_port_read(int handle, void *data, uint32_t bytes)
{
    const uint32_t block[3] = {(uint32_t)handle, (uint32_t)data, bytes};
    return bytes - semihosting(SYS_READ, block);
}

void tc_port_write(int handle, const void *data, uint32_t bytes)
{
    const uint32_t block[3] = {(uint32_t)handle, (uint32_t)data, bytes};
    if (semihosting(SYS_WRITE, block) != 0u) {
        semihosting(SYS_WRITE0, "write failed\n");
        semihosting_exit(99u);
    }
}

void tc_port_close(int handle)
{
    const uint32_t block[1] = {(uint32_t)handle};
    semihosting(SYS_CLOSE, block);
}

void tc_port_exit(int status)
{
    semihosting_exit((uint32_t)status);
}

/* Paints the free stack, makes the call, and looks how deep the paint is gone. */
__attribute__((noinline)) static tc_status painted_call(model_function function,
                                                        const TC_MODEL_CONTEXT *context, uint32_t *readings,
                                                        uint32_t *stack_bytes)
{
    uint32_t *top;
    __asm volatile("mov %0, sp" : "=r"(top));
    for (volatile uint32_t *word = stack_limit; word < top; ++word) {
        *word = PAINT;
    }
    const tc_status status = timed_call(function, context, readings, (const volatile uint32_t *)TIMER_VALUE);
    const volatile uint32_t *word = stack_limit;
    while (word < top && *word == PAINT) {
        ++word;
    }
    *stack_bytes = (uint32_t)((uintptr_t)top - (uintptr_t)word);
    return status;
}

static tc_status measure(model_function function, const TC_MODEL_CONTEXT *context,
                         tc_port_measurement *measurement)
{
    uint32_t readings[2u * TC_PORT_READINGS];
    const tc_status status = painted_call(function, context, readings, &measurement->stack_bytes);
    for (uint32_t i = 0u; i < TC_PORT_READINGS; ++i) {
        measurement->before[i] = ELAPSED(readings[i]);
        measurement->after[i] = ELAPSED(readings[TC_PORT_READINGS + i]);
    }
    return status;
}

tc_status tc_port_measured_invoke(const TC_MODEL_CONTEXT *context, tc_port_measurement *invoke,
                                  tc_port_measurement *empty)
{
    measure(nothing, context, empty);
    return measure(TC_MODEL_INVOKE, context, invoke);
}
