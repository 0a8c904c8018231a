/*
 * Interrupts: when they are taken, in which order, by which mode.
 * (Privileged specification, sections 3.1.6.1, 3.1.9 and 4.1.3.)
 */
#include "devices.h"

#define BIT(n) (1UL << (n))

static void quiet(void) {
  CLEAR_CSR(mstatus, STATUS_MIE | STATUS_SIE);
  WRITE_CSR(mie, 0);
  MSIP(0) = 0;
  MTIMECMP(0) = ~0UL;
  WRITE_CSR(menvcfg, 0);
  WRITE_CSR(mip, 0);
  WRITE_CSR(mideleg, 0);
  PLIC_ENABLE(0) = 0;
  PLIC_ENABLE(1) = 0;
  UART_IER = 0;
  interrupt_count = 0;
  forget_traps();
}

/* Waits until these bits of mip are set, because external interrupts may take a moment. */
static u64 wait_pending(u64 bits) {
  for (int i = 0; i < 1000000 && (READ_CSR(mip) & bits) != bits; i++);
  return READ_CSR(mip) & bits;
}

static void raise_all(void) {
  PLIC_PRIORITY(UART_SOURCE) = 1;
  PLIC_THRESHOLD(0) = 0;
  PLIC_ENABLE(0) = BIT(UART_SOURCE);
  UART_IER = 2;
  MSIP(0) = 1;
  MTIMECMP(0) = 0;
  SET_CSR(mip, BIT(SSI) | BIT(STI) | BIT(SEI));
  check("all pending", wait_pending(0xaaa), 0xaaa);
}

/* The order in which they were taken, two decimal digits each, S-mode's as 60 + code. */
static u64 order(void) {
  u64 digits = 0;
  for (u32 i = 0; i < interrupt_count; i++) {
    digits = digits * 100 + (interrupts[i] >= 100 ? interrupts[i] - 40 : interrupts[i]);
  }
  return digits;
}

static u64 spin(u64 rounds) {
  for (volatile u64 i = 0; i < rounds; i++);
  return rounds;
}

static u64 enable_s(u64 rounds) {
  SET_CSR(sstatus, STATUS_SIE);
  spin(rounds);
  CLEAR_CSR(sstatus, STATUS_SIE);
  return 0;
}

/* QEMU without the AIA takes the lowest number first. */
static void priorities(void) {
  quiet();
  raise_all();
  WRITE_CSR(mie, 0xaaa);
  spin(100);
  check("none while MIE is off", interrupt_count, 0);
  SET_CSR(mstatus, STATUS_MIE);
  spin(100);
  strict("MEI MSI MTI SEI SSI STI", order(), 110307090105);
  quiet();
  raise_all();
  WRITE_CSR(mideleg, 0x222);
  WRITE_CSR(mie, 0xaaa);
  SET_CSR(mstatus, STATUS_MIE);
  spin(100);
  strict("M-mode takes no delegated ones", order(), 110307);
  CLEAR_CSR(mstatus, STATUS_MIE);
  check("which stay pending", READ_CSR(mip) & 0x222, 0x222);
  interrupt_count = 0;
  WRITE_CSR(mie, 0x222);
  run_in(S, spin, 100, 0);
  check("S-mode none while SIE is off", interrupt_count, 0);
  run_in(S, enable_s, 100, 0);
  strict("S-mode: SEI SSI STI", order(), 696165);
  interrupt_count = 0;
  WRITE_CSR(mie, 0x222);
  run_in(U, spin, 100, 0);
  strict("U-mode is open to S-mode's, SIE or not", order(), 696165);
  interrupt_count = 0;
  WRITE_CSR(mie, 0xaaa);
  run_in(U, spin, 100, 0);
  strict("U-mode: M-mode's before S-mode's", order(), 110307696165);
  interrupt_count = 0;
  WRITE_CSR(mie, 0xaaa);
  run_in(S, spin, 100, 0);
  strict("S-mode is open to M-mode's, MIE or not", order(), 110307);
  quiet();
  raise_all();
  WRITE_CSR(mideleg, BIT(STI));
  WRITE_CSR(mie, 0x222);
  run_in(S, enable_s, 100, 0);
  strict("what is not delegated goes to M-mode first", order(), 90165);
  quiet();
}

