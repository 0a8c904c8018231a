/* Checks and output, whatever the mode. */
#pragma once
#include "riscv.h"

/* Counts a check and prints what fails. */
void check(const char *name, u64 got, u64 expected);
/* The same, but not on QEMU: where its version 7.2 is laxer than the specification. */
void strict(const char *name, u64 got, u64 expected);
/* Whether QEMU runs this, for what it cannot do at all. */
int on_qemu(void);
void print(const char *text);
void print_hex(u64 value);
/* Ends the program: pass if at least one check was made and none failed. */
void report(void) __attribute__((noreturn));
/* Ends the program at once. */
void finish(u32 code) __attribute__((noreturn));

/* Prints one character; each mode's runtime has its own way. */
void put(char c);
/* What marchid reads: 0 on our core. */
extern u64 architecture;

#define UART ((volatile u8 *)0x10000000)
