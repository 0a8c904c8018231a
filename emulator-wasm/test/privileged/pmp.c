/* Physical memory protection (privileged specification 3.7). */
#include "runtime.h"
#include "vm.h"

enum { R = 1, W = 2, X = 4, TOR = 8, NA4 = 16, NAPOT = 24, LOCK = 128 };

static u64 arena[4 * 512] __attribute__((aligned(16384)));

/* pmpaddr for a naturally aligned range. */
static u64 napot(u64 base, u64 size) { return base >> 2 | (size / 8 - 1); }

static void configure(int entry, u64 configuration) {
  u64 shift = 8 * entry;
  WRITE_CSR(pmpcfg0, (READ_CSR(pmpcfg0) & ~(0xffUL << shift)) | configuration << shift);
  sfence_all();
}

static u64 load_cause, store_cause, fetch_cause, tvals_right;

static u64 probe(u64 at) {
  tvals_right = 1;
  load_cause = TRY("ld t2, 0(%0)", "r"(at));
  tvals_right &= load_cause == NONE || m_trap.tval == at;
  store_cause = TRY("sd t2, 0(%0)", "r"(at));
  tvals_right &= store_cause == NONE || m_trap.tval == at;
  fetch_cause = TRY("jalr %0", "r"(at + 8));
  tvals_right &= fetch_cause == NONE || m_trap.tval == at + 8;
  return 0;
}

static void expect(const char *name, int allowed) {
  check(name, load_cause, allowed & R ? NONE : LOAD_ACCESS);
  check(name, store_cause, allowed & W ? NONE : STORE_ACCESS);
  check(name, fetch_cause, allowed & X ? NONE : FETCH_ACCESS);
  check(name, tvals_right, 1);
}

static void expect_in_s(const char *name, u64 at, int allowed) {
  run_in(S, probe, at, 0);
  expect(name, allowed);
}

/* Entry 7 permits everything, as entry 0 did at the start, so that lower entries can forbid. */
static void open_all(void) {
  WRITE_CSR(pmpaddr7, ~0UL);
  configure(7, NAPOT | R | W | X);
  for (int entry = 0; entry < 7; entry++) configure(entry, 0);
}

static void permissions(void) {
  u64 at = (u64)&arena[512];
  WRITE_CSR(pmpaddr0, napot(at, PAGE));
  static const u8 legal[] = {0, R, X, R | W, R | X, R | W | X};
  for (u32 i = 0; i < sizeof legal; i++) {
    configure(0, NAPOT | legal[i]);
    expect_in_s("page in S", at, legal[i]);
    run_in(U, probe, at, 0);
    expect("page in U", legal[i]);
    probe(at);
    expect("page in M", R | W | X);
    expect_in_s("page before", at - 16, R | W | X);
    expect_in_s("page behind", at + PAGE, R | W | X);
  }
  configure(0, 0);
  expect_in_s("off again", at, R | W | X);
}

static void ranges(void) {
  u64 at = (u64)&arena[512];
  WRITE_CSR(pmpaddr0, at >> 2);
  WRITE_CSR(pmpaddr1, (at + 2 * PAGE) >> 2);
  configure(1, TOR | R);
  expect_in_s("TOR: before", at - 16, R | W | X);
  expect_in_s("TOR: first", at, R);
  expect_in_s("TOR: last", at + 2 * PAGE - 16, R);
  expect_in_s("TOR: behind", at + 2 * PAGE, R | W | X);
  WRITE_CSR(pmpaddr0, (at + 2 * PAGE) >> 2);
  sfence_all();
  if (!on_qemu()) expect_in_s("TOR: empty range", at, R | W | X); /* QEMU swaps the ends. */
  WRITE_CSR(pmpaddr0, 0);
  WRITE_CSR(pmpaddr1, 0);
  sfence_all();
  if (!on_qemu()) expect_in_s("TOR: from 0 to 0", at, R | W | X);
  configure(1, 0);
}

static u64 words(u64 at) {
  check("word before", TRY("lw t2, -4(%0)", "r"(at)), NONE);
  check("the word", TRY("lw t2, 0(%0)", "r"(at)), LOAD_ACCESS);
  check("a byte of it", TRY("lb t2, 3(%0)", "r"(at)), LOAD_ACCESS);
  check("word behind", TRY("lw t2, 4(%0)", "r"(at)), NONE);
  check("store before", TRY("sw t2, -4(%0)", "r"(at)), NONE);
  check("store to it", TRY("sw t2, 0(%0)", "r"(at)), STORE_ACCESS);
  check("store behind", TRY("sw t2, 4(%0)", "r"(at)), NONE);
  check("word behind, after all those", TRY("lw t2, 4(%0)", "r"(at)), NONE);
  check("the word, after all those", TRY("lw t2, 0(%0)", "r"(at)), LOAD_ACCESS);
  return 0;
}

