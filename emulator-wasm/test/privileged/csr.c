/* The CSRs that each mode may use (privileged specification 2.1, 3.1.11, 10.3; Sstc). */
#include "runtime.h"

/* Bit n: access n must be allowed. */
static u64 counters(u64 allowed) {
  check("cycle", TRY("csrr t2, cycle"), allowed & 1 ? NONE : ILLEGAL);
  check("time", TRY("csrr t2, time"), allowed & 2 ? NONE : ILLEGAL);
  check("instret", TRY("csrr t2, instret"), allowed & 4 ? NONE : ILLEGAL);
  return 0;
}

static u64 timer(u64 allowed) {
  check("read stimecmp", TRY("csrr t2, 0x14d"), allowed ? NONE : ILLEGAL);
  check("write stimecmp", TRY("li t2, -1\n\tcsrw 0x14d, t2"), allowed ? NONE : ILLEGAL);
  return 0;
}

/* Reads every CSR number in the current mode. Those of a higher mode must be refused. */
#define READ_ONE(number) TRY("csrrs t2, " #number ", zero")

static u64 higher_than_s(u64 unused) {
  check("mstatus", READ_ONE(0x300), ILLEGAL);
  check("misa", READ_ONE(0x301), ILLEGAL);
  check("mie", READ_ONE(0x304), ILLEGAL);
  check("mtvec", READ_ONE(0x305), ILLEGAL);
  check("mscratch", READ_ONE(0x340), ILLEGAL);
  check("mip", READ_ONE(0x344), ILLEGAL);
  check("menvcfg", READ_ONE(0x30a), ILLEGAL);
  check("pmpcfg0", READ_ONE(0x3a0), ILLEGAL);
  check("mcycle", READ_ONE(0xb00), ILLEGAL);
  check("mhartid", READ_ONE(0xf14), ILLEGAL);
  return unused;
}

static u64 higher_than_u(u64 unused) {
  higher_than_s(unused);
  check("sstatus", READ_ONE(0x100), ILLEGAL);
  check("sie", READ_ONE(0x104), ILLEGAL);
  check("stvec", READ_ONE(0x105), ILLEGAL);
  check("scounteren", READ_ONE(0x106), ILLEGAL);
  check("senvcfg", READ_ONE(0x10a), ILLEGAL);
  check("sscratch", READ_ONE(0x140), ILLEGAL);
  check("sip", READ_ONE(0x144), ILLEGAL);
  check("satp", READ_ONE(0x180), ILLEGAL);
  check("fcsr is U's", READ_ONE(0x003), NONE);
  return unused;
}

static u64 supervisor(u64 unused) {
  higher_than_s(unused);
  check("sstatus", READ_ONE(0x100), NONE);
  check("sie", READ_ONE(0x104), NONE);
  check("stvec", READ_ONE(0x105), NONE);
  check("scounteren", READ_ONE(0x106), NONE);
  check("senvcfg", READ_ONE(0x10a), NONE);
  check("scause", READ_ONE(0x142), NONE);
  check("sip", READ_ONE(0x144), NONE);
  check("satp", READ_ONE(0x180), NONE);
  return unused;
}

static void machine(void) {
  check("mvendorid", READ_ONE(0xf11), NONE);
  check("marchid", READ_ONE(0xf12), NONE);
  check("mimpid", READ_ONE(0xf13), NONE);
  check("mhartid", READ_ONE(0xf14), NONE);
  check("mconfigptr", READ_ONE(0xf15), NONE);
  check("mhartid is read-only", TRY("csrw 0xf14, zero"), ILLEGAL);
  check("mhpmcounter3", READ_ONE(0xb03), NONE);
  strict("mhpmcounter31", READ_ONE(0xb1f), NONE);
  check("mhpmevent3", READ_ONE(0x323), NONE);
  check("pmpcfg2", READ_ONE(0x3a2), NONE);
  check("pmpaddr15", READ_ONE(0x3bf), NONE);
  check("odd pmpcfg is RV32's", READ_ONE(0x3a1), ILLEGAL);
  check("cycleh is RV32's", READ_ONE(0xc80), ILLEGAL);
  check("mstatush is RV32's", READ_ONE(0x310), ILLEGAL);
  check("hypervisor CSR", READ_ONE(0x600), ILLEGAL);
  check("vector CSR", READ_ONE(0xc20), ILLEGAL);
  check("user custom CSR", READ_ONE(0x800), ILLEGAL);
}

/* The instructions themselves: the values that they read, write and keep. */
static void operations(void) {
  u64 old, after;
  asm volatile(
      "csrw mscratch, %2\n\t"
      "csrrw %0, mscratch, %3\n\t"
      "csrr %1, mscratch\n\t"
      : "=&r"(old), "=&r"(after)
      : "r"(0xf0f0UL), "r"(0x1234UL));
  check("csrrw reads", old, 0xf0f0);
  check("csrrw writes", after, 0x1234);
  asm volatile("csrrs %0, mscratch, %2\n\tcsrr %1, mscratch" : "=&r"(old), "=&r"(after) : "r"(0xff00UL));
  check("csrrs reads", old, 0x1234);
  check("csrrs sets", after, 0xff34);
  asm volatile("csrrc %0, mscratch, %2\n\tcsrr %1, mscratch" : "=&r"(old), "=&r"(after) : "r"(0x0f0fUL));
  check("csrrc reads", old, 0xff34);
  check("csrrc clears", after, 0xf030);
  asm volatile("csrrwi %0, mscratch, 21\n\tcsrrsi zero, mscratch, 8\n\tcsrrci zero, mscratch, 4\n\tcsrr %1, mscratch"
               : "=&r"(old), "=&r"(after));
  check("csrrwi reads", old, 0xf030);
  check("csrrwi, csrrsi, csrrci", after, 25);
  u64 same = 0x55;
  asm volatile("csrrw %0, mscratch, %0\n\tcsrr %1, mscratch" : "+r"(same), "=r"(after));
  check("csrrw with one register swaps", same, 25);
  check("both ways", after, 0x55);
  WRITE_CSR(mscratch, READ_CSR(mscratch));
}

int main(void) {
  u64 trap_stack = READ_CSR(mscratch);
  operations();
  WRITE_CSR(mscratch, trap_stack);
  machine();
  run_in(S, supervisor, 0, 0);
  run_in(U, higher_than_u, 0, 0);
  for (u64 m = 0; m < 8; m++) {
    for (u64 s = 0; s < 8; s++) {
      WRITE_CSR(mcounteren, m);
      WRITE_CSR(scounteren, s);
      counters(7);
      run_in(S, counters, m, 0);
      run_in(U, counters, m & s, 0);
    }
  }
  timer(1);
  for (u64 enable = 0; enable < 2; enable++) {
    for (u64 counter = 0; counter < 2; counter++) {
      WRITE_CSR(menvcfg, enable << 63);
      WRITE_CSR(mcounteren, counter << 1);
      run_in(S, timer, enable & counter, 0);
      run_in(U, timer, 0, 0);
    }
  }
  return 0;
}
