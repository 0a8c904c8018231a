/* Names of the architecture. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;
typedef long i64;

enum { U = 0, S = 1, M = 3 };

/* mcause and scause. */
enum {
  FETCH_MISALIGNED = 0,
  FETCH_ACCESS = 1,
  ILLEGAL = 2,
  BREAKPOINT = 3,
  LOAD_MISALIGNED = 4,
  LOAD_ACCESS = 5,
  STORE_MISALIGNED = 6,
  STORE_ACCESS = 7,
  ECALL_U = 8,
  ECALL_S = 9,
  ECALL_M = 11,
  FETCH_PAGE = 12,
  LOAD_PAGE = 13,
  STORE_PAGE = 15,
};
enum { SSI = 1, MSI = 3, STI = 5, MTI = 7, SEI = 9, MEI = 11 };
#define INTERRUPT (1UL << 63)
#define NONE (~0UL)

/* mstatus and sstatus. */
#define STATUS_SIE (1UL << 1)
#define STATUS_MIE (1UL << 3)
#define STATUS_SPIE (1UL << 5)
#define STATUS_MPIE (1UL << 7)
#define STATUS_SPP (1UL << 8)
#define STATUS_MPP (3UL << 11)
#define STATUS_FS (3UL << 13)
#define STATUS_MPRV (1UL << 17)
#define STATUS_SUM (1UL << 18)
#define STATUS_MXR (1UL << 19)
#define STATUS_TVM (1UL << 20)
#define STATUS_TW (1UL << 21)
#define STATUS_TSR (1UL << 22)
#define STATUS_SD (1UL << 63)

#define READ_CSR(name)                                        \
  ({                                                          \
    u64 value_;                                               \
    asm volatile("csrr %0, " #name : "=r"(value_)::"memory"); \
    value_;                                                   \
  })
#define WRITE_CSR(name, value) asm volatile("csrw " #name ", %0" ::"r"((u64)(value)) : "memory")
#define SET_CSR(name, value) asm volatile("csrs " #name ", %0" ::"r"((u64)(value)) : "memory")
#define CLEAR_CSR(name, value) asm volatile("csrc " #name ", %0" ::"r"((u64)(value)) : "memory")
