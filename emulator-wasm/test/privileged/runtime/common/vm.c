#include "vm.h"

#define TABLES 32

static volatile u64 tables[TABLES][512] __attribute__((aligned(4096)));
static int used;

volatile u64 *pte_of(u64 va, int level) {
  volatile u64 *table = tables[0];
  for (int at = 2; at > level; at--) {
    volatile u64 *entry = &table[va >> (12 + 9 * at) & 511];
    if (!(*entry & PTE_V)) *entry = (u64)tables[++used] >> 12 << 10 | PTE_V;
    table = (volatile u64 *)(*entry >> 10 << 12);
  }
  return &table[va >> (12 + 9 * level) & 511];
}

void map(u64 va, u64 pa, u64 flags, int level) { *pte_of(va, level) = pa >> 12 << 10 | flags; }

void vm_init(void) {
  used = 0;
  for (int i = 0; i < TABLES; i++) {
    for (int k = 0; k < 512; k++) tables[i][k] = 0;
  }
  u64 all = PTE_V | PTE_R | PTE_W | PTE_X | PTE_AD;
  map(0, 0, all & ~PTE_X, 2);
  map(0x80000000, 0x80000000, all, 2);
  map(0x80000000 + USER_OFFSET, 0x80000000, all | PTE_U, 2);
}

u64 satp_for(u64 asid) { return 8UL << 60 | asid << 44 | (u64)tables >> 12; }

void vm_on(void) {
  WRITE_CSR(satp, satp_for(0));
  sfence_all();
}

void vm_off(void) {
  WRITE_CSR(satp, 0);
  sfence_all();
}
