/* Four harts in step. */
#pragma once
#include "runtime.h"

#define HARTS 4

static volatile u64 barrier_count __attribute__((aligned(64)));

/* Returns once all harts have called it equally often. */
static inline void barrier(u64 hart) {
  static u64 rounds[HARTS];
  u64 goal = ++rounds[hart] * HARTS;
  asm volatile("fence rw, rw\n\tamoadd.d.aqrl zero, %0, (%1)" ::"r"(1UL), "r"(&barrier_count) : "memory");
  while (barrier_count < goal) asm volatile(".insn 4, 0x0100000f" ::: "memory"); /* pause */
  asm volatile("fence rw, rw" ::: "memory");
}
