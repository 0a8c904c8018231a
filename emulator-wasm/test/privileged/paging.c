/* Sv39: permissions, superpages, A and D, reserved encodings (privileged specification 4.3.1, 4.3.2, 4.4). */
#include "runtime.h"
#include "vm.h"

#define MOST (PTE_V | PTE_R | PTE_W | PTE_X | PTE_AD)
#define HOLE 0x18000000UL

static u64 data[512] __attribute__((aligned(4096)));
static u64 atomic_word;

/* The causes of a load, a store and a fetch at an address. The page holds `ret` at 0x800. */
static u64 load_cause, store_cause, fetch_cause, load_tval, store_tval, fetch_tval;

static u64 probe(u64 va) {
  u64 cause = TRY("ld t2, 16(%0)", "r"(va));
  load_cause = cause;
  load_tval = m_trap.tval;
  cause = TRY("sw zero, 20(%0)", "r"(va));
  store_cause = cause;
  store_tval = m_trap.tval;
  cause = TRY("jalr %0", "r"(va + 0x800));
  fetch_cause = cause;
  fetch_tval = m_trap.tval;
  return 0;
}

static void expect_data(const char *name, u64 va, int load, int store) {
  check(name, load_cause, load ? NONE : LOAD_PAGE);
  check(name, store_cause, store ? NONE : STORE_PAGE);
  if (!load) check(name, load_tval, va + 16);
  if (!store) check(name, store_tval, va + 20);
}

static void expect(const char *name, u64 va, int load, int store, int fetch) {
  expect_data(name, va, load, store);
  check(name, fetch_cause, fetch ? NONE : FETCH_PAGE);
  if (!fetch) check(name, fetch_tval, va + 0x800);
}

/* All permissions in all modes, at one level, compared with the specification's rules. */
static void permissions(int level) {
  u64 va = FREE_VA;
  u64 pa = level ? (u64)data & -MEGA & (level == 2 ? -GIGA : ~0UL) : (u64)data;
  u64 at = va + (level ? (u64)data - pa : 0);
  for (u64 flags = 0; flags < 32; flags++) {
    for (u64 bits = 0; bits < 4; bits++) {
      CLEAR_CSR(mstatus, STATUS_SUM | STATUS_MXR);
      if (bits & 1) SET_CSR(mstatus, STATUS_SUM);
      if (bits & 2) SET_CSR(mstatus, STATUS_MXR);
      map(va, pa, flags | PTE_AD, level);
      sfence_page(va);
      int v = flags & PTE_V, r = flags & PTE_R, w = flags & PTE_W, x = flags & PTE_X, u = flags & PTE_U;
      int valid = v && !(w && !r) && (r || x);
      int readable = r || ((bits & 2) && x);
      run_in(S, probe, at, 0);
      int data_allowed = valid && (!u || (bits & 1));
      expect_data("S", at, data_allowed && readable, data_allowed && w);
      /* QEMU executes a page of U in S-mode after SUM allowed a load from it. */
      if (u && (bits & 1)) strict("S never runs a page of U", fetch_cause, FETCH_PAGE);
      else check("S", fetch_cause, valid && x && !u ? NONE : FETCH_PAGE);
      run_in(U, probe, at, USER_OFFSET);
      expect("U", at, valid && u && readable, valid && u && w, valid && u && x);
    }
  }
  CLEAR_CSR(mstatus, STATUS_SUM | STATUS_MXR);
  map(va, 0, 0, level);
  sfence_all();
}

/* SUM, MXR and the mode take effect at once, without a fence. */
static u64 toggles(u64 va) {
  check("U page, no SUM", TRY("ld t2, 0(%0)", "r"(va)), LOAD_PAGE);
  SET_CSR(sstatus, STATUS_SUM);
  check("U page, SUM", TRY("ld t2, 0(%0)", "r"(va)), NONE);
  check("U page, SUM, store", TRY("sd t2, 0(%0)", "r"(va)), NONE);
  strict("U page, SUM, fetch", TRY("jalr %0", "r"(va + 0x800)), FETCH_PAGE);
  CLEAR_CSR(sstatus, STATUS_SUM);
  check("U page, no SUM again", TRY("ld t2, 0(%0)", "r"(va)), LOAD_PAGE);
  check("U page, no SUM again, store", TRY("sd t2, 0(%0)", "r"(va)), STORE_PAGE);
  check("X page, no MXR", TRY("ld t2, 0(%0)", "r"(va + PAGE)), LOAD_PAGE);
  SET_CSR(sstatus, STATUS_MXR);
  check("X page, MXR", TRY("ld t2, 0(%0)", "r"(va + PAGE)), NONE);
  CLEAR_CSR(sstatus, STATUS_MXR);
  check("X page, no MXR again", TRY("ld t2, 0(%0)", "r"(va + PAGE)), LOAD_PAGE);
  return 0;
}

