/* Lengths of strings of 0 to 500 bytes. */
#include "vector.h"

#define SIZE 65536
#define ROUNDS 1600

const char workload_name[] = "length";
const uint64_t expected = 0xb1a6ef1cbe029140;

static char text[SIZE + 64];

#ifdef VECTOR
static size_t length_of(const char *string) {
  size_t length;
  const char *at = string;
  __asm__ volatile("1: vsetvli t0, zero, e8, m4, ta, ma\n"
                   "vle8ff.v v8, (%1)\n"
                   "csrr t0, vl\n"
                   "vmseq.vi v0, v8, 0\n"
                   "vfirst.m %0, v0\n"
                   "add %1, %1, t0\n"
                   "bltz %0, 1b\n"
                   "sub %1, %1, t0\n"
                   "add %0, %0, %1"
                   : "=&r"(length), "+r"(at)::"t0", "memory");
  return length - (size_t)string;
}
#else
#define ONES 0x0101010101010101u
static size_t length_of(const char *string) {
  const char *at = string;
  for (; (uintptr_t)at & 7; at++) {
    if (!*at) return at - string;
  }
  const uint64_t *words = (const uint64_t *)at;
  while (!((*words - ONES) & ~*words & ONES << 7)) words++;
  for (at = (const char *)words; *at;) at++;
  return at - string;
}
#endif

uint64_t workload(void) {
  START_VECTORS();
  uint64_t state = 1, sum = 0;
  for (size_t i = 0; i < SIZE; i++) text[i] = 1 + (xorshift(&state) & 0x7f) % 127;
  for (size_t i = 0; i < SIZE; i += 1 + xorshift(&state) % 500) text[i] = 0;
  text[SIZE - 1] = 0;
  for (int round = 0; round < ROUNDS; round++) {
    for (size_t i = 0; i < SIZE; i++) {
      size_t length = length_of(text + i);
      sum = fold(sum, length);
      i += length;
    }
  }
  return sum;
}
