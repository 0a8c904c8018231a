/* Unaligned loads and stores succeed, also across pages, and fault at a missing part. */
#include "runtime.h"
#include "vm.h"

#define RW (PTE_V | PTE_R | PTE_W | PTE_AD)

static u8 pages[4][4096] __attribute__((aligned(4096)));

static void fill(void) {
  for (int i = 0; i < 4; i++) {
    for (int k = 0; k < 4096; k++) pages[i][k] = i * 61 + k * 7 + 3;
  }
}

static u8 byte_at(u64 va) { return *(volatile u8 *)va; }

/* All widths at all offsets around `edge`, compared with single bytes. */
static u64 around(u64 edge) {
  for (u64 at = edge - 9; at < edge + 9; at++) {
    u64 bytes = 0;
    for (int i = 7; i >= 0; i--) bytes = bytes << 8 | byte_at(at + i);
    u64 got;
#define LOADED(instruction, expected)                                      \
  asm volatile(instruction " %0, 0(%1)" : "=r"(got) : "r"(at) : "memory"); \
  check("unaligned " instruction, got, (u64)(expected))
    LOADED("lh", (short)bytes);
    LOADED("lhu", (u16)bytes);
    LOADED("lw", (int)bytes);
    LOADED("lwu", (u32)bytes);
    LOADED("ld", bytes);
    asm volatile("flw ft0, 0(%1)\n\tfmv.x.w %0, ft0" : "=r"(got) : "r"(at) : "ft0", "memory");
    check("unaligned flw", got, (u64)(int)bytes);
    asm volatile("fld ft0, 0(%1)\n\tfmv.x.d %0, ft0" : "=r"(got) : "r"(at) : "ft0", "memory");
    check("unaligned fld", got, bytes);

    u64 value = 0x1122334455667788UL + at * 0x0101010101010101UL;
#define STORED(instruction, size)                                                                        \
  {                                                                                                      \
    u8 before[24];                                                                                       \
    for (int i = 0; i < 24; i++) before[i] = byte_at(at - 8 + i);                                        \
    asm volatile("fmv.d.x ft0, %1\n\t" instruction ::"r"(at), "r"(value) : "ft0", "memory");             \
    for (int i = 0; i < 24; i++) {                                                                       \
      int in = i >= 8 && i < 8 + size;                                                                   \
      check("unaligned " instruction, byte_at(at - 8 + i), in ? (u8)(value >> 8 * (i - 8)) : before[i]); \
    }                                                                                                    \
  }
    STORED("sh %1, 0(%0)", 2)
    STORED("sw %1, 0(%0)", 4)
    STORED("sd %1, 0(%0)", 8)
    STORED("fsw ft0, 0(%0)", 4)
    STORED("fsd ft0, 0(%0)", 8)
  }
  return 0;
}

static void fault(const char *name, u64 got, u64 cause, u64 tval) {
  check(name, got, cause);
  check(name, m_trap.tval, tval);
}

