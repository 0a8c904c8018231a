/*
 * mret, sret, MPRV, and the prohibitions of TVM, TW and TSR for S-mode (privileged specification, 3.1.6,
 * 3.3.2).
 */
#include "runtime.h"
#include "vm.h"

static u64 page[512] __attribute__((aligned(4096)));

static u64 nothing(u64 argument) { return argument; }

/* Executes mret to the next instruction with this MPP and MPRV set. Returns mstatus there, read in M-mode. */
static u64 mret_to_m(void) {
  u64 status;
  asm volatile(
      "csrs mstatus, %1\n\t"
      "lla t1, 1f\n\t"
      "csrw mepc, t1\n\t"
      "mret\n"
      "1: csrr %0, mstatus"
      : "=r"(status)
      : "r"(STATUS_MPP | STATUS_MPRV)
      : "t1", "memory");
  CLEAR_CSR(mstatus, STATUS_MPRV | STATUS_MPP);
  return status;
}

/* Bit 0 of `expected`: TSR is set. Bit 1: TVM is set. */
static u64 privileged_here(u64 expected) {
  check("sret", TRY("lla t1, 9f\n\tcsrw sepc, t1\n\tli t2, 0x100\n\tcsrs sstatus, t2\n\tsret"),
        expected & 1 ? ILLEGAL : NONE);
  check("read satp", TRY("csrr t2, satp"), expected & 2 ? ILLEGAL : NONE);
  check("write satp", TRY("csrw satp, zero"), expected & 2 ? ILLEGAL : NONE);
  check("sfence.vma", TRY("sfence.vma"), expected & 2 ? ILLEGAL : NONE);
  check("sfence.vma of one page", TRY("sfence.vma t2, zero"), expected & 2 ? ILLEGAL : NONE);
  check("sstatus", TRY("csrr t2, sstatus"), NONE);
  return expected;
}

static u64 wait_for_interrupt(u64 expected) {
  check("wfi in S", TRY("wfi"), expected);
  return expected;
}

static void modify_privilege(void) {
  vm_init();
  u64 rw = PTE_V | PTE_R | PTE_W | PTE_AD;
  map(FREE_VA, (u64)page, rw, 0);
  map(FREE_VA + PAGE, (u64)page, rw | PTE_U, 0);
  map(FREE_VA + 2 * PAGE, (u64)page, PTE_V | PTE_X | PTE_A, 0);
  vm_on();
  page[3] = 1234;
  u64 got = 0;
  u64 s = 1UL << 11 | STATUS_MPRV;
  check("M-mode itself is not translated", TRY("ld t2, 24(%0)", "r"(FREE_VA)), LOAD_ACCESS);
/*
 * TRY with these bits set in mstatus for the single instruction `code`, which may use %[at] and load %[got].
 */
#define PROBE(status_, code, address_)                                                 \
  ({                                                                                   \
    CLEAR_CSR(mstatus, STATUS_MPRV | STATUS_MPP | STATUS_SUM | STATUS_MXR);            \
    forget_traps();                                                                    \
    asm volatile(                                                                      \
        "lla t1, 9f\n\t"                                                               \
        "sd t1, 0(%[resume])\n\t"                                                      \
        "csrs mstatus, %[bits]\n\t" code "\n\t"                                        \
        "9:\n\t"                                                                       \
        "li t1, 0xe1800\n\t" /* MPP, MPRV, SUM, MXR */                                 \
        "csrc mstatus, t1\n\t"                                                         \
        "sd zero, 0(%[resume])"                                                        \
        : [got] "+r"(got)                                                              \
        : [resume] "r"(&resume), [bits] "r"((u64)(status_)), [at] "r"((u64)(address_)) \
        : "t1", "t2", "memory");                                                       \
    m_trap.cause;                                                                      \
  })
#define MPRV_OFF "li t2, 0x20000\n\tcsrc mstatus, t2\n\t"
#define MPRV_ON "csrs mstatus, t2\n\t"
  check("MPRV alone turned off",
        PROBE(s, "ld %[got], 24(%[at])\n\t" MPRV_OFF "ld %[got], 24(%[at])", FREE_VA), LOAD_ACCESS);
  check("MPRV alone turned on", PROBE(s, MPRV_OFF MPRV_ON "ld %[got], 24(%[at])", FREE_VA), NONE);
  check("loads", got, 1234);
  check("MPRV with MPP = S translates", PROBE(s, "ld %[got], 24(%[at])", FREE_VA), NONE);
  check("and loads", got, 1234);
  check("a store too", PROBE(s, "sd %[at], 32(%[at])", FREE_VA), NONE);
  check("is seen", page[4], FREE_VA);
  check("MPP = S, page of U", PROBE(s, "ld %[got], 24(%[at])", FREE_VA + PAGE), LOAD_PAGE);
  check("tval", m_trap.tval, FREE_VA + PAGE + 24);
  check("MPP = S, page of U, SUM", PROBE(s | STATUS_SUM, "ld %[got], 24(%[at])", FREE_VA + PAGE), NONE);
  check("MPP = U, page of U", PROBE(STATUS_MPRV, "ld %[got], 24(%[at])", FREE_VA + PAGE), NONE);
  check("MPP = U, page of S", PROBE(STATUS_MPRV, "sb %[at], 0(%[at])", FREE_VA), STORE_PAGE);
  check("execute-only page", PROBE(s, "ld %[got], 0(%[at])", FREE_VA + 2 * PAGE), LOAD_PAGE);
  check("execute-only page, MXR", PROBE(s | STATUS_MXR, "ld %[got], 0(%[at])", FREE_VA + 2 * PAGE), NONE);
  check("MPP = M: no translation", PROBE(STATUS_MPP | STATUS_MPRV, "ld %[got], 24(%[at])", (u64)page), NONE);
  check("loads the physical address", got, 1234);
  vm_off();
}