/* The CSR write that enables a pending interrupt is the last instruction before the interrupt. */
static void at_once(void) {
  u64 at;
  quiet();
  MSIP(0) = 1;
  check("MSIP", wait_pending(BIT(MSI)), BIT(MSI));
  WRITE_CSR(mie, BIT(MSI));
  asm volatile("csrsi mstatus, 8\n1: lla %0, 1b" : "=r"(at)::"memory");
  check("mstatus.MIE: cause", m_trap.cause, INTERRUPT | MSI);
  check("mstatus.MIE: epc", m_trap.epc, at);
  check("mstatus.MIE: tval", m_trap.tval, 0);
  check("MPIE", m_trap.status & (STATUS_MPIE | STATUS_MIE), STATUS_MPIE);
  asm volatile("csrs mie, %1\n1: lla %0, 1b" : "=r"(at) : "r"(BIT(MSI)) : "memory");
  check("mie: epc", m_trap.epc, at);
  WRITE_CSR(mie, BIT(SSI));
  asm volatile("csrsi mip, 2\n1: lla %0, 1b" : "=r"(at)::"memory");
  check("mip: cause", m_trap.cause, INTERRUPT | SSI);
  check("mip: epc", m_trap.epc, at);
  CLEAR_CSR(mip, 2);
  /* mret turns MIE on. The instruction that it returns to has not run. */
  CLEAR_CSR(mstatus, STATUS_MIE);
  WRITE_CSR(mie, BIT(MSI));
  asm volatile(
      "csrs mstatus, %1\n\t"
      "lla t1, 1f\n\t"
      "csrw mepc, t1\n\t"
      "mret\n"
      "1: lla %0, 1b"
      : "=r"(at)
      : "r"(STATUS_MPP | STATUS_MPIE)
      : "t1", "memory");
  check("mret: cause", m_trap.cause, INTERRUPT | MSI);
  check("mret: epc", m_trap.epc, at);
  quiet();
}

static u64 s_at_once(u64 unused) {
  u64 at;
  asm volatile("csrsi sstatus, 2\n1: lla %0, 1b" : "=r"(at)::"memory");
  check("sstatus.SIE: cause", s_trap.cause, INTERRUPT | SSI);
  check("sstatus.SIE: epc", s_trap.epc, at);
  check("SPP, SPIE, SIE", s_trap.status & (STATUS_SPP | STATUS_SPIE | STATUS_SIE), STATUS_SPP | STATUS_SPIE);
  asm volatile("csrsi sie, 2\n1: lla %0, 1b" : "=r"(at)::"memory");
  check("sie: epc", s_trap.epc, at);
  CLEAR_CSR(sip, 2);
  check("sip.SSIP is S-mode's to clear", READ_CSR(sip) & 2, 0);
  SET_CSR(sip, BIT(STI) | BIT(SEI));
  check("sip.STIP and SEIP are not its to set", READ_CSR(sip) & (BIT(STI) | BIT(SEI)), 0);
  SET_CSR(sie, 2);
  asm volatile("csrsi sip, 2\n1: lla %0, 1b" : "=r"(at)::"memory");
  check("sip: epc", s_trap.epc, at);
  CLEAR_CSR(sip, 2);
  CLEAR_CSR(sstatus, STATUS_SIE);
  return unused;
}

static void timers(void) {
  quiet();
  u64 now = MTIME;
  MTIMECMP(0) = now + 1000000000;
  check("mtimecmp ahead: not pending", READ_CSR(mip) & BIT(MTI), 0);
  MTIMECMP(0) = now + 20000;
  WRITE_CSR(mie, BIT(MTI));
  SET_CSR(mstatus, STATUS_MIE);
  while (interrupt_count == 0 && MTIME < now + 500000000);
  check("timer goes off", order(), MTI);
  check("not before its time", MTIME >= now + 20000, 1);
  u64 before = READ_CSR(time);
  u64 between = MTIME;
  u64 after = READ_CSR(time);
  check("time is mtime", before <= between && between <= after, 1);
  MTIMECMP(0) = ~0UL;
  for (int i = 0; i < 1000000 && READ_CSR(mip) & BIT(MTI); i++);
  check("mtimecmp ahead again clears it", READ_CSR(mip) & BIT(MTI), 0);

  quiet();
  WRITE_CSR(menvcfg, 1UL << 63);
  WRITE_CSR(0x14d, ~0UL);
  check("stimecmp ahead", READ_CSR(mip) & BIT(STI), 0);
  WRITE_CSR(0x14d, 0);
  check("stimecmp past", wait_pending(BIT(STI)), BIT(STI));
  CLEAR_CSR(mip, BIT(STI));
  check("mip.STIP is stimecmp's", wait_pending(BIT(STI)), BIT(STI));
  now = READ_CSR(time);
  WRITE_CSR(0x14d, now + 20000);
  for (int i = 0; i < 1000000 && READ_CSR(mip) & BIT(STI); i++);
  check("stimecmp ahead clears STIP", READ_CSR(time) >= now + 20000 || !(READ_CSR(mip) & BIT(STI)), 1);
  WRITE_CSR(mideleg, BIT(STI));
  WRITE_CSR(mie, BIT(STI));
  interrupt_count = 0;
  run_in(S, enable_s, 10000000, 0);
  check("S-mode's timer", order(), 60 + STI);
  WRITE_CSR(0x14d, ~0UL);
  quiet();
}

static u64 wfi_in_s(u64 unused) {
  asm volatile("wfi");
  return unused;
}

/*
 * Whether a wfi with MIE on ends with the timer's interrupt, and takes it after the wfi. On a slow host the
 * interrupt may come earlier; stimecmp then ends the wfi.
 */