/* An access that is only partly in a range fails, even if the range allows it. */
static u64 partly(u64 at) {
  check("double over an entry's end", TRY("ld t2, -4(%0)", "r"(at)), LOAD_ACCESS);
  check("double in it", TRY("ld t2, -8(%0)", "r"(at)), NONE);
  return 0;
}

static void small_ranges(void) {
  u64 at = (u64)&arena[700];
  WRITE_CSR(pmpaddr0, at >> 2);
  configure(0, NA4);
  run_in(S, words, at, 0);
  configure(0, 0);
  WRITE_CSR(pmpaddr0, napot(at - 8, 8));
  configure(0, NAPOT | R | W);
  run_in(S, partly, at, 0);
  configure(0, 0);
}

static void priority(void) {
  u64 at = (u64)&arena[512];
  WRITE_CSR(pmpaddr0, napot(at, PAGE));
  WRITE_CSR(pmpaddr1, napot(at & ~(4 * PAGE - 1), 4 * PAGE));
  configure(0, NAPOT | R | W);
  configure(1, NAPOT | R);
  expect_in_s("the lower entry counts", at, R | W);
  expect_in_s("the other around it", at + PAGE, R);
  configure(0, 0);
  expect_in_s("the other alone", at, R);
  configure(1, 0);
}

static void unmatched(void) {
  u64 at = (u64)&arena[512];
  /* Permits all but the page. Only M-mode may access memory that no entry matches. */
  WRITE_CSR(pmpaddr0, 0);
  WRITE_CSR(pmpaddr1, at >> 2);
  WRITE_CSR(pmpaddr2, (at + PAGE) >> 2);
  WRITE_CSR(pmpaddr3, ~0UL);
  configure(1, TOR | R | W | X);
  configure(3, TOR | R | W | X);
  configure(7, 0);
  expect_in_s("no entry, S", at, 0);
  probe(at);
  expect("no entry, M", R | W | X);
  open_all();
}

/* Page tables are memory too, and are read with S-mode's rights. */
static void page_tables(void) {
  vm_init();
  map(FREE_VA, (u64)&arena[512], PTE_V | PTE_R | PTE_W | PTE_X | PTE_AD, 0);
  u64 table = (u64)pte_of(FREE_VA, 0) & -PAGE;
  vm_on();
  expect_in_s("translated", FREE_VA, R | W | X);
  WRITE_CSR(pmpaddr0, napot((u64)&arena[512], PAGE));
  configure(0, NAPOT | R);
  expect_in_s("the page behind a translation", FREE_VA, R);
  WRITE_CSR(pmpaddr0, napot(table, PAGE));
  configure(0, NAPOT);
  expect_in_s("table not readable: access faults", FREE_VA, 0);
  configure(0, NAPOT | R);
  expect_in_s("table readable", FREE_VA, R | W | X);
  configure(0, 0);
  vm_off();
}

static void privilege_modified(void) {
  u64 at = (u64)&arena[512];
  WRITE_CSR(pmpaddr0, napot(at, PAGE));
  configure(0, NAPOT);
  check("MPRV with MPP = U",
        TRY("li t1, 0x1800\n\tcsrc mstatus, t1\n\tli t1, 0x20000\n\tcsrs mstatus, t1\n\tld t2, 0(%0)\n\t"
            "li t1, 0x20000\n\tcsrc mstatus, t1", "r"(at)), LOAD_ACCESS);
  CLEAR_CSR(mstatus, STATUS_MPRV);
  configure(0, 0);
}

static void locked(void) {
  u64 at = (u64)&arena[512];
  WRITE_CSR(pmpaddr4, at >> 2);
  WRITE_CSR(pmpaddr5, (at + PAGE) >> 2);
  configure(5, TOR | R | LOCK);
  probe(at);
  expect("locked binds M", R);
  expect_in_s("and S", at, R);
  probe(at + PAGE);
  expect("behind it, M", R | W | X);
  u64 before = READ_CSR(pmpcfg0);
  configure(5, TOR | R | W | X);
  check("locked: its configuration stays", READ_CSR(pmpcfg0), before);
  WRITE_CSR(pmpaddr5, 0);
  check("locked: its address stays", READ_CSR(pmpaddr5), (at + PAGE) >> 2);
  WRITE_CSR(pmpaddr4, 0);
  check("locked TOR: the address before stays", READ_CSR(pmpaddr4), at >> 2);
  probe(at);
  expect("still locked", R);
}

int main(void) {
  arena[513] = arena[511] = arena[1023] = arena[1025] = 0x8082; /* ret, 8 behind each address probed */
  arena[1535] = arena[1537] = 0x8082;
  asm volatile("fence.i");
  open_all();
  permissions();
  ranges();
  small_ranges();
  priority();
  unmatched();
  page_tables();
  privilege_modified();
  locked();
  return 0;
}