/* Executes sret to S-mode. Returns mstatus as the trap back found it. */
static u64 sret_from_m(void) {
  forget_traps();
  resume_in_m = 1;
  asm volatile(
      "lla t1, 9f\n\t"
      "sd t1, 0(%0)\n\t"
      "csrs mstatus, %1\n\t"
      "lla t1, 1f\n\t"
      "csrw sepc, t1\n\t"
      "sret\n"
      "1: li a7, 0\n\t"
      "ecall\n"
      "9:"
      :
      : "r"(&resume), "r"(STATUS_SPP | STATUS_MPRV | STATUS_SPIE)
      : "t1", "a7", "memory");
  resume_in_m = 0;
  return m_trap.status;
}

int main(void) {
  u64 status = mret_to_m();
  check("mret to M keeps MPRV", status & STATUS_MPRV, STATUS_MPRV);
  check("mret leaves MPP = U", status & STATUS_MPP, 0);
  SET_CSR(mstatus, STATUS_MPRV);
  run_in(S, nothing, 0, 0);
  strict("mret to S clears MPRV", READ_CSR(mstatus) & STATUS_MPRV, 0);
  SET_CSR(mstatus, STATUS_MPRV);
  run_in(U, nothing, 0, 0);
  strict("mret to U clears MPRV", READ_CSR(mstatus) & STATUS_MPRV, 0);
  CLEAR_CSR(mstatus, STATUS_MPRV);

  SET_CSR(mstatus, 2UL << 11);
  strict("MPP holds no reserved mode", (READ_CSR(mstatus) >> 11 & 3) == 2, 0);

  status = sret_from_m();
  check("sret from M goes to S", m_trap.cause, ECALL_S);
  strict("sret clears MPRV", status & STATUS_MPRV, 0);
  check("sret: SIE takes SPIE, SPIE = 1, SPP = U", status & (STATUS_SIE | STATUS_SPIE | STATUS_SPP),
        STATUS_SIE | STATUS_SPIE);
  CLEAR_CSR(mstatus, STATUS_SIE | STATUS_MPRV);

  run_in(S, privileged_here, 0, 0);
  SET_CSR(mstatus, STATUS_TSR);
  run_in(S, privileged_here, 1, 0);
  CLEAR_CSR(mstatus, STATUS_TSR);
  SET_CSR(mstatus, STATUS_TVM);
  run_in(S, privileged_here, 2, 0);
  check("TVM does not bind M", TRY("csrr t2, satp\n\tsfence.vma"), NONE);
  CLEAR_CSR(mstatus, STATUS_TVM);
  SET_CSR(mstatus, STATUS_TW);
  run_in(S, wait_for_interrupt, ILLEGAL, 0);
  CLEAR_CSR(mstatus, STATUS_TW);
  /* The interrupt is pending and enabled, but delegated to S-mode, which does not take it. wfi continues. */
  CLEAR_CSR(mstatus, STATUS_SIE);
  WRITE_CSR(mideleg, 2);
  SET_CSR(mip, 2);
  SET_CSR(mie, 2);
  run_in(S, wait_for_interrupt, NONE, 0);
  CLEAR_CSR(mie, 2);
  CLEAR_CSR(mip, 2);
  modify_privilege();
  return 0;
}
