/*
 * Floating point: results and flags of every operation on every operand, in every rounding mode, cold and
 * hot. The output is compared with the output of the same program in QEMU.
 */
#include "check.h"
#include <fenv.h>
#include <math.h>

static const u64 operands[] = {
    0x0000000000000000, 0x8000000000000000, /* zeros */
    0x3ff0000000000000, 0xbff0000000000000, /* one */
    0x4008000000000000, 0x3fd5555555555555, /* 3, and about its inverse */
    0x3ff0000000000001, 0x3fefffffffffffff, /* next to one */
    0x4340000000000000, 0x433fffffffffffff, /* 2^53, and one less */
    0x0010000000000000, 0x000fffffffffffff, /* the least normal, the greatest subnormal */
    0x0000000000000001, 0x8000000000000003, /* the least */
    0x7fefffffffffffff, 0xffefffffffffffff, /* the greatest */
    0x7fe0000000000000, 0x0020000000000000, /* near both */
    0x7ff0000000000000, 0xfff0000000000000, /* infinities */
    0x7ff8000000000000, 0xfff8000000001234, /* quiet NaNs, one with a payload */
    0x7ff0000000000001, 0xfff4000000000000, /* signalling NaNs */
    0x41dfffffffc00000, 0xc1e0000000200000, /* near the bounds of int */
    0x43e0000000000000, 0xc3e0000000000000, /* of long */
    0x3fe0000000000000, 0x4004000000000000, /* halves: 0.5, 2.5 */
    0x3ca0000000000000, 0x3c90000000000000, /* half an ulp, a quarter */
    0x1fffffffffffffff, 0x2000000000000000, /* whose products are subnormal */
    0x400921fb54442d18, 0xc05edd2f1a9fbe77, /* others */
    0x47efffffe0000000, 0x36a0000000000000, /* the bounds of float */
    0xffffffff3f800000, 0xffffffff7fc00000, 0xffffffff00000001, 0x000000003f800000, /* floats, boxed or not */
    0xffffffff7f7fffff, 0xffffffff00800000, 0xffffffff40490fdb, 0xffffffff7fa00000,
};
enum { OPERANDS = sizeof operands / sizeof *operands };

typedef void (*run)(const u64 *a, const u64 *b, const u64 *c, u64 *results, u64 count);

/*
 * An operation on arrays of doublewords. Each result is followed by its flags. The flags are read only
 * between operations, and NX is set before every second one.
 */
#define OPERATION(name, instruction)                                                               \
  __attribute__((noinline)) static void name(const u64 *a, const u64 *b, const u64 *c, u64 *results, \
                                             u64 count) {                                          \
    for (u64 n = 0; n < count; n++) {                                                              \
      u64 result, flags;                                                                           \
      asm volatile("fmv.d.x ft1, %2\n\tfmv.d.x ft2, %3\n\tfmv.d.x ft3, %4\n\tli %0, 0\n\t"         \
                   "fmv.d.x ft0, zero\n\tfsflags %5\n\t" instruction                               \
                   "\n\tfmv.x.d t1, ft0\n\txor %0, %0, t1\n\tfrflags %1"                           \
                   : "=&r"(result), "=&r"(flags)                                                   \
                   : "r"(a[n]), "r"(b[n]), "r"(c[n]), "r"(n & 1)                                   \
                   : "ft0", "ft1", "ft2", "ft3", "t1");                                            \
      results[2 * n] = result;                                                                     \
      results[2 * n + 1] = flags;                                                                  \
    }                                                                                              \
  }
