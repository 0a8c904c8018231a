/* The sieve of Eratosthenes, a byte per number: strides through 4 MB, so it lives by the TLB. */
#include "../runtime/runtime.h"

#define LIMIT 4000000
#define ROUNDS 8

const char workload_name[] = "sieve";
/* There are 283146 primes below four million. */
const uint64_t expected = 283146 * ROUNDS;

static uint8_t composite[LIMIT];

static uint64_t count_primes(void) {
  memset(composite, 0, LIMIT);
  uint64_t count = 0;
  for (uint32_t n = 2; n < LIMIT; n++) {
    if (composite[n]) continue;
    count++;
    for (uint64_t multiple = (uint64_t)n * n; multiple < LIMIT; multiple += n) composite[multiple] = 1;
  }
  return count;
}

uint64_t workload(void) {
  uint64_t sum = 0;
  for (int round = 0; round < ROUNDS; round++) sum += count_primes();
  return sum;
}