static u64 one_load(u64 va) { return TRY("ld t2, 16(%0)", "r"(va)); }
static u64 one_store(u64 va) { return TRY("sw t2, 20(%0)", "r"(va)); }
static u64 one_fetch(u64 va) { return TRY("jalr %0", "r"(va + 0x800)); }
static u64 one_amo(u64 va) { return TRY("amoor.w t2, zero, (%0)", "r"(va)); }
static u64 one_lr(u64 va) { return TRY("lr.w t2, (%0)", "r"(va)); }
static u64 load_then_store(u64 va) {
  one_load(va);
  return one_store(va);
}

static u64 accessed(u64 (*access)(u64), u64 flags, int level) {
  u64 pa = level ? (u64)data & (level == 2 ? -GIGA : -MEGA) : (u64)data;
  map(FREE_VA, pa, flags, level);
  sfence_all();
  run_in(S, access, FREE_VA + ((u64)data - pa), 0);
  u64 after = *pte_of(FREE_VA, level);
  check("only A and D change", after & ~PTE_AD, (pa >> 12 << 10 | flags) & ~PTE_AD);
  map(FREE_VA, 0, 0, level);
  sfence_all();
  return after & PTE_AD;
}

static void accessed_and_dirty(void) {
  u64 rwx = PTE_V | PTE_R | PTE_W | PTE_X;
  for (int level = 0; level < 3; level++) {
    check("a load sets A", accessed(one_load, rwx, level), PTE_A);
    check("a store sets A and D", accessed(one_store, rwx, level), PTE_AD);
    check("a store sets D", accessed(one_store, rwx | PTE_A, level), PTE_AD);
    check("a fetch sets A", accessed(one_fetch, rwx, level), PTE_A);
    check("an AMO sets A and D", accessed(one_amo, rwx, level), PTE_AD);
    check("LR sets A", accessed(one_lr, rwx, level), PTE_A);
    check("a store after a load sets D", accessed(load_then_store, rwx, level), PTE_AD);
    check("a refused load sets nothing", accessed(one_load, PTE_V | PTE_X, level), 0);
    check("a refused store sets nothing", accessed(one_store, PTE_V | PTE_R, level), 0);
    check("a refused fetch sets nothing", accessed(one_fetch, PTE_V | PTE_R, level), 0);
    check("a page of U sets nothing for S", accessed(one_load, rwx | PTE_U, level), 0);
  }
}

static void all_fault(const char *name, u64 va) {
  sfence_all();
  run_in(S, probe, va, 0);
  expect(name, va, 0, 0, 0);
}

static void reserved(void) {
  for (int bit = 54; bit < 64; bit++) {
    *pte_of(FREE_VA, 0) = (u64)data >> 12 << 10 | MOST | 1UL << bit;
    all_fault("reserved bit in a leaf", FREE_VA);
  }
  map(FREE_VA, (u64)data, MOST, 0);
  volatile u64 *pointer = pte_of(FREE_VA, 1);
  u64 good = *pointer;
  for (int bit = 54; bit < 64; bit++) {
    *pointer = good | 1UL << bit;
    all_fault("reserved bit in a pointer", FREE_VA);
  }
  *pointer = good | PTE_A;
  all_fault("A in a pointer", FREE_VA);
  *pointer = good | PTE_D;
  all_fault("D in a pointer", FREE_VA);
  *pointer = good | PTE_U;
  all_fault("U in a pointer", FREE_VA);
  *pointer = good & ~PTE_V;
  all_fault("pointer not valid", FREE_VA);
  *pointer = good;
  sfence_all();
  run_in(S, probe, FREE_VA, 0);
  expect("good pointer", FREE_VA, 1, 1, 1);
  map(FREE_VA, (u64)data, PTE_V, 0);
  all_fault("pointer at the last level", FREE_VA);
  map(FREE_VA, 0, 0, 0);

  for (int bit = 0; bit < 9; bit++) {
    map(FREE_VA + GIGA, 0x80000000 + (PAGE << bit), MOST, 1);
    all_fault("misaligned 2 MiB page", FREE_VA + GIGA);
  }
  map(FREE_VA + GIGA, 0, 0, 1);
  for (int bit = 0; bit < 18; bit++) {
    map(FREE_VA + 2 * GIGA, 0x80000000 + (PAGE << bit), MOST, 2);
    all_fault("misaligned 1 GiB page", FREE_VA + 2 * GIGA);
  }
  map(FREE_VA + 2 * GIGA, 0, 0, 2);
}

