/* Shared by the programs: checks, and code made at run time. */
#pragma once
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/cachectl.h>
#include <sys/mman.h>
#include <unistd.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t i64;

#define PAGE 4096UL
/* Enough rounds for a short loop to become hot and to run compiled for most of its time. */
#define HOT 3000000UL

static volatile int failures, checks;

static inline void check(const char *name, u64 got, u64 expected) {
  checks++;
  if (got == expected || ++failures > 20) return;
  printf("FAIL %s: got %#lx, expected %#lx\n", name, got, expected);
}

/* For calls that fail only if the system refuses them. */
#define must(condition)                         \
  do {                                          \
    if (condition) break;                       \
    printf("line %d: %m: " #condition "\n", __LINE__); \
    exit(2);                                    \
  } while (0)

/* Ends the program, which passes if it made at least one check and none failed. */
static inline int report(void) {
  int passed = checks > 0 && failures == 0;
  puts(passed ? "passed" : "failed");
  return !passed;
}

static inline void *map_pages(u64 pages, int protection) {
  void *at = mmap(NULL, pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  must(at != MAP_FAILED);
  return at;
}

/* Makes written code visible to all threads. */
static inline void flush_code(volatile void *at, u64 bytes) {
  must(__riscv_flush_icache((void *)at, (char *)at + bytes, 0) == 0);
}

/* Registers by number, and the instructions that the programs write. */
enum { ZERO = 0, RA = 1, T0 = 5, T1 = 6, T2 = 7, A0 = 10, A1 = 11, A2 = 12 };
#define RET 0x00008067U
#define EBREAK 0x00100073U

static inline u32 i_type(u32 opcode, u32 funct3, u32 rd, u32 rs1, i64 immediate) {
  return (u32)immediate << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | opcode;
}
static inline u32 r_type(u32 funct7, u32 funct3, u32 rd, u32 rs1, u32 rs2) {
  return funct7 << 25 | rs2 << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x33;
}
static inline u32 addi(u32 rd, u32 rs1, i64 n) { return i_type(0x13, 0, rd, rs1, n); }
static inline u32 xori(u32 rd, u32 rs1, i64 n) { return i_type(0x13, 4, rd, rs1, n); }
static inline u32 slli(u32 rd, u32 rs1, u32 n) { return i_type(0x13, 1, rd, rs1, n); }
static inline u32 srli(u32 rd, u32 rs1, u32 n) { return i_type(0x13, 5, rd, rs1, n); }
static inline u32 add(u32 rd, u32 rs1, u32 rs2) { return r_type(0, 0, rd, rs1, rs2); }
static inline u32 sub(u32 rd, u32 rs1, u32 rs2) { return r_type(0x20, 0, rd, rs1, rs2); }
static inline u32 mul(u32 rd, u32 rs1, u32 rs2) { return r_type(1, 0, rd, rs1, rs2); }
static inline u32 xor(u32 rd, u32 rs1, u32 rs2) { return r_type(0, 4, rd, rs1, rs2); }
static inline u32 bnez(u32 rs1, i64 distance) {
  u32 d = (u32)distance;
  return (d >> 12 & 1) << 31 | (d >> 5 & 0x3f) << 25 | rs1 << 15 | 1 << 12 | (d >> 1 & 0xf) << 8 | (d >> 11 & 1) << 7 | 0x63;
}

typedef u64 (*function)(u64, u64);
static inline u64 call(volatile void *at, u64 a0, u64 a1) { return ((function)at)(a0, a1); }

static u64 random_state = 1;
static inline u64 random_number(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}
