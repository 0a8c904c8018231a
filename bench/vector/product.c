/* The product of two matrices of bytes, in words. */
#include "vector.h"

#define SIZE 128
#define ROUNDS 100

const char workload_name[] = "product";
const uint64_t expected = 0x70d889b82986fe9d;

static int8_t a[SIZE][SIZE], b[SIZE][SIZE];
static int32_t c[SIZE][SIZE];

#ifdef VECTOR
/** 16 words of a row. */
static void part(const int8_t *row, const int8_t *column, int32_t *result) {
  size_t count = SIZE;
  __asm__ volatile("vsetivli zero, 16, e32, m4, ta, ma\n"
                   "vmv.v.i v16, 0\n"
                   "1: lb t0, 0(%0)\n"
                   "vsetivli zero, 16, e8, m1, ta, ma\n"
                   "vle8.v v8, (%1)\n"
                   "addi %0, %0, 1\n"
                   "add %1, %1, %3\n"
                   "vwmul.vx v10, v8, t0\n"
                   "vsetivli zero, 16, e16, m2, ta, ma\n"
                   "vwadd.wv v16, v16, v10\n"
                   "addi %2, %2, -1\n"
                   "bnez %2, 1b\n"
                   "vsetivli zero, 16, e32, m4, ta, ma\n"
                   "vse32.v v16, (%4)"
                   : "+&r"(row), "+&r"(column), "+&r"(count)
                   : "r"((size_t)SIZE), "r"(result)
                   : "t0", "memory");
}

static void multiply(void) {
  for (int i = 0; i < SIZE; i++) {
    for (int j = 0; j < SIZE; j += 16) part(a[i], &b[0][j], &c[i][j]);
  }
}
#else
static void multiply(void) {
  for (int i = 0; i < SIZE; i++) {
    for (int j = 0; j < SIZE; j++) c[i][j] = 0;
    for (int k = 0; k < SIZE; k++) {
      for (int j = 0; j < SIZE; j++) c[i][j] += a[i][k] * b[k][j];
    }
  }
}
#endif

uint64_t workload(void) {
  START_VECTORS();
  uint64_t state = 1, sum = 0;
  for (int i = 0; i < SIZE; i++) {
    for (int j = 0; j < SIZE; j++) {
      a[i][j] = xorshift(&state);
      b[i][j] = xorshift(&state);
    }
  }
  for (int round = 0; round < ROUNDS; round++) {
    multiply();
    a[round][round]++;
    sum = fold(sum, c[round][round + 1]);
  }
  for (int i = 0; i < SIZE; i++) {
    for (int j = 0; j < SIZE; j++) sum = fold(sum, c[i][j]);
  }
  return sum;
}
