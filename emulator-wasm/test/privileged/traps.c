/* Exceptions in M-mode: cause, epc and tval of each (privileged specification, 3.1.14 to 3.1.16). */
#include "runtime.h"

#define HOLE 0x18000000UL

static void expect(const char *name, u64 got, u64 cause, u64 tval) {
  check(name, got, cause);
  check(name, m_trap.tval, tval);
}

static u64 epc_of_try(void) {
  u64 at;
  asm volatile(
      "lla t1, 9f\n\t"
      "sd t1, 0(%1)\n\t"
      "lla %0, 1f\n\t"
      "1: .insn 4, 0xdeadbe7b\n\t"
      "9:"
      : "=&r"(at)
      : "r"(&resume)
      : "t1", "memory");
  return at;
}

static void illegal(void) {
  u64 at = epc_of_try();
  check("illegal: cause", m_trap.cause, ILLEGAL);
  check("illegal: tval is the word", m_trap.tval, 0xdeadbe7b);
  check("illegal: epc", m_trap.epc, at);
  check("illegal: MPP", m_trap.status & STATUS_MPP, STATUS_MPP);
  expect("illegal: zero halfword", TRY(".insn 2, 0x0000"), ILLEGAL, 0);
  expect("illegal: reserved compressed", TRY(".insn 2, 0x9000"), ILLEGAL, 0x9000);
  expect("illegal: c.addi4spn zero", TRY(".insn 2, 0x0004"), ILLEGAL, 0x0004);
  expect("illegal: c.lui zero", TRY(".insn 2, 0x6801"), ILLEGAL, 0x6801);
  expect("illegal: c.jr zero", TRY(".insn 2, 0x8002"), ILLEGAL, 0x8002);
  expect("illegal: unknown CSR", TRY(".insn 4, 0x3ff01073"), ILLEGAL, 0x3ff01073);
  expect("illegal: write to a read-only CSR", TRY("csrrw zero, 0xc00, t2"), ILLEGAL, 0xc0039073);
  expect("illegal: reserved rounding mode", TRY(".insn 4, 0x00005053"), ILLEGAL, 0x00005053);
  check("csrrs x0 does not write: read-only CSR", TRY("csrrs t2, 0xf14, zero"), NONE);
  expect("csrrsi 1 writes: read-only CSR", TRY("csrrsi t2, 0xf14, 1"), ILLEGAL, 0xf140e3f3);
}

static void calls(void) {
  check("ecall from M", TRY("li a7, 0\n\tecall"), ECALL_M);
  check("ecall: tval", m_trap.tval, 0);
  check("ebreak", TRY("ebreak"), BREAKPOINT);
  check("c.ebreak", TRY("c.ebreak"), BREAKPOINT);
}

static u64 in_s(u64 unused) {
  forget_traps();
  check("ecall from S", TRY("li a7, 0\n\tecall"), ECALL_S);
  check("ecall from S: MPP", m_trap.status & STATUS_MPP, 1UL << 11);
  check("ecall from S: tval", m_trap.tval, 0);
  check("mret in S", TRY("mret"), ILLEGAL);
  check("mret in S: tval", m_trap.tval, 0x30200073);
  check("M-mode CSR in S", TRY("csrr t2, mstatus"), ILLEGAL);
  return unused + 1;
}

static u64 in_u(u64 unused) {
  check("ecall from U", TRY("li a7, 0\n\tecall"), ECALL_U);
  check("ecall from U: MPP", m_trap.status & STATUS_MPP, 0);
  check("sret in U", TRY("sret"), ILLEGAL);
  check("mret in U", TRY("mret"), ILLEGAL);
  check("sfence.vma in U", TRY("sfence.vma"), ILLEGAL);
  check("S-mode CSR in U", TRY("csrr t2, sstatus"), ILLEGAL);
  return unused + 2;
}

