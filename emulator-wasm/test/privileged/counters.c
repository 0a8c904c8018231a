/*
 * The exact counts of minstret and mcycle (privileged specification 3.1.10, 3.1.12).
 * Core only: QEMU counts the host's time unless told otherwise.
 */
#include "runtime.h"

static void exact(void) {
  u64 a, b;
  asm volatile("csrr %0, minstret\n\tcsrr %1, minstret" : "=r"(a), "=r"(b));
  check("from one read to the next", b - a, 1);
  asm volatile("csrr %0, minstret\n\tnop\n\tnop\n\tnop\n\tcsrr %1, minstret" : "=r"(a), "=r"(b));
  check("three between", b - a, 4);
  asm volatile(
      "csrr %0, minstret\n\t"
      "li t0, 1000\n"
      "1: addi t0, t0, -1\n\t"
      "bnez t0, 1b\n\t"
      "csrr %1, minstret"
      : "=&r"(a), "=&r"(b)::"t0");
  check("a loop", b - a, 2 + 2000);
  asm volatile(
      "csrr %0, minstret\n\t"
      "j 2f\n"
      "1: c.nop\n\t"
      "j 3f\n"
      "2: lla t0, 1b\n\t" /* two instructions */
      "jr t0\n"
      "3: fence.i\n\t"
      "fmv.d.x ft0, zero\n\t"
      "csrr %1, minstret"
      : "=&r"(a), "=&r"(b)::"t0", "ft0");
  check("jumps and slow instructions", b - a, 9);
  asm volatile("csrr %0, instret\n\tnop\n\tcsrr %1, instret" : "=r"(a), "=r"(b));
  check("instret", b - a, 2);
  asm volatile("csrr %0, minstret\n\tnop\n\tcsrr %1, instret" : "=r"(a), "=r"(b));
  check("instret is minstret", b - a, 2);
}

/* A loop that is hot enough to be compiled counts as exactly: eight instructions a round. */
static void hot_loop(void) {
  u64 previous, now, other = 0;
  asm volatile(
      "rdinstret %0\n\t"
      "li t0, 200000\n"
      "1: rdinstret %1\n\t"
      "sub t1, %1, %0\n\t"
      "mv %0, %1\n\t"
      "xori t1, t1, 8\n\t"
      "snez t1, t1\n\t"
      "add %2, %2, t1\n\t"
      "addi t0, t0, -1\n\t"
      "bnez t0, 1b"
      : "=&r"(previous), "=&r"(now), "+r"(other)::"t0", "t1");
  check("rounds of a hot loop that count otherwise, of which the first is one", other, 1);
}

/* A trapping instruction does not retire; the handler's instructions do. */
static u64 trap_cost(u64 kind) {
  u64 a, b;
  forget_traps();
  if (kind) {
    asm volatile(
        "lla t1, 9f\n\tsd t1, 0(%2)\n\tli a7, 0\n\tcsrr %0, minstret\n\tebreak\n\tnop\n9:\n\tcsrr %1, minstret"
        : "=&r"(a), "=&r"(b) : "r"(&resume) : "t1", "a7", "memory");
  } else {
    asm volatile(
        "lla t1, 9f\n\tsd t1, 0(%2)\n\tli a7, 0\n\tcsrr %0, minstret\n\tecall\n\tnop\n9:\n\tcsrr %1, minstret"
        : "=&r"(a), "=&r"(b) : "r"(&resume) : "t1", "a7", "memory");
  }
  return b - a;
}

/*
 * A handler of two instructions, which skips the trapping 4-byte instruction. The counts are therefore known.
 */
asm(".balign 4\n"
    "skip_vector:\n"
    "  csrr t3, mepc\n"
    "  addi t3, t3, 4\n"
    "  csrw mepc, t3\n"
    "  mret\n");
extern char skip_vector[];

static void traps(void) {
  u64 vector = READ_CSR(mtvec);
  u64 a, b;
  WRITE_CSR(mtvec, skip_vector);
  asm volatile("csrr %0, minstret\n\tecall\n\tcsrr %1, minstret" : "=&r"(a), "=&r"(b)::"t3");
  check("ecall does not retire", b - a, 5);
  asm volatile(".option push\n\t.option norvc\n\tcsrr %0, minstret\n\tebreak\n\tcsrr %1, minstret\n\t.option pop"
               : "=&r"(a), "=&r"(b)::"t3");
  check("ebreak does not retire", b - a, 5);
  asm volatile(".option push\n\t.option norvc\n\tli t4, 0x18000000\n\tcsrr %0, minstret\n\tld t5, 0(t4)\n\t"
               "csrr %1, minstret\n\t.option pop"
               : "=&r"(a), "=&r"(b)::"t3", "t4", "t5");
  check("a faulting load does not retire", b - a, 5);
  asm volatile("csrr %0, minstret\n\t.insn 4, 0x0000007b\n\tcsrr %1, minstret" : "=&r"(a), "=&r"(b)::"t3");
  check("an illegal instruction does not retire", b - a, 5);
  WRITE_CSR(mtvec, vector);
  check("ecall and ebreak cost the same", trap_cost(0), trap_cost(1));
}

static void writes(void) {
  u64 a, b;
  asm volatile("csrw minstret, %2\n\tcsrr %0, minstret\n\tcsrr %1, minstret" : "=&r"(a), "=&r"(b) : "r"(1000UL));
  check("a write is what the next instruction reads", a, 1000);
  check("and counts on", b, 1001);
  asm volatile("csrw mcycle, %2\n\tcsrr %0, mcycle\n\tcsrr %1, cycle" : "=&r"(a), "=&r"(b) : "r"(1UL << 40));
  check("mcycle continues from a write", a - (1UL << 40) < 1000, 1);
  check("cycle is mcycle", b - a < 1000, 1);
  asm volatile("csrr %0, minstret\n\tcsrsi mcountinhibit, 4\n\tnop\n\tnop\n\tcsrr %1, minstret" : "=r"(a), "=r"(b));
  check("inhibited soon", b - a <= 2, 1);
  asm volatile("csrr %0, minstret\n\tnop\n\tnop\n\tcsrr %1, minstret" : "=r"(a), "=r"(b));
  check("inhibited", b - a, 0);
  WRITE_CSR(minstret, 5);
  check("written while inhibited", READ_CSR(minstret), 5);
  WRITE_CSR(mcountinhibit, 0);
  asm volatile("csrr %0, minstret\n\tnop\n\tcsrr %1, minstret" : "=r"(a), "=r"(b));
  check("counts again", b - a, 2);
  check("from where it stood", b < 20, 1);
  WRITE_CSR(mcountinhibit, 1);
  a = READ_CSR(mcycle);
  for (volatile int i = 0; i < 100; i++);
  check("mcycle inhibited", READ_CSR(mcycle), a);
  WRITE_CSR(mcountinhibit, 0);
  for (volatile int i = 0; i < 100; i++);
  check("mcycle counts again", READ_CSR(mcycle) > a, 1);
}

static u64 user(u64 unused) {
  u64 a, b;
  asm volatile("rdinstret %0\n\tnop\n\tnop\n\trdinstret %1" : "=r"(a), "=r"(b));
  return b - a + unused;
}

int main(void) {
  for (int i = 0; i < 3; i++) exact();
  hot_loop();
  traps();
  writes();
  WRITE_CSR(mcounteren, 7);
  WRITE_CSR(scounteren, 7);
  check("in S", run_in(S, user, 0, 0), 3);
  check("in U", run_in(U, user, 0, 0), 3);
  return 0;
}