#define BOTH(name, operation, registers) \
  OPERATION(name##_d, operation ".d " registers) OPERATION(name##_s, operation ".s " registers)

BOTH(fadd, "fadd", "ft0, ft1, ft2")
BOTH(fsub, "fsub", "ft0, ft1, ft2")
BOTH(fmul, "fmul", "ft0, ft1, ft2")
BOTH(fdiv, "fdiv", "ft0, ft1, ft2")
BOTH(fsqrt, "fsqrt", "ft0, ft1")
BOTH(fmadd, "fmadd", "ft0, ft1, ft2, ft3")
BOTH(fmsub, "fmsub", "ft0, ft1, ft2, ft3")
BOTH(fnmadd, "fnmadd", "ft0, ft1, ft2, ft3")
BOTH(fnmsub, "fnmsub", "ft0, ft1, ft2, ft3")
BOTH(fmin_, "fmin", "ft0, ft1, ft2")
BOTH(fmax_, "fmax", "ft0, ft1, ft2")
BOTH(fsgnj, "fsgnj", "ft0, ft1, ft2")
BOTH(fsgnjn, "fsgnjn", "ft0, ft1, ft2")
BOTH(fsgnjx, "fsgnjx", "ft0, ft1, ft2")
BOTH(feq, "feq", "%0, ft1, ft2")
BOTH(flt, "flt", "%0, ft1, ft2")
BOTH(fle, "fle", "%0, ft1, ft2")
BOTH(fclass, "fclass", "%0, ft1")
BOTH(fcvt_w, "fcvt.w", "%0, ft1")
BOTH(fcvt_wu, "fcvt.wu", "%0, ft1")
BOTH(fcvt_l, "fcvt.l", "%0, ft1")
BOTH(fcvt_lu, "fcvt.lu", "%0, ft1")
OPERATION(fcvt_d_w, "fcvt.d.w ft0, %2")
OPERATION(fcvt_d_wu, "fcvt.d.wu ft0, %2")
OPERATION(fcvt_d_l, "fcvt.d.l ft0, %2")
OPERATION(fcvt_d_lu, "fcvt.d.lu ft0, %2")
OPERATION(fcvt_s_w, "fcvt.s.w ft0, %2")
OPERATION(fcvt_s_l, "fcvt.s.l ft0, %2")
OPERATION(fcvt_s_lu, "fcvt.s.lu ft0, %2")
OPERATION(fcvt_s_d, "fcvt.s.d ft0, ft1")
OPERATION(fcvt_d_s, "fcvt.d.s ft0, ft1")
OPERATION(fmv_x_w, "fmv.x.w %0, ft1")
OPERATION(fadd_up, "fadd.d ft0, ft1, ft2, rup")
OPERATION(fmadd_to_zero, "fmadd.d ft0, ft1, ft2, ft3, rtz")

#define NAMED(name) {#name, name}
#define BOTH_NAMED(name) NAMED(name##_d), NAMED(name##_s)
static const struct {
  const char *name;
  run run;
} operations[] = {
    BOTH_NAMED(fadd), BOTH_NAMED(fsub), BOTH_NAMED(fmul), BOTH_NAMED(fdiv), BOTH_NAMED(fsqrt), BOTH_NAMED(fmadd),
    BOTH_NAMED(fmsub), BOTH_NAMED(fnmadd), BOTH_NAMED(fnmsub), BOTH_NAMED(fmin_), BOTH_NAMED(fmax_),
    BOTH_NAMED(fsgnj), BOTH_NAMED(fsgnjn), BOTH_NAMED(fsgnjx), BOTH_NAMED(feq), BOTH_NAMED(flt), BOTH_NAMED(fle),
    BOTH_NAMED(fclass), BOTH_NAMED(fcvt_w), BOTH_NAMED(fcvt_wu), BOTH_NAMED(fcvt_l), BOTH_NAMED(fcvt_lu),
    NAMED(fcvt_d_w), NAMED(fcvt_d_wu), NAMED(fcvt_d_l), NAMED(fcvt_d_lu), NAMED(fcvt_s_w), NAMED(fcvt_s_l),
    NAMED(fcvt_s_lu), NAMED(fcvt_s_d), NAMED(fcvt_d_s), NAMED(fmv_x_w), NAMED(fadd_up), NAMED(fmadd_to_zero),
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

/*
 * All pairs, with a third operand. Each pair occurs twice, because NX is set before operations at odd places.
 */
enum { CASES = 2 * OPERANDS * OPERANDS };
static u64 a[CASES], b[CASES], c[CASES], results[2 * CASES], first[2 * CASES];

static void choose_operands(void) {
  for (u64 n = 0; n < CASES; n++) {
    a[n] = operands[n / 2 / OPERANDS];
    b[n] = operands[n / 2 % OPERANDS];
    c[n] = n % 14 < 7 ? operands[random_number() % OPERANDS] : random_number();
  }
}

static u64 hash(const u64 *words, u64 count) {
  u64 h = 0;
  for (u64 n = 0; n < count; n++) h = (h ^ words[n]) * 0x9e3779b97f4a7c15 + (h >> 29);
  return h;
}

static void all_operations(int times) {
  for (u64 n = 0; n < OPERATIONS; n++) {
    for (u64 mode = 0; mode < 5; mode++) {
      asm volatile("fsrm %0" ::"r"(mode));
      operations[n].run(a, b, c, first, CASES);
      for (int round = 1; round < times; round++) {
        operations[n].run(a, b, c, results, CASES);
        check(operations[n].name, memcmp(results, first, sizeof first), 0);
      }
      asm volatile("fsrm zero");
      printf("%s %lu %lx\n", operations[n].name, mode, hash(first, 2 * CASES));
    }
  }
}

/* Loops that do not read the flags, which accumulate over all operations. */
__attribute__((noinline, optimize("fp-contract=off"))) static double dot(const double *x, const double *y, u64 count, u64 times) {
  double sum = 0;
  for (u64 round = 0; round < times; round++) {
    for (u64 n = 0; n < count; n++) sum += x[n] * y[n];
    sum -= sum / 2;
    sum = sum > 1e6 ? 0 : sum;
  }
  return sum;
}

__attribute__((noinline)) static double fused(const double *x, const double *y, u64 count, u64 times) {
  double sum = 0;
  for (u64 round = 0; round < times; round++) {
    for (u64 n = 0; n < count; n++) sum = fma(x[n], y[n], sum);
    sum = sum > 1e6 ? 0 : sum;
  }
  return sum;
}

static void flags_of_loops(void) {
  double x[64], y[64];
  static const struct {
    const char *name;
    double at_17, by;
  } loops[] = {
      {"exact", 4, 2},
      {"inexact", 0.1, 0.3},
      {"underflow", 0x1p-1000, 0x1.8p-74},
      {"overflow", 0x1p1000, 0x1p1000},
      {"invalid", INFINITY, 0},
      {"subnormal but exact", 0x1p-1000, 0x1p-60},
  };
  for (u64 n = 0; n < sizeof loops / sizeof *loops; n++) {
    for (int k = 0; k < 64; k++) x[k] = y[k] = 0;
    for (int k = 0; k < 64; k += 3) x[k] = k, y[k] = 2;
    for (int times = 1; times <= 10000; times *= 10) {
      x[17] = loops[n].at_17, y[17] = loops[n].by;
      feclearexcept(FE_ALL_EXCEPT);
      double sum = fused(x, y, 64, times);
      u64 bits;
      memcpy(&bits, &sum, 8);
      printf("fused %s %d %lx %x\n", loops[n].name, times, bits, fetestexcept(FE_ALL_EXCEPT));
      feclearexcept(FE_ALL_EXCEPT);
      sum = dot(x, y, 64, times);
      memcpy(&bits, &sum, 8);
      printf("dot %s %d %lx %x\n", loops[n].name, times, bits, fetestexcept(FE_ALL_EXCEPT));
    }
  }
}

/* Whole numbers up to 2^53, so nothing is ever rounded. */
__attribute__((noinline)) static double factorial_sums(u64 times) {
  double total = 0;
  for (u64 round = 0; round < times; round++) {
    double product = 1, sum = 0;
    for (int n = 1; n <= 18; n++) {
      product *= n;
      sum += product;
      sum -= product / n / 1;
    }
    total += sum / sum;
  }
  return total;
}

static void whole_numbers(void) {
  for (int round = 0; round < 20; round++) {
    feclearexcept(FE_ALL_EXCEPT);
    check("whole", factorial_sums(5000) == 5000, 1);
    check("flags of whole numbers", fetestexcept(FE_ALL_EXCEPT), 0);
  }
}

/* The rounding mode changes between runs of the same hot code. */
__attribute__((noinline)) static double thirds(u64 times) {
  double sum = 0;
  for (u64 n = 1; n <= times; n++) sum += 1.0 / (3 * n);
  return sum;
}

static void rounding_modes(void) {
  static const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
  double before[4];
  for (int round = 0; round < 6; round++) {
    double got[4];
    for (int n = 0; n < 4; n++) {
      must(fesetround(modes[n]) == 0);
      got[n] = thirds(round == 3 ? 300000 : 50000);
      must(fesetround(FE_TONEAREST) == 0);
    }
    check("ordered", got[1] < got[0] && got[0] < got[2] && got[3] == got[1], 1);
    if (round > 0 && round < 3) check("the same again", memcmp(got, before, sizeof got), 0);
    memcpy(before, got, sizeof got);
  }
  u64 bits[4];
  memcpy(bits, before, sizeof bits);
  printf("thirds %lx\n", hash(bits, 4));
}

int main(void) {
  choose_operands();
  all_operations(4);
  flags_of_loops();
  whole_numbers();
  rounding_modes();
  return report();
}
