/* startup.c - vectors and reset of a bare-metal Cortex-M; a fault ends the program with status 100. */
#include "semihosting.h"

#include <stdint.h>

#define CPACR (*(volatile uint32_t *)0xE000ED88u)
#define CFSR  (*(volatile uint32_t *)0xE000ED28u)

#define EXCEPTIONS 15 /* without the external interrupts, which nobody enables */

extern uint32_t data_start[], data_end[], data_load[], bss_start[], bss_end[], stack_top[];

int main(void);
void reset_handler(void);
void fault_handler(void);

typedef union vector {
    void (*handler)(void);
    void *address;
} vector;

/* clang-format off */
__attribute__((section(".vectors"), used)) static const vector vectors[1 + EXCEPTIONS] = {
    {.address = stack_top}, {reset_handler},
    {fault_handler}, {fault_handler}, {fault_handler}, {fault_handler}, {fault_handler}, {fault_handler}, {fault_handler},
    {fault_handler}, {fault_handler}, {fault_handler}, {fault_handler}, {fault_handler}, {fault_handler}, {fault_handler},
};
/* clang-format on */

void reset_handler(void)
{
#ifdef __ARM_FP
    CPACR |= 0xFu << 20; /* full access to the FPU */
    __asm volatile("dsb\n\tisb" ::: "memory");
#endif
    const uint32_t *from = data_load;
    for (volatile uint32_t *to = data_start; to < data_end; ++to) {
        *to = *from++;
    }
    for (volatile uint32_t *to = bss_start; to < bss_end; ++to) {
        *to = 0u;
    }
    semihosting_exit((uint32_t)main());
}

void fault_handler(void)
{
    static const char digits[] = "0123456789abcdef";
    char message[] = "fault, CFSR 0x........\n";
    for (uint32_t digit = 0u; digit < 8u; ++digit) {
        message[14u + digit] = digits[(CFSR >> (28u - 4u * digit)) & 15u];
    }
    semihosting(SYS_WRITE0, message);
    semihosting_exit(100u);
}
