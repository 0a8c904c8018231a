/* Deep and wide recursion: Fibonacci, Ackermann, and the towers of Hanoi. */
#include "../runtime/runtime.h"

const char workload_name[] = "recursion";
/* fib(35) = 9227465, ackermann(3, 9) = 2^12 - 3, 2^22 - 1 moves. */
const uint64_t expected = 9227465 + 4093 + 4194303;

static __attribute__((noipa)) uint64_t fib(uint64_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

static __attribute__((noipa)) uint64_t ackermann(uint64_t m, uint64_t n) {
  if (!m) return n + 1;
  return ackermann(m - 1, n ? ackermann(m, n - 1) : 1);
}

static __attribute__((noipa)) uint64_t hanoi(unsigned discs, unsigned from, unsigned to) {
  if (!discs) return 0;
  unsigned spare = 3 - from - to;
  return hanoi(discs - 1, from, spare) + 1 + hanoi(discs - 1, spare, to);
}

uint64_t workload(void) { return fib(35) + ackermann(3, 9) + hanoi(22, 0, 2); }
