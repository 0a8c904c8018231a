/* Copies blocks of 4096 bytes and of 100 bytes. */
#include "vector.h"

#define SIZE 4096
#define SHORT 100
#define ROUNDS 150000

const char workload_name[] = "copy";
const uint64_t expected = 0x12034fc;

static uint8_t from[SIZE + 64], to[SIZE + 64];

#ifdef VECTOR
static void copy(uint8_t *target, const uint8_t *source, size_t length) {
  __asm__ volatile("1: vsetvli t0, %2, e8, m8, ta, ma\n"
                   "vle8.v v8, (%1)\n"
                   "add %1, %1, t0\n"
                   "sub %2, %2, t0\n"
                   "vse8.v v8, (%0)\n"
                   "add %0, %0, t0\n"
                   "bnez %2, 1b"
                   : "+&r"(target), "+&r"(source), "+&r"(length)::"t0", "memory");
}
#else
static void copy(uint8_t *target, const uint8_t *source, size_t length) { memcpy(target, source, length); }
#endif

uint64_t workload(void) {
  START_VECTORS();
  uint64_t state = 1, sum = 0;
  for (size_t i = 0; i < sizeof from; i++) from[i] = xorshift(&state);
  for (uint32_t round = 0; round < ROUNDS; round++) {
    size_t offset = (round & 7) * 8;
    copy(to + offset, from + offset, SIZE);
    copy(to, from + offset, SHORT);
    sum += to[round % SIZE];
  }
  return sum;
}