static void canonical(void) {
  map(0xffffffc000000000, (u64)data, MOST, 0);
  map(0x3ffffff000, (u64)data, MOST, 0);
  sfence_all();
  run_in(S, probe, 0xffffffc000000000, 0);
  expect("lowest address of the upper half", 0xffffffc000000000, 1, 1, 1);
  run_in(S, probe, 0x3ffffff000, 0);
  expect("highest page of the lower half", 0x3ffffff000, 1, 1, 1);
  all_fault("bit 38 is not the sign", 0x4000000000);
  all_fault("bit 39 set", 0x8000000000);
  all_fault("bit 63 set", 0x8000003ffffff000);
  all_fault("bit 39 clear below", 0xffffff7fc0000000);
  all_fault("upper half with bit 38 clear", 0xffffffbffffff000);
}

static void physical_limits(void) {
  map(FREE_VA, HOLE, MOST, 0);
  sfence_all();
  run_in(S, probe, FREE_VA, 0);
  check("load from a page of nothing", load_cause, LOAD_ACCESS);
  check("its tval is virtual", load_tval, FREE_VA + 16);
  check("store to a page of nothing", store_cause, STORE_ACCESS);
  check("its tval is virtual", store_tval, FREE_VA + 20);
  check("fetch from a page of nothing", fetch_cause, FETCH_ACCESS);
  check("its tval is virtual", fetch_tval, FREE_VA + 0x800);
  map(FREE_VA, 0, 0, 0);
  *pte_of(FREE_VA + GIGA, 2) = HOLE >> 12 << 10 | PTE_V;
  sfence_all();
  run_in(S, probe, FREE_VA + GIGA, 0);
  strict("table in nothing, load", load_cause, LOAD_ACCESS);
  strict("table in nothing, store", store_cause, STORE_ACCESS);
  strict("table in nothing, fetch", fetch_cause, FETCH_ACCESS);
  *pte_of(FREE_VA + GIGA, 2) = 0;
  sfence_all();
}

static u64 read(u64 va) { return *(volatile u64 *)va; }

static void superpages(void) {
  map(FREE_VA + 4 * MEGA, 0x80000000, MOST, 1);
  map(FREE_VA + 4 * GIGA, 0x80000000, MOST, 2);
  sfence_all();
  data[7] = 4711;
  u64 offset = (u64)&data[7] - 0x80000000;
  check("through a 2 MiB page", run_in(S, read, FREE_VA + 4 * MEGA + offset, 0), 4711);
  check("through a 1 GiB page", run_in(S, read, FREE_VA + 4 * GIGA + offset, 0), 4711);
}

static void atomics(void) {
  map(FREE_VA, (u64)data, PTE_V | PTE_R | PTE_AD, 0);
  map(FREE_VA + PAGE, 0, 0, 0);
  sfence_all();
  check("AMO on a read-only page", run_in(S, one_amo, FREE_VA, 0), STORE_PAGE);
  strict("AMO on no page", run_in(S, one_amo, FREE_VA + PAGE, 0), STORE_PAGE);
  check("LR on a read-only page", run_in(S, one_lr, FREE_VA, 0), NONE);
  check("LR on no page", run_in(S, one_lr, FREE_VA + PAGE, 0), LOAD_PAGE);
  map(FREE_VA, (u64)data, PTE_V | PTE_X | PTE_AD, 0);
  sfence_all();
  strict("AMO on an execute-only page", run_in(S, one_amo, FREE_VA, 0), STORE_PAGE);
  check("LR on an execute-only page", run_in(S, one_lr, FREE_VA, 0), LOAD_PAGE);
  map(FREE_VA, 0, 0, 0);
  check("word untouched", atomic_word, 0);
}

int main(void) {
  ((volatile u32 *)data)[0x800 / 4] = 0x00008067; /* ret */
  asm volatile("fence.i");
  vm_init();
  vm_on();
  for (int level = 0; level < 3; level++) permissions(level);
  accessed_and_dirty();
  map(FREE_VA, (u64)data, MOST | PTE_U, 0);
  map(FREE_VA + PAGE, (u64)data, PTE_V | PTE_X | PTE_A, 0);
  sfence_all();
  run_in(S, toggles, FREE_VA, 0);
  reserved();
  canonical();
  physical_limits();
  superpages();
  atomics();
  return 0;
}
