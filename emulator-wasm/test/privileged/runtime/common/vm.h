/* Sv39 page tables. */
#pragma once
#include "riscv.h"

#define PAGE 0x1000UL
#define MEGA 0x200000UL
#define GIGA 0x40000000UL

#define PTE_V 1UL
#define PTE_R 2UL
#define PTE_W 4UL
#define PTE_X 8UL
#define PTE_U 16UL
#define PTE_G 32UL
#define PTE_A 64UL
#define PTE_D 128UL
#define PTE_AD (PTE_A | PTE_D)

/* The start of virtual memory for experiments. Nothing is mapped there at first. */
#define FREE_VA 0x1000000000UL
/* The distance to U-mode's view of the same RAM. */
#define USER_OFFSET 0x100000000UL

/*
 * Starts new tables, with devices and RAM at their physical addresses for S-mode, and RAM again USER_OFFSET
 * higher for U-mode. Does not turn translation on.
 */
void vm_init(void);
u64 satp_for(u64 asid);
/* Sets satp in M-mode and flushes all translations. */
void vm_on(void);
void vm_off(void);

/* Returns the entry for `va` at level 0 (4 KiB), 1 (2 MiB) or 2 (1 GiB), and makes its tables as needed. */
volatile u64 *pte_of(u64 va, int level);
/* Writes that entry, without a fence. */
void map(u64 va, u64 pa, u64 flags, int level);

static inline void sfence_all(void) { asm volatile("sfence.vma" ::: "memory"); }
static inline void sfence_page(u64 va) { asm volatile("sfence.vma %0, zero" ::"r"(va) : "memory"); }
static inline void sfence_asid(u64 asid) { asm volatile("sfence.vma zero, %0" ::"r"(asid) : "memory"); }
static inline void sfence_page_asid(u64 va, u64 asid) {
  asm volatile("sfence.vma %0, %1" ::"r"(va), "r"(asid) : "memory");
}