static u64 access_faults(u64 unused) {
  expect("load from nowhere", TRY("ld t2, 8(%0)", "r"(HOLE)), LOAD_ACCESS, HOLE + 8);
  expect("byte load from nowhere", TRY("lbu t2, 3(%0)", "r"(HOLE)), LOAD_ACCESS, HOLE + 3);
  expect("float load from nowhere", TRY("fld ft0, 8(%0)", "r"(HOLE)), LOAD_ACCESS, HOLE + 8);
  expect("store to nowhere", TRY("sw t2, -4(%0)", "r"(HOLE + 4)), STORE_ACCESS, HOLE);
  expect("float store to nowhere", TRY("fsw ft0, 0(%0)", "r"(HOLE)), STORE_ACCESS, HOLE);
  /* QEMU reports the load of an AMO. */
  if (!on_qemu()) expect("AMO on nowhere", TRY("amoadd.w t2, t1, (%0)", "r"(HOLE)), STORE_ACCESS, HOLE);
  expect("LR on nowhere", TRY("lr.d t2, (%0)", "r"(HOLE)), LOAD_ACCESS, HOLE);
  expect("fetch from nowhere", TRY("jr %0", "r"(HOLE + 2)), FETCH_ACCESS, HOLE + 2);
  check("fetch from nowhere: epc", m_trap.epc, HOLE + 2);
  expect("load beyond RAM", TRY("ld t2, 0(%0)", "r"(0x84000000UL)), LOAD_ACCESS, 0x84000000);
  expect("fetch beyond RAM", TRY("jr %0", "r"(0x84000000UL)), FETCH_ACCESS, 0x84000000);
  expect("load far beyond", TRY("ld t2, 0(%0)", "r"(1UL << 50)), LOAD_ACCESS, 1UL << 50);
  return unused;
}

static u64 word __attribute__((aligned(8))) = 5;

static void misaligned_atomics(void) {
  u64 at = (u64)&word;
  expect("misaligned LR", TRY("lr.w t2, (%0)", "r"(at + 1)), LOAD_MISALIGNED, at + 1);
  if (on_qemu()) return; /* QEMU reports AMOs as loads, and fails an SC before it checks the address. */
  expect("misaligned AMO word", TRY("amoadd.w t2, t1, (%0)", "r"(at + 2)), STORE_MISALIGNED, at + 2);
  expect("misaligned AMO double", TRY("amoadd.d t2, t1, (%0)", "r"(at + 4)), STORE_MISALIGNED, at + 4);
  expect("misaligned SC", TRY("sc.d t2, t1, (%0)", "r"(at + 4)), STORE_MISALIGNED, at + 4);
  check("memory as before", word, 5);
}

/* A trap must leave destination registers as they were. */
static void precise(void) {
  u64 value;
  asm volatile(
      "lla t1, 9f\n\t"
      "sd t1, 0(%1)\n\t"
      "li %0, 77\n\t"
      "ld %0, 0(%2)\n\t"
      "li %0, 99\n\t"
      "9:"
      : "=&r"(value)
      : "r"(&resume), "r"(HOLE)
      : "t1", "memory");
  check("a faulting load writes no register", value, 77);
  double number = 2.5;
  asm volatile(
      "lla t1, 9f\n\t"
      "sd t1, 0(%1)\n\t"
      "fmv.d.x %0, zero\n\t"
      "fld %0, 0(%2)\n\t"
      "9:"
      : "=&f"(number)
      : "r"(&resume), "r"(HOLE)
      : "t1", "memory");
  check("a faulting fld writes no register", number == 0.0, 1);
}

static void status_stack(void) {
  SET_CSR(mstatus, STATUS_MIE);
  TRY("li a7, 0\n\tecall");
  check("MPIE takes MIE", m_trap.status & (STATUS_MPIE | STATUS_MIE), STATUS_MPIE);
  check("mret gives MIE back", READ_CSR(mstatus) & STATUS_MIE, STATUS_MIE);
  check("mret sets MPIE", READ_CSR(mstatus) & STATUS_MPIE, STATUS_MPIE);
  check("mret leaves MPP at U", READ_CSR(mstatus) & STATUS_MPP, 0);
  CLEAR_CSR(mstatus, STATUS_MIE);
  TRY("li a7, 0\n\tecall");
  check("MPIE takes MIE = 0", m_trap.status & (STATUS_MPIE | STATUS_MIE), 0);
}

int main(void) {
  illegal();
  calls();
  check("result of S", run_in(S, in_s, 41, 0), 42);
  check("result of U", run_in(U, in_u, 40, 0), 42);
  access_faults(0);
  run_in(S, access_faults, 0, 0);
  run_in(U, access_faults, 0, 0);
  misaligned_atomics();
  precise();
  status_stack();
  return 0;
}