static int taken_in_wfi(void) {
  quiet();
  u64 now = MTIME;
  WRITE_CSR(menvcfg, 1UL << 63);
  WRITE_CSR(0x14d, now + 10000000);
  WRITE_CSR(mie, BIT(MTI) | BIT(STI));
  MTIMECMP(0) = now + 100000;
  u64 after;
  asm volatile("csrsi mstatus, 8\n\twfi\n1: lla %0, 1b" : "=r"(after)::"memory");
  int taken = order() == MTI && m_trap.epc == after && MTIME >= now + 100000;
  WRITE_CSR(0x14d, ~0UL);
  quiet();
  return taken;
}

static void waiting(void) {
  quiet();
  WRITE_CSR(mie, BIT(MTI));
  u64 now = MTIME;
  MTIMECMP(0) = now + 100000;
  asm volatile("wfi");
  check("wfi with MIE off ends at the timer", MTIME >= now + 100000, 1);
  check("and takes no interrupt", interrupt_count, 0);
  check("which is pending", READ_CSR(mip) & BIT(MTI), BIT(MTI));
  asm volatile("wfi");
  check("wfi with one pending continues", READ_CSR(mip) & BIT(MTI), BIT(MTI));

  int taken = 0;
  for (int i = 0; i < 20 && !taken; i++) taken = taken_in_wfi();
  check("wfi with MIE on: the timer's interrupt is taken after it", taken, 1);

  quiet();
  WRITE_CSR(mideleg, BIT(STI));
  WRITE_CSR(menvcfg, 1UL << 63);
  WRITE_CSR(mie, BIT(STI));
  now = READ_CSR(time);
  WRITE_CSR(0x14d, now + 100000);
  run_in(S, wfi_in_s, 0, 0);
  check("wfi in S-mode with SIE off ends at stimecmp", READ_CSR(time) >= now + 100000, 1);
  check("and takes no interrupt", interrupt_count, 0);
  WRITE_CSR(0x14d, ~0UL);
  quiet();
}

/* Vectored mode: each interrupt has its own entry, exceptions use the first. */
static volatile u64 entered;
asm(".balign 256\n"
    "vector_table:\n"
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n"
    "  .balign 4\n"
    "  .option push\n"
    "  .option norvc\n"
    "  j vector_entry_\\n\n"
    "  .option pop\n"
    ".endr\n"
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n"
    "vector_entry_\\n:\n"
    "  lla t3, entered\n"
    "  li t4, \\n\n"
    "  sd t4, 0(t3)\n"
    "  j m_vector\n"
    ".endr\n"
    ".balign 256\n"
    "s_vector_table:\n"
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9\n"
    "  .balign 4\n"
    "  .option push\n"
    "  .option norvc\n"
    "  j s_vector_entry_\\n\n"
    "  .option pop\n"
    ".endr\n"
    ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9\n"
    "s_vector_entry_\\n:\n"
    "  lla t3, entered\n"
    "  li t4, 100 + \\n\n"
    "  sd t4, 0(t3)\n"
    "  j s_vector\n"
    ".endr\n");
extern char vector_table[], s_vector_table[];

static u64 take_one_in_s(u64 code) {
  entered = NONE;
  asm volatile("csrs sie, %0\n\tcsrsi sstatus, 2\n\tnop\n\tcsrci sstatus, 2" ::"r"(BIT(code)) : "t3", "t4", "memory");
  return entered;
}

static u64 trap_in_s(u64 unused) {
  entered = NONE;
  TRY("ebreak");
  return entered + unused;
}

static void vectored(void) {
  quiet();
  WRITE_CSR(mtvec, (u64)vector_table | 1);
  static const u8 codes[] = {MEI, MSI, MTI, SEI, SSI, STI};
  for (u64 i = 0; i < sizeof codes; i++) {
    raise_all();
    entered = NONE;
    asm volatile("csrs mie, %0\n\tcsrsi mstatus, 8\n\tnop\n\tcsrci mstatus, 8" ::"r"(BIT(codes[i]))
                 : "t3", "t4", "memory");
    check("its own entry", entered, codes[i]);
    check("its cause", m_trap.cause, INTERRUPT | codes[i]);
    quiet();
  }
  entered = NONE;
  check("an exception", TRY("ebreak"), BREAKPOINT);
  check("has the first entry", entered, 0);
  WRITE_CSR(mtvec, m_vector);

  delegate(BIT(BREAKPOINT), 0x222);
  WRITE_CSR(stvec, (u64)s_vector_table | 1);
  for (u64 i = 3; i < sizeof codes; i++) {
    WRITE_CSR(mideleg, 0x222);
    SET_CSR(mip, BIT(codes[i]));
    check("S-mode: its own entry", run_in(S, take_one_in_s, codes[i], 0), 100 + codes[i]);
    WRITE_CSR(mip, 0);
    WRITE_CSR(mie, 0);
  }
  check("S-mode: an exception has the first entry", run_in(S, trap_in_s, 0, 0), 100);
  WRITE_CSR(stvec, s_vector);
  quiet();
}

int main(void) {
  delegate(0, 0);
  priorities();
  at_once();
  WRITE_CSR(mideleg, BIT(SSI));
  WRITE_CSR(mie, BIT(SSI));
  WRITE_CSR(mip, BIT(SSI));
  run_in(S, s_at_once, 0, 0);
  timers();
  waiting();
  vectored();
  return 0;
}
