/* A stack machine interpreted by a switch: its program sums the lengths of Collatz sequences. */
#include "../runtime/runtime.h"

#define LIMIT 10000

const char workload_name[] = "bytecode";
/* The steps of all sequences that start below ten thousand. */
const uint64_t expected = 849637;

enum { PUSH, LOAD, STORE, ADD, MUL, SHR, AND, LESS, EQUAL, JUMP, JUMP_IF_ZERO, HALT };
enum { N, VALUE, SUM, VARIABLES };

/* Two bytes an instruction: operation, operand. Jumps name an instruction. */
static const uint8_t program[] = {
    PUSH, 1, STORE, N, PUSH, 0, STORE, SUM,
    /* 4: value = n */
    LOAD, N, STORE, VALUE,
    /* 6: if value is 1, on to the next n */
    LOAD, VALUE, PUSH, 1, EQUAL, 0, JUMP_IF_ZERO, 11, JUMP, 26,
    /* 11: sum += 1 */
    LOAD, SUM, PUSH, 1, ADD, 0, STORE, SUM,
    /* 15: if value is odd, value = 3 value + 1 */
    LOAD, VALUE, PUSH, 1, AND, 0, JUMP_IF_ZERO, 34,
    LOAD, VALUE, PUSH, 3, MUL, 0, PUSH, 1, ADD, 0, STORE, VALUE, JUMP, 6,
    /* 26: n += 1, up to the limit */
    LOAD, N, PUSH, 1, ADD, 0, STORE, N,
    LOAD, N, LESS, 0, JUMP_IF_ZERO, 38, JUMP, 4,
    /* 34: value >>= 1 */
    LOAD, VALUE, SHR, 1, STORE, VALUE, JUMP, 6,
    /* 38 */
    HALT, 0,
};

static uint64_t interpret(const uint8_t *code, uint64_t limit) {
  uint64_t stack[16], *top = stack, variables[VARIABLES] = {0};
  const uint8_t *next = code;
  for (;;) {
    uint8_t operation = next[0], operand = next[1];
    next += 2;
    switch (operation) {
      case PUSH: *top++ = operand; break;
      case LOAD: *top++ = variables[operand]; break;
      case STORE: variables[operand] = *--top; break;
      case ADD: top--; top[-1] += top[0]; break;
      case MUL: top--; top[-1] *= top[0]; break;
      case SHR: top[-1] >>= operand; break;
      case AND: top--; top[-1] &= top[0]; break;
      case LESS: top[-1] = top[-1] < limit; break;
      case EQUAL: top--; top[-1] = top[-1] == top[0]; break;
      case JUMP: next = code + 2 * operand; break;
      case JUMP_IF_ZERO: if (!*--top) next = code + 2 * operand; break;
      default: return variables[SUM];
    }
  }
}

uint64_t workload(void) { return interpret(program, LIMIT); }
