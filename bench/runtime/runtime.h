#ifndef RUNTIME_H
#define RUNTIME_H

#include <stddef.h>
#include <stdint.h>

/** Each file of workloads/ provides its name, the work, and the expected result. */
extern const char workload_name[];
extern const uint64_t expected;
uint64_t workload(void);

void *memcpy(void *to, const void *from, size_t length);
void *memset(void *to, int byte, size_t length);

/** Returns the next number of xorshift64, which is never 0 if the state is not 0. */
static inline uint64_t xorshift(uint64_t *state) {
  uint64_t x = *state;
  x ^= x << 13;
  x ^= x >> 7;
  x ^= x << 17;
  return *state = x;
}

/** Folds a value into a checksum (FNV-1a's step over 64-bit words). */
static inline uint64_t fold(uint64_t sum, uint64_t value) { return (sum ^ value) * 0x100000001b3u; }

#endif