static u64 missing(u64 va) {
  u64 edge = va + PAGE;
  *pte_of(va, 0) = (u64)pages[0] >> 12 << 10 | RW;
  *pte_of(edge, 0) = 0;
  sfence_all();
  fill();
  u8 last = pages[0][4095];
  fault("second page missing: lh", TRY("lh t2, 0(%0)", "r"(edge - 1)), LOAD_PAGE, edge);
  fault("second page missing: lw", TRY("lw t2, 0(%0)", "r"(edge - 3)), LOAD_PAGE, edge);
  fault("second page missing: ld", TRY("ld t2, 0(%0)", "r"(edge - 7)), LOAD_PAGE, edge);
  fault("second page missing: fld", TRY("fld ft0, 0(%0)", "r"(edge - 4)), LOAD_PAGE, edge);
  fault("second page missing: sh", TRY("sh t2, 0(%0)", "r"(edge - 1)), STORE_PAGE, edge);
  fault("second page missing: sd", TRY("sd zero, 0(%0)", "r"(edge - 1)), STORE_PAGE, edge);
  fault("second page missing: fsd", TRY("fsd ft0, 0(%0)", "r"(edge - 2)), STORE_PAGE, edge);
  check("nothing was stored", pages[0][4095], last);
  check("up to the edge", TRY("ld t2, 0(%0)", "r"(edge - 8)), NONE);

  *pte_of(edge, 0) = ((u64)pages[2] >> 12 << 10 | RW) & ~PTE_W;
  sfence_all();
  fault("second page read-only: sw", TRY("sw zero, 0(%0)", "r"(edge - 2)), STORE_PAGE, edge);
  check("nothing was stored", pages[0][4095], last);
  check("second page read-only: lw", TRY("lw t2, 0(%0)", "r"(edge - 2)), NONE);

  *pte_of(va, 0) = 0;
  *pte_of(edge, 0) = (u64)pages[2] >> 12 << 10 | RW;
  sfence_all();
  u8 next = pages[2][0];
  fault("first page missing: ld", TRY("ld t2, 0(%0)", "r"(edge - 4)), LOAD_PAGE, edge - 4);
  fault("first page missing: sd", TRY("sd zero, 0(%0)", "r"(edge - 4)), STORE_PAGE, edge - 4);
  check("nothing was stored", pages[2][0], next);
  *pte_of(edge, 0) = 0;
  sfence_all();
  fault("both missing: ld", TRY("ld t2, 0(%0)", "r"(edge - 4)), LOAD_PAGE, edge - 4);

  *pte_of(va, 0) = ((u64)pages[0] >> 12 << 10 | RW) & ~PTE_AD;
  *pte_of(edge, 0) = ((u64)pages[2] >> 12 << 10 | RW) & ~PTE_AD;
  sfence_all();
  TRY("sd zero, 0(%0)", "r"(edge - 4));
  check("both pages dirty", *pte_of(va, 0) & *pte_of(edge, 0) & PTE_AD, PTE_AD);
  return 0;
}

/* In loops, where a compiler may remember pages. The first page of the address space has the number 0. */
static void near_null(void) {
  for (int i = 0; i < 3; i++) {
#define LOOP(access) "li t3, 1\n1:\n\t" access "\n\taddi t3, t3, -1\n\tbnez t3, 1b"
    for (u64 at = 1; at < 16; at += 2) {
      check("near null: lh", TRY(LOOP("lh t2, 0(%0)"), "r"(at)) != NONE, 1);
      check("near null: lw", TRY(LOOP("lw t2, 0(%0)"), "r"(at)) != NONE, 1);
      check("near null: ld", TRY(LOOP("ld t2, 0(%0)"), "r"(at)) != NONE, 1);
      check("near null: sh", TRY(LOOP("sh t2, 0(%0)"), "r"(at)) != NONE, 1);
      check("near null: sw", TRY(LOOP("sw t2, 0(%0)"), "r"(at)) != NONE, 1);
      check("near null: sd", TRY(LOOP("sd t2, 0(%0)"), "r"(at)) != NONE, 1);
    }
  }
}

int main(void) {
  fill();
  near_null();
  around((u64)pages[1] + 64);
  around((u64)pages[1]);
  fault("beyond RAM", TRY("ld t2, 0(%0)", "r"(0x84000000UL - 4)), LOAD_ACCESS, 0x84000000);
  fault("beyond RAM", TRY("sw zero, 0(%0)", "r"(0x84000000UL - 2)), STORE_ACCESS, 0x84000000);
  vm_init();
  /* Pages that are neighbours only by virtual address. */
  map(FREE_VA, (u64)pages[2], RW, 0);
  map(FREE_VA + PAGE, (u64)pages[0], RW, 0);
  map(FREE_VA + 2 * PAGE, (u64)pages[1], RW, 0);
  vm_on();
  run_in(S, around, FREE_VA + PAGE, 0);
  run_in(S, around, FREE_VA + 2 * PAGE, 0);
  run_in(S, missing, FREE_VA + GIGA, 0);
  return 0;
}
