/* What a bare processor needs to run the model: a start, memory, a clock, and files of the host.
 *
 * Files and the end of the program go through semihosting, which QEMU and debuggers serve.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdint.h>

/* How a file is opened: as "rb", "wb", and the console for text. */
#define DEVICE_READ 1
#define DEVICE_WRITE 5
#define DEVICE_PRINT 4
#define DEVICE_CONSOLE ":tt"

/* Instructions per tick of the clock where each takes 1 ns, as in QEMU with -icount shift=0. */
#ifdef __riscv
#define DEVICE_TICK 100 /* 10 MHz */
#else
#define DEVICE_TICK 40 /* 25 MHz */
#endif

/* Open a file of the host; return its handle, or -1. */
int device_open(const char *path, int mode);

/* Read or write bytes; return how many there were. */
int device_read(int file, void *bytes, int count);
int device_write(int file, const void *bytes, int count);

/* Ticks of the clock, modulo 2^32. */
uint32_t device_ticks(void);

/* Bytes of the stack that were ever used, and all that there are. */
int device_stack_bytes(void);
int device_stack_size(void);

#endif
