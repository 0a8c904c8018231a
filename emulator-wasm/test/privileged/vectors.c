/*
 * Vectors: mstatus.VS, and accesses that fault after some of their elements (V 1.0, 3.2, 7.7 and 17).
 * Core only: QEMU runs these programs without vectors.
 */
#include "runtime.h"
#include "vm.h"

#define STATUS_VS (3UL << 9)
#define V(code) ".option push\n\t.option arch, +v\n\t" code "\n\t.option pop\n\t"
#define DO(code, ...) asm volatile(V(code) ::__VA_ARGS__ : "t2", "memory")
#define READ_V(name)                                                 \
  ({                                                                 \
    u64 value_;                                                      \
    asm volatile(V("csrr %0, " #name) : "=r"(value_)::"memory");     \
    value_;                                                          \
  })

static u8 bytes[2 * PAGE] __attribute__((aligned(4096)));
static u8 copy[64];

static u64 vs(void) { return READ_CSR(mstatus) >> 9 & 3; }

static void set_vs(u64 state) {
  CLEAR_CSR(mstatus, STATUS_VS);
  SET_CSR(mstatus, state << 9);
}

static u64 all_illegal(u64 unused) {
  check("vsetvli", TRY(V("vsetvli t2, zero, e8, m1, ta, ma")), ILLEGAL);
  check("its tval", m_trap.tval, 0x0c0073d7);
  check("vadd.vv", TRY(V("vadd.vv v1, v2, v3")), ILLEGAL);
  check("vle8.v", TRY(V("vle8.v v1, (%0)"), "r"(bytes)), ILLEGAL);
  check("vs1r.v", TRY(V("vs1r.v v1, (%0)"), "r"(bytes)), ILLEGAL);
  check("vl", TRY(V("csrr t2, vl")), ILLEGAL);
  check("vstart", TRY(V("csrw vstart, zero")), ILLEGAL);
  check("vcsr", TRY(V("csrr t2, vcsr")), ILLEGAL);
  return unused;
}

#define DIRTIES(name, code, ...)   \
  do {                             \
    set_vs(1);                     \
    DO(code, ##__VA_ARGS__);       \
    check(name, vs(), 3);          \
  } while (0)

static void status(void) {
  set_vs(0);
  all_illegal(0);
  run_in(S, all_illegal, 0, 0);
  set_vs(1);
  check("VS = Initial has no SD", READ_CSR(mstatus) & STATUS_SD, 0);
  check("vlenb", READ_V(vlenb), 16);
  check("reading leaves VS", vs(), 1);
  DIRTIES("vsetvli", "vsetvli t2, zero, e8, m1, ta, ma");
  check("SD", READ_CSR(mstatus) & STATUS_SD, STATUS_SD);
  DIRTIES("vadd.vi", "vadd.vi v1, v1, 1");
  DIRTIES("vle8.v", "vle8.v v1, (%0)", "r"(bytes));
  DIRTIES("vcsr", "csrwi vcsr, 1");
  CLEAR_CSR(mstatus, STATUS_FS);
  check("vfadd.vv with FS off", TRY(V("vsetvli t2, zero, e64, m1, ta, ma\n\tvfadd.vv v1, v2, v3")), ILLEGAL);
  SET_CSR(mstatus, STATUS_FS);
  WRITE_CSR(frm, 5);
  check("vfsgnj.vv with a reserved rounding mode", TRY(V("vfsgnj.vv v1, v2, v3")), ILLEGAL);
  WRITE_CSR(frm, 0);
}

static void type(void) {
  DO("vsetvli t2, zero, e8, m1, ta, ma\n\tli t2, 0x100\n\tvsetvl zero, zero, t2");
  check("an unknown vtype sets vill", READ_V(vtype), 1UL << 63);
  check("and vl", READ_V(vl), 0);
  check("then vadd is illegal", TRY(V("vadd.vv v1, v2, v3")), ILLEGAL);
  check("vl1r is not", TRY(V("vl1re8.v v1, (%0)"), "r"(bytes)), NONE);
  DO("csrw vstart, %0", "r"(~0UL));
  check("vstart has seven bits", READ_V(vstart), 127);
  DO("csrw vstart, zero");
}

/* The pages `bytes`, of which the second one may be absent. */
static u64 at;

static void show_second(u64 flags) {
  map(at + PAGE, (u64)bytes + PAGE, flags, 0);
  sfence_page(at + PAGE);
}

static u64 faults(u64 unused) {
  u64 from = at + PAGE - 10;
  DO("vsetvli t2, zero, e8, m2, ta, ma\n\tvmv.v.i v2, 0");
  check("a load into the absent page", TRY(V("vle8.v v2, (%0)"), "r"(from)), LOAD_PAGE);
  check("its tval", m_trap.tval, at + PAGE);
  check("vstart is the element", READ_V(vstart), 10);
  show_second(PTE_V | PTE_R | PTE_W | PTE_AD);
  check("the rest of it", TRY(V("vle8.v v2, (%0)"), "r"(from)), NONE);
  check("vstart", READ_V(vstart), 0);
  DO("vse8.v v2, (%0)", "r"(copy));
  for (u64 n = 0; n < 32; n++) check("an element", copy[n], bytes[PAGE - 10 + n]);

  show_second(0);
  DO("vsetvli t2, %0, e16, m1, ta, ma", "r"(8UL));
  check("a store", TRY(V("vssseg2e16.v v2, (%0), %1"), "r"(from), "r"(4UL)), STORE_PAGE);
  check("its segment", READ_V(vstart), 2);
  check("its tval", m_trap.tval, at + PAGE);
  DO("csrw vstart, zero");

  check("fault-only-first", TRY(V("vle16ff.v v2, (%0)"), "r"(from)), NONE);
  check("shortens vl", READ_V(vl), 5);
  check("and leaves vstart", READ_V(vstart), 0);
  DO("vsetvli t2, %0, e8, m1, ta, ma", "r"(8UL));
  check("unless the first element faults", TRY(V("vle8ff.v v2, (%0)"), "r"(at + PAGE)), LOAD_PAGE);
  check("then vl stays", READ_V(vl), 8);
  DO("csrw vstart, zero\n\tvmv.v.i v0, 1");
  check("masked elements do not fault", TRY(V("vle8.v v2, (%0), v0.t"), "r"(at + PAGE - 1)), NONE);
  return unused;
}

int main(void) {
  status();
  type();
  for (u64 n = 0; n < sizeof bytes; n++) bytes[n] = n * 7 + (n >> 8);
  vm_init();
  at = FREE_VA;
  map(at, (u64)bytes, PTE_V | PTE_R | PTE_W | PTE_AD, 0);
  show_second(0);
  vm_on();
  run_in(S, faults, 0, 0);
  vm_off();
  report();
}
