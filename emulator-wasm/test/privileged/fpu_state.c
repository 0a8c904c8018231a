/* mstatus.FS: off forbids, use dirties (privileged specification 3.1.6.6); reserved rounding modes. */
#include "runtime.h"

static double number __attribute__((aligned(16)));

static void set_fs(u64 state) {
  CLEAR_CSR(mstatus, STATUS_FS);
  SET_CSR(mstatus, state << 13);
}

static u64 fs(void) { return READ_CSR(mstatus) >> 13 & 3; }

static u64 all_illegal(u64 unused) {
  check("fadd.d", TRY("fadd.d ft0, ft1, ft2"), ILLEGAL);
  check("its tval", m_trap.tval, 0x0220f053);
  check("fld", TRY("fld ft0, 0(%0)", "r"(&number)), ILLEGAL);
  check("fsd", TRY("fsd ft0, 0(%0)", "r"(&number)), ILLEGAL);
  check("flw", TRY("flw ft0, 0(%0)", "r"(&number)), ILLEGAL);
  check("fsw", TRY("fsw ft0, 0(%0)", "r"(&number)), ILLEGAL);
  check("fmv.x.d", TRY("fmv.x.d t2, ft0"), ILLEGAL);
  check("fmv.w.x", TRY("fmv.w.x ft0, t2"), ILLEGAL);
  check("feq.s", TRY("feq.s t2, ft0, ft1"), ILLEGAL);
  check("fcvt.d.l", TRY("fcvt.d.l ft0, t2"), ILLEGAL);
  check("fmadd.s", TRY("fmadd.s ft0, ft1, ft2, ft3"), ILLEGAL);
  check("c.fld", TRY(".insn 2, 0x2388"), ILLEGAL);
  check("its tval", m_trap.tval, 0x2388);
  check("c.fsdsp", TRY(".insn 2, 0xa02a"), ILLEGAL);
  check("c.fldsp", TRY(".insn 2, 0x2502"), ILLEGAL);
  check("read fcsr", TRY("csrr t2, fcsr"), ILLEGAL);
  check("read frm", TRY("csrr t2, frm"), ILLEGAL);
  check("write fflags", TRY("csrwi fflags, 0"), ILLEGAL);
  return unused;
}

static u64 dirty_in_user(u64 unused) {
  asm volatile("fmv.d.x ft0, zero" ::: "ft0");
  return unused;
}

#define DIRTIES(name, code, ...)                              \
  do {                                                        \
    set_fs(1);                                                \
    asm volatile(code ::__VA_ARGS__ : "t2", "ft0", "memory"); \
    check(name, fs(), 3);                                     \
    set_fs(2);                                                \
    asm volatile(code ::__VA_ARGS__ : "t2", "ft0", "memory"); \
    check(name, fs(), 3);                                     \
  } while (0)

int main(void) {
  set_fs(0);
  all_illegal(0);
  run_in(S, all_illegal, 0, 0);
  run_in(U, all_illegal, 0, 0);
  check("nothing of it dirtied FS", fs(), 0);

  set_fs(1);
  check("FS = Initial has no SD", READ_CSR(mstatus) & STATUS_SD, 0);
  DIRTIES("fmv.d.x", "fmv.d.x ft0, zero", "i"(0));
  DIRTIES("fld", "fld ft0, 0(%0)", "r"(&number));
  DIRTIES("flw", "flw ft0, 0(%0)", "r"(&number));
  DIRTIES("fadd.d", "fadd.d ft0, ft1, ft2", "i"(0));
  DIRTIES("fsgnj.s", "fsgnj.s ft0, ft1, ft2", "i"(0));
  DIRTIES("fcvt.s.w", "fcvt.s.w ft0, zero", "i"(0));
  DIRTIES("fmadd.d", "fmadd.d ft0, ft1, ft2, ft3", "i"(0));
  DIRTIES("csrw fcsr", "csrw fcsr, zero", "i"(0));
  DIRTIES("csrwi frm", "csrwi frm, 0", "i"(0));
  DIRTIES("csrsi fflags", "csrsi fflags, 1", "i"(0));
  check("dirty shows in SD", READ_CSR(mstatus) & STATUS_SD, STATUS_SD);
  check("and in sstatus", READ_CSR(sstatus) & (STATUS_SD | STATUS_FS), STATUS_SD | STATUS_FS);

  /* Results in integer registers, but a flag is raised: fcsr is part of the state. */
  WRITE_CSR(fcsr, 0);
  set_fs(2);
  asm volatile("fmv.d.x ft0, %0" ::"r"(0x7ff0000000000001) : "ft0"); /* signaling NaN */
  set_fs(2);
  asm volatile("feq.d t2, ft0, ft0" ::: "t2");
  check("feq.d of a signaling NaN raises NV", READ_CSR(fflags), 16);
  strict("which dirties FS", fs(), 3);
  WRITE_CSR(fcsr, 0);
  set_fs(2);
  asm volatile("fcvt.w.d t2, ft0, rtz" ::: "t2");
  check("fcvt.w.d of NaN raises NV", READ_CSR(fflags), 16);
  strict("which dirties FS", fs(), 3);

  set_fs(1);
  run_in(U, dirty_in_user, 0, 0);
  check("U-mode dirties FS", fs(), 3);

  for (u64 mode = 5; mode < 8; mode++) {
    WRITE_CSR(frm, mode);
    check("dynamic rounding with reserved frm", TRY("fadd.d ft0, ft1, ft2, dyn"), ILLEGAL);
    check("its tval", m_trap.tval, 0x0220f053);
    check("static rounding with reserved frm", TRY("fadd.d ft0, ft1, ft2, rtz"), NONE);
    check("fcvt.d.s, dynamic", TRY("fcvt.l.d t2, ft1, dyn"), ILLEGAL);
    check("fsgnj has no rounding mode", TRY("fsgnj.d ft0, ft1, ft2"), NONE);
  }
  WRITE_CSR(frm, 0);
  for (u64 mode = 0; mode < 5; mode++) {
    WRITE_CSR(frm, mode);
    check("dynamic rounding", TRY("fadd.d ft0, ft1, ft2, dyn"), NONE);
  }
  return 0;
}
