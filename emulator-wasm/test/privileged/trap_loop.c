/*
 * Exceptions whose handlers raise them again. Interrupts must still occur (privileged specification 3.1.6.1).
 */
#include "devices.h"

static volatile u64 seen;
static u32 zeros[1] __attribute__((aligned(4)));

/* Ends a run_in, at any place in the program. */
asm(".balign 4\n"
    "escape:\n"
    "  csrr t0, mcause\n"
    "  lla t1, seen\n"
    "  sd t0, 0(t1)\n"
    "  j run_in_end\n");
extern char escape[];

static u64 illegal_for_ever(u64 unused) {
  asm volatile(".insn 2, 0x0000");
  return unused;
}

static u64 fetch_for_ever(u64 unused) {
  WRITE_CSR(stvec, 0x18000000); /* nothing there */
  return illegal_for_ever(unused);
}

static void loop(const char *name, u64 (*function)(u64)) {
  u64 vector = READ_CSR(mtvec);
  WRITE_CSR(mtvec, escape);
  WRITE_CSR(stvec, zeros);
  WRITE_CSR(medeleg, 1UL << ILLEGAL | 1UL << FETCH_ACCESS);
  seen = 0;
  MTIMECMP(0) = MTIME + 20000;
  WRITE_CSR(mie, 1UL << MTI);
  run_in(S, function, 0, 0);
  check(name, seen, INTERRUPT | MTI);
  WRITE_CSR(mie, 0);
  WRITE_CSR(mtvec, vector);
  WRITE_CSR(medeleg, 0);
}

int main(void) {
  loop("illegal instructions in S", illegal_for_ever);
  loop("fetches of nothing in S", fetch_for_ever);
  return 0;
}
