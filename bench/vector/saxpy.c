/* y = a * x + y in singles. */
#include "vector.h"

#define SIZE 4096
#define ROUNDS 16000

const char workload_name[] = "saxpy";
const uint64_t expected = 0xdaa4be2aa4a0a958;

static float x[SIZE], y[SIZE];

#ifdef VECTOR
static void saxpy(size_t count, float a, const float *from, float *to) {
  __asm__ volatile("1: vsetvli t0, %2, e32, m1, ta, ma\n"
                   "vle32.v v8, (%1)\n"
                   "vle32.v v9, (%0)\n"
                   "slli t1, t0, 2\n"
                   "add %1, %1, t1\n"
                   "vfmacc.vf v9, %3, v8\n"
                   "vse32.v v9, (%0)\n"
                   "sub %2, %2, t0\n"
                   "add %0, %0, t1\n"
                   "bnez %2, 1b"
                   : "+&r"(to), "+&r"(from), "+&r"(count)
                   : "f"(a)
                   : "t0", "t1", "memory");
}
#else
static void saxpy(size_t count, float a, const float *from, float *to) {
  for (size_t i = 0; i < count; i++) to[i] = __builtin_fmaf(a, from[i], to[i]);
}
#endif

uint64_t workload(void) {
  START_VECTORS();
  for (int i = 0; i < SIZE; i++) {
    x[i] = i * 0.37f - 3;
    y[i] = 1.0f / (i + 1);
  }
  for (int round = 0; round < ROUNDS; round++) saxpy(SIZE, round & 1 ? 0.1f : -0.3f, x, y);
  uint64_t sum = 0;
  for (int i = 0; i < SIZE; i++) sum = fold(sum, (int64_t)(y[i] * 1e6f));
  return sum;
}
