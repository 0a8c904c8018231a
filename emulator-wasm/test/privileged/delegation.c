/*
 * The mode that takes a trap, and the state that the trap saves there (privileged specification, 3.1.8, 4.1).
 */
#include "runtime.h"

static u64 traps_in_s(u64 unused) {
  check("delegated illegal from S", TRY(".insn 4, 0x0000007b"), NONE);
  check("scause", s_trap.cause, ILLEGAL);
  check("stval", s_trap.tval, 0x7b);
  check("SPP is S", s_trap.status & STATUS_SPP, STATUS_SPP);
  check("delegated ebreak from S", TRY("ebreak"), NONE);
  check("scause of ebreak", s_trap.cause, BREAKPOINT);
  check("ecall from S, not delegated", TRY("li a7, 0\n\tecall"), ECALL_S);
  check("goes to M only", s_trap.cause, NONE);
  check("load access fault, not delegated", TRY("ld t2, 0(%0)", "r"(0x18000000UL)), LOAD_ACCESS);

  asm volatile("csrsi sstatus, 2");
  TRY("ebreak");
  check("SPIE takes SIE", s_trap.status & (STATUS_SPIE | STATUS_SIE), STATUS_SPIE);
  check("sret gives SIE back, sets SPIE, clears SPP",
        READ_CSR(sstatus) & (STATUS_SIE | STATUS_SPIE | STATUS_SPP), STATUS_SIE | STATUS_SPIE);
  asm volatile("csrci sstatus, 2");
  TRY("ebreak");
  check("SPIE takes SIE = 0", s_trap.status & (STATUS_SPIE | STATUS_SIE), 0);
  return unused;
}

static u64 traps_in_u(u64 unused) {
  check("delegated illegal from U", TRY(".insn 2, 0x0000"), NONE);
  check("scause", s_trap.cause, ILLEGAL);
  check("stval", s_trap.tval, 0);
  check("SPP is U", s_trap.status & STATUS_SPP, 0);
  check("delegated ecall from U", TRY("li a7, 0\n\tecall"), NONE);
  check("scause of ecall", s_trap.cause, ECALL_U);
  return unused + 1;
}

int main(void) {
  delegate(1UL << ILLEGAL | 1UL << BREAKPOINT | 1UL << ECALL_U, 0);
  check("M-mode keeps its own traps", TRY(".insn 4, 0x0000007b"), ILLEGAL);
  check("and S-mode sees none of them", s_trap.cause, NONE);
  run_in(S, traps_in_s, 0, 0);
  check("result of U through S", run_in(U, traps_in_u, 6, 0), 7);
  u64 before = m_trap.count;
  run_in(U, traps_in_u, 0, 0);
  check("M-mode was not asked", m_trap.count, before);

  WRITE_CSR(medeleg, ~0UL);
  strict("ecall from M cannot be delegated", READ_CSR(medeleg) >> ECALL_M & 1, 0);
  WRITE_CSR(medeleg, 0);
  WRITE_CSR(mideleg, ~0UL);
  check("M-mode's interrupts cannot be delegated, S-mode's can", READ_CSR(mideleg) & 0xaaa, 0x222);
  return 0;
}
