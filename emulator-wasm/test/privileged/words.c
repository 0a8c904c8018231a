/* Words in loops, which compiled code keeps in locals of 32 bits, as operands of instructions of 64 bits. */
#include "runtime.h"

#define ROUNDS 50UL

/*
 * In each round: x = the sign-extended word of x + step, result = x op divisor. Returns result + 3 * x, which
 * sees if only one of them is wrong.
 */
#define LOOP(op)                                                        \
  static u64 op##_loop(u64 x, u64 step, u64 divisor) {                  \
    u64 result = 0;                                                     \
    for (u64 n = ROUNDS; n > 0; n--)                                    \
      asm volatile("addw %0, %0, %2\n\t" #op " %1, %0, %3\n\t"          \
                   "add %1, %1, %0\n\tadd %1, %1, %0\n\tadd %1, %1, %0" \
                   : "+r"(x), "=&r"(result)                             \
                   : "r"(step), "r"(divisor));                          \
    return result;                                                      \
  }
LOOP(div)
LOOP(divu)
LOOP(rem)
LOOP(remu)

static i64 signed_quotient(i64 a, i64 b) { return b == 0 ? -1 : b == -1 ? -a : a / b; }
static i64 signed_remainder(i64 a, i64 b) { return b == 0 ? a : b == -1 ? 0 : a % b; }

int main(void) {
  static const u64 starts[] = {0, 1, 0x7ffffff0, 0x123456789abcdef0, -1UL};
  static const u64 steps[] = {1, -3UL, 0x40000001};
  static const u64 divisors[] = {0, 1, -1UL, 7, -1000UL, 1UL << 40};
  for (u32 s = 0; s < sizeof starts / 8; s++) {
    for (u32 t = 0; t < sizeof steps / 8; t++) {
      for (u32 d = 0; d < sizeof divisors / 8; d++) {
        volatile u64 start = starts[s], step = steps[t], divisor = divisors[d];
        u64 x = (u64)(i64)(int)(start + ROUNDS * step), by = divisor;
        check("div", div_loop(start, step, divisor), (u64)signed_quotient(x, by) + 3 * x);
        check("divu", divu_loop(start, step, divisor), (by ? x / by : -1UL) + 3 * x);
        check("rem", rem_loop(start, step, divisor), (u64)signed_remainder(x, by) + 3 * x);
        check("remu", remu_loop(start, step, divisor), (by ? x % by : x) + 3 * x);
      }
    }
  }
  return 0;
}
