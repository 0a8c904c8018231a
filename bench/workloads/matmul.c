/* Multiplication of 128x128 matrices of doubles, the textbook's three loops. */
#include "../runtime/runtime.h"

#define SIZE 128
#define ROUNDS 42

const char workload_name[] = "matmul";
const uint64_t expected = 0x92d68afb97f955e7;

static double a[SIZE][SIZE], b[SIZE][SIZE], product[SIZE][SIZE];

static void multiply(void) {
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++) {
      double sum = 0;
      for (int k = 0; k < SIZE; k++) sum += a[i][k] * b[k][j];
      product[i][j] = sum;
    }
}

uint64_t workload(void) {
  uint64_t state = 7;
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++) {
      a[i][j] = (double)(int32_t)xorshift(&state) / 3e9;
      b[i][j] = (double)(int32_t)xorshift(&state) / 7e9;
    }
  for (int round = 0; round < ROUNDS; round++) {
    multiply();
    for (int i = 0; i < SIZE; i++)
      for (int j = 0; j < SIZE; j++) a[i][j] = product[i][j] * 0.125 + a[j][i];
  }
  uint64_t sum = 0;
  for (int i = 0; i < SIZE; i++)
    for (int j = 0; j < SIZE; j++) {
      union {
        double value;
        uint64_t bits;
      } entry = {product[i][j]};
      sum = fold(sum, entry.bits);
    }
  return sum;
}
