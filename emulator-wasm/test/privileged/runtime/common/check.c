#include "check.h"

#define FINISHER ((volatile u32 *)0x100000)

static volatile u32 checks, failures;

void print(const char *text) {
  while (*text) put(*text++);
}

void print_hex(u64 value) {
  print("0x");
  for (int shift = 60; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
}

void check(const char *name, u64 got, u64 expected) {
  checks++;
  if (got == expected) return;
  failures++;
  print("FAIL ");
  print(name);
  print(": got ");
  print_hex(got);
  print(", expected ");
  print_hex(expected);
  print("\n");
}

u64 architecture;

int on_qemu(void) { return architecture != 0; /* Our core reads 0. */ }

void strict(const char *name, u64 got, u64 expected) {
  if (!on_qemu()) check(name, got, expected);
}

void finish(u32 code) {
  *FINISHER = code ? code << 16 | 0x3333 : 0x5555;
  for (;;);
}

void report(void) {
  print(failures || !checks ? "failed\n" : "passed\n");
  finish(failures || !checks);
}

/* The compiler may generate calls to these. */
void *memset(void *to, int value, u64 count) {
  for (u64 i = 0; i < count; i++) ((volatile u8 *)to)[i] = value;
  return to;
}

void *memcpy(void *to, const void *from, u64 count) {
  for (u64 i = 0; i < count; i++) ((volatile u8 *)to)[i] = ((const u8 *)from)[i];
  return to;
}
