/*
 * Executes F and D instructions under qemu-riscv64. Reads tuples of
 * { u16 operation, u8 rm, u8 fflags, u32 unused, u64 a, b, c } from standard input, and answers each with
 * { u64 result, u64 fflags }. Operations are numbered as in operations.ts.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct tuple {
  uint16_t operation;
  uint8_t rm, fflags;
  uint32_t unused;
  uint64_t a, b, c;
};

struct answer {
  uint64_t result, fflags;
};

/* The operands a, b and c are in x registers. f registers are moved whole, so that boxing is tested too. */
#define EXECUTE(INSTRUCTION, MOVE_RESULT)                                                        \
  __asm__ volatile("fmv.d.x ft1, %[a]\n fmv.d.x ft2, %[b]\n fmv.d.x ft3, %[c]\n mv t1, %[a]\n"   \
                   "fscsr %[before]\n" INSTRUCTION "\n frflags %[after]\n" MOVE_RESULT "\n"      \
                   : [result] "=&r"(answer.result), [after] "=&r"(answer.fflags)                 \
                   : [a] "r"(t->a), [b] "r"(t->b), [c] "r"(t->c), [before] "r"(fcsr)             \
                   : "t0", "t1", "ft0", "ft1", "ft2", "ft3")

#define TO_F(NUMBER, INSTRUCTION)                        \
  case NUMBER:                                           \
    EXECUTE(INSTRUCTION, "fmv.x.d %[result], ft0");      \
    break;
#define TO_X(NUMBER, INSTRUCTION)                        \
  case NUMBER:                                           \
    EXECUTE(INSTRUCTION, "mv %[result], t0");            \
    break;

#define FORMAT(FIRST, F)                                 \
  TO_F(FIRST + 0, "fadd." F " ft0, ft1, ft2")            \
  TO_F(FIRST + 1, "fsub." F " ft0, ft1, ft2")            \
  TO_F(FIRST + 2, "fmul." F " ft0, ft1, ft2")            \
  TO_F(FIRST + 3, "fdiv." F " ft0, ft1, ft2")            \
  TO_F(FIRST + 4, "fsqrt." F " ft0, ft1")                \
  TO_F(FIRST + 5, "fmadd." F " ft0, ft1, ft2, ft3")      \
  TO_F(FIRST + 6, "fmsub." F " ft0, ft1, ft2, ft3")      \
  TO_F(FIRST + 7, "fnmsub." F " ft0, ft1, ft2, ft3")     \
  TO_F(FIRST + 8, "fnmadd." F " ft0, ft1, ft2, ft3")     \
  TO_F(FIRST + 9, "fmin." F " ft0, ft1, ft2")            \
  TO_F(FIRST + 10, "fmax." F " ft0, ft1, ft2")           \
  TO_X(FIRST + 11, "feq." F " t0, ft1, ft2")             \
  TO_X(FIRST + 12, "flt." F " t0, ft1, ft2")             \
  TO_X(FIRST + 13, "fle." F " t0, ft1, ft2")             \
  TO_X(FIRST + 14, "fclass." F " t0, ft1")               \
  TO_F(FIRST + 15, "fsgnj." F " ft0, ft1, ft2")          \
  TO_F(FIRST + 16, "fsgnjn." F " ft0, ft1, ft2")         \
  TO_F(FIRST + 17, "fsgnjx." F " ft0, ft1, ft2")         \
  TO_X(FIRST + 18, "fcvt.w." F " t0, ft1, dyn")          \
  TO_X(FIRST + 19, "fcvt.wu." F " t0, ft1, dyn")         \
  TO_X(FIRST + 20, "fcvt.l." F " t0, ft1, dyn")          \
  TO_X(FIRST + 21, "fcvt.lu." F " t0, ft1, dyn")         \
  TO_F(FIRST + 22, "fcvt." F ".w ft0, t1")               \
  TO_F(FIRST + 23, "fcvt." F ".wu ft0, t1")              \
  TO_F(FIRST + 24, "fcvt." F ".l ft0, t1")               \
  TO_F(FIRST + 25, "fcvt." F ".lu ft0, t1")

static struct answer execute(const struct tuple *t) {
  struct answer answer = {0, 0};
  uint64_t fcsr = (uint64_t)t->rm << 5 | t->fflags;
  switch (t->operation) {
    FORMAT(0, "d")
    FORMAT(26, "s")
    TO_F(52, "fcvt.s.d ft0, ft1")
    TO_F(53, "fcvt.d.s ft0, ft1")
  }
  return answer;
}

int main(void) {
  struct tuple tuples[1024];
  struct answer answers[1024];
  size_t count;
  while ((count = fread(tuples, sizeof *tuples, 1024, stdin)) > 0) {
    for (size_t i = 0; i < count; i++) answers[i] = execute(&tuples[i]);
    if (fwrite(answers, sizeof *answers, count, stdout) != count) return 1;
  }
  return fflush(stdout) != 0;
}
