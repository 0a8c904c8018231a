/* Checks and output for all modes. */
#pragma once
#include "riscv.h"

/* Counts a check and prints a failure. */
void check(const char *name, u64 got, u64 expected);
/* The same, but skipped on QEMU, for cases in which version 7.2 is laxer than the specification. */
void strict(const char *name, u64 got, u64 expected);
/* Whether QEMU runs this program, for cases that it cannot handle. */
int on_qemu(void);
void print(const char *text);
void print_hex(u64 value);
/* Ends the program, which passes if it made at least one check and none failed. */
void report(void) __attribute__((noreturn));
/* Ends the program at once. */
void finish(u32 code) __attribute__((noreturn));

/* Prints one character. Each mode's runtime implements it. */
void put(char c);
/* The value of marchid, which is 0 on our core. */
extern u64 architecture;

#define UART ((volatile u8 *)0x10000000)
