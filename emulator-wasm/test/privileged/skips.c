/*
 * Branches over a few operations, which compiled code executes always and takes back if they are skipped.
 * Core only: QEMU does not count instructions exactly.
 */
#include "runtime.h"

#define ROUNDS 200UL

static unsigned char bytes[ROUNDS + 2 * 64];

static u64 instret(void) {
  u64 value;
  asm volatile("rdinstret %0" : "=r"(value));
  return value;
}

/* A word and a register of 64 bits change in two of three operations if the lowest bit is set. */
static u64 sums(u64 state, u64 *words) {
  u64 sum = 0, word = 0;
  for (u64 n = ROUNDS; n > 0; n--)
    asm volatile(
        "slli t0, %0, 13\n\txor %0, %0, t0\n\tsrli t0, %0, 7\n\txor %0, %0, t0\n\t"
        "andi t0, %0, 1\n\tbeqz t0, 1f\n\t"
        "add %1, %1, %0\n\taddw %2, %2, %0\n\txor %1, %1, %2\n\t"
        "1:\n\tslli %1, %1, 1"
        : "+r"(state), "+r"(sum), "+r"(word)
        :
        : "t0");
  *words = word;
  return sum;
}

static u64 expected_sums(u64 state, u64 *words) {
  u64 sum = 0, word = 0;
  for (volatile u64 n = ROUNDS; n > 0; n--) {
    state ^= state << 13;
    state ^= state >> 7;
    if (state % 2) {
      sum += state;
      word = (u64)(i64)(int)(word + state);
      sum ^= word;
    }
    sum <<= 1;
  }
  *words = word;
  return sum;
}

/* A pointer steps to bytes that were read before, or stays. */
static u64 reads(u64 pattern) {
  u64 sum = 0;
  const unsigned char *at = bytes;
  for (u64 n = ROUNDS; n > 0; n--)
    asm volatile(
        "lbu t0, 0(%0)\n\tlbu t1, 64(%0)\n\tadd t0, t0, t1\n\t"
        "andi t1, %2, 1\n\tbeqz t1, 1f\n\taddi %0, %0, 64\n\t1:\n\t"
        "lbu t1, 0(%0)\n\tslli t0, t0, 8\n\tadd t0, t0, t1\n\tadd %1, %1, t0\n\t"
        "andi t1, %2, 1\n\tbeqz t1, 1f\n\taddi %0, %0, -64\n\t1:\n\taddi %0, %0, 1\n\tsrli %2, %2, 1"
        : "+r"(at), "+r"(sum), "+r"(pattern)
        :
        : "t0", "t1");
  return sum;
}

static u64 expected_reads(u64 pattern) {
  u64 sum = 0;
  for (volatile u64 n = 0; n < ROUNDS; n++, pattern >>= 1)
    sum += ((u64)(bytes[n] + bytes[n + 64]) << 8) + bytes[n + (pattern & 1) * 64];
  return sum;
}

/* The instructions of a loop that skips two of them in all rounds or in none. */
static __attribute__((noinline)) u64 retired(u64 skip) {
  u64 before = instret(), changed = 0;
  for (u64 n = ROUNDS; n > 0; n--)
    asm volatile("bnez %1, 1f\n\taddi %0, %0, 1\n\tslli %0, %0, 1\n\t1:" : "+r"(changed) : "r"(skip));
  return instret() - before;
}

int main(void) {
  for (u32 n = 0; n < sizeof bytes; n++) bytes[n] = n * 7;
  for (u64 seed = 1; seed < 40; seed++) {
    volatile u64 start = seed * 0x9e3779b97f4a7c15;
    u64 words, expected_words;
    u64 sum = sums(start, &words);
    check("sum", sum, expected_sums(start, &expected_words));
    check("words", words, expected_words);
    check("reads", reads(start), expected_reads(start));
    volatile u64 always = 1, never = 0;
    check("retired", retired(never) - retired(always), 2 * ROUNDS);
  }
  return 0;
}
