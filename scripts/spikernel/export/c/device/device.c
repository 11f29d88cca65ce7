/* Start, memory and semihosting of Cortex-M and of 32-bit RISC-V, without a C library. */
#include "device.h"

#define UNTOUCHED 0xC5C5C5C5u

/* Places that the linker script names. */
extern uint32_t stack_bottom[], stack_top[];
extern uint32_t data_in_flash[], data_begin[], data_end[], bss_begin[], bss_end[];

int main(void);
void start(void);
void fault(void);

/* Operations of semihosting; both processors number them alike. */
enum { OPEN = 0x01, WRITE_TEXT = 0x04, WRITE = 0x05, READ = 0x06, EXIT = 0x18 };
#define ENDED_WELL 0x20026 /* "application exit"; QEMU fails for any other reason */
#define ENDED_BADLY 0x20023

static uintptr_t host(uintptr_t operation, uintptr_t argument)
{
#ifdef __riscv
    register uintptr_t number __asm__("a0") = operation;
    register uintptr_t value __asm__("a1") = argument;
    /* The shifts around it tell a call of the host from a breakpoint; none may be compressed. */
    __asm__ volatile(".option push\n.option norvc\n.balign 16\n"
                     "slli x0, x0, 0x1f\nebreak\nsrai x0, x0, 7\n.option pop"
                     : "+r"(number) : "r"(value) : "memory");
#else
    register uintptr_t number __asm__("r0") = operation;
    register uintptr_t value __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(number) : "r"(value) : "memory");
#endif
    return number;
}

int device_open(const char *path, int mode)
{
    uintptr_t length = 0;
    while (path[length] != '\0')
        length++;
    const uintptr_t block[] = { (uintptr_t)path, (uintptr_t)mode, length };
    return (int)host(OPEN, (uintptr_t)block);
}

/* The host answers with the number of bytes that are left. */
int device_read(int file, void *bytes, int count)
{
    const uintptr_t block[] = { (uintptr_t)file, (uintptr_t)bytes, (uintptr_t)count };
    return count - (int)host(READ, (uintptr_t)block);
}

int device_write(int file, const void *bytes, int count)
{
    const uintptr_t block[] = { (uintptr_t)file, (uintptr_t)bytes, (uintptr_t)count };
    return count - (int)host(WRITE, (uintptr_t)block);
}

uint32_t device_ticks(void)
{
#ifdef __riscv
    return *(volatile uint32_t *)0x0200BFF8; /* mtime of the CLINT */
#else
    return *(volatile uint32_t *)0x40028018; /* COUNTER of the MPS2 board's FPGA */
#endif
}

int device_stack_size(void)
{
    return (int)((uintptr_t)stack_top - (uintptr_t)stack_bottom);
}

int device_stack_bytes(void)
{
    const uint32_t *word = stack_bottom;
    while (word < stack_top && *word == UNTOUCHED)
        word++;
    return (int)((uintptr_t)stack_top - (uintptr_t)word);
}

static void leave(int failed)
{
    for (;;)
        host(EXIT, failed ? ENDED_BADLY : ENDED_WELL);
}

/* Prepare what C expects of memory, and mark the stack, so that its use can be seen. */
__attribute__((used, noreturn)) void start(void)
{
    const uint32_t *const frame = __builtin_frame_address(0);
    const uint32_t *from = data_in_flash;
#ifdef __ARM_FP
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20; /* CPACR: let the floating-point unit work */
    __asm__ volatile("dsb\nisb" : : : "memory");
#endif
    for (uint32_t *to = data_begin; to < data_end; to++)
        *to = *from++;
    for (uint32_t *to = bss_begin; to < bss_end; to++)
        *to = 0;
    for (uint32_t *to = stack_bottom; to < frame - 32; to++) /* what lies above may be in use */
        *to = UNTOUCHED;
    leave(main());
    __builtin_unreachable();
}

/* Where the processor goes when it cannot go on, for instance below the stack. */
__attribute__((used, aligned(4))) void fault(void)
{
    host(WRITE_TEXT, (uintptr_t)"error: the processor met a fault\n");
    leave(1);
}

#ifdef __riscv
__attribute__((naked, used, section(".start"))) void device_start(void)
{
    /* The third is "csrw mtvec, t0", by its number: -march=rv32imac has no name for it. */
    __asm__ volatile("la sp, stack_top\nla t0, fault\n.insn i 0x73, 1, x0, t0, 0x305\nj start");
}
#else
/* The first stack pointer, reset, and 14 exceptions, each of which is an error here. */
__attribute__((used, section(".start"))) static const struct {
    uint32_t *stack;
    void (*reset)(void);
    void (*exceptions[14])(void);
} vectors = { stack_top, start,
    { fault, fault, fault, fault, fault, fault, fault,
      fault, fault, fault, fault, fault, fault, fault } };
#endif

/* Compilers may call these even where there is no C library. */
void *memset(void *to, int byte, __SIZE_TYPE__ count)
{
    for (uint8_t *at = to; count != 0; count--)
        *at++ = (uint8_t)byte;
    return to;
}

void *memcpy(void *to, const void *from, __SIZE_TYPE__ count)
{
    const uint8_t *source = from;
    for (uint8_t *at = to; count != 0; count--)
        *at++ = *source++;
    return to;
}
