/* Indirect calls through a table in an order that branch prediction cannot learn. */
#include "../runtime/runtime.h"

#define CALLS 22000000

const char workload_name[] = "calls";
const uint64_t expected = 0x5cda60a0459e64e5;

typedef uint64_t operation(uint64_t value, uint64_t argument);

#define OPERATION(name, expression)                                                                          \
  static __attribute__((noinline)) uint64_t name(uint64_t value, uint64_t argument) {                         \
    (void)argument;                                                                                          \
    return expression;                                                                                       \
  }

OPERATION(add, value + argument)
OPERATION(subtract, value - argument)
OPERATION(exclusive_or, value ^ argument)
OPERATION(rotate, value << 9 | value >> 55)
OPERATION(multiply, value * (argument | 1))
OPERATION(complement, ~value)
OPERATION(shift_in, value << 1 | (argument & 1))
OPERATION(larger, value > argument ? value : argument + 1)

static operation *const table[] = {add, subtract, exclusive_or, rotate, multiply, complement, shift_in, larger};

uint64_t workload(void) {
  uint64_t state = 99, value = 1;
  for (int i = 0; i < CALLS; i++) {
    uint64_t random = xorshift(&state);
    value = table[random >> 61](value, random);
  }
  return value;
}
