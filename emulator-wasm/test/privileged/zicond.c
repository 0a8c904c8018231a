/*
 * Conditional zero (unprivileged specification, Zicond).
 * Core only: QEMU 7.2 does not have it.
 */
#include "runtime.h"

#define CZERO(funct3, rd, rs1, rs2) ".insn r 0x33, " #funct3 ", 7, " rd ", " rs1 ", " rs2 "\n\t"
#define EQZ(rd, rs1, rs2) CZERO(5, rd, rs1, rs2)
#define NEZ(rd, rs1, rs2) CZERO(7, rd, rs1, rs2)

#define OPERATION(name, instruction)                                                   \
  static u64 name(u64 value, u64 condition) {                                          \
    u64 result;                                                                        \
    asm volatile(instruction("%0", "%1", "%2") : "=r"(result) : "r"(value), "r"(condition)); \
    return result;                                                                     \
  }
OPERATION(eqz, EQZ)
OPERATION(nez, NEZ)

/* A condition counts as a whole, not by its low word or lowest bit. */
static const u64 CONDITIONS[] = {1, 2, 1UL << 31, 1UL << 32, 1UL << 63, ~0UL};
static const u64 VALUES[] = {0, 1, 0x123456789abcdef0, 1UL << 63, ~0UL};
#define LENGTH(array) (sizeof(array) / sizeof *(array))

static void values(void) {
  for (u64 v = 0; v < LENGTH(VALUES); v++) {
    check("czero.eqz of 0", eqz(VALUES[v], 0), 0);
    check("czero.nez of 0", nez(VALUES[v], 0), VALUES[v]);
    for (u64 c = 0; c < LENGTH(CONDITIONS); c++) {
      check("czero.eqz", eqz(VALUES[v], CONDITIONS[c]), VALUES[v]);
      check("czero.nez", nez(VALUES[v], CONDITIONS[c]), 0);
    }
  }
}

/* One register in several places, and x0 in each. */
static void registers(void) {
  u64 a = 7, b = 7, c = 0, d = 0, e = 9, f = 9, g = 5, i = 5, j = 1, k = 1;
  asm volatile(EQZ("%0", "%0", "%0") NEZ("%1", "%1", "%1") : "+r"(a), "+r"(b));
  check("czero.eqz of one register", a, 7);
  check("czero.nez of one register", b, 0);
  asm volatile(EQZ("%0", "%2", "%0") NEZ("%1", "%2", "%1") : "+&r"(c), "+&r"(d) : "r"(3UL));
  check("czero.eqz to its condition", c, 0);
  check("czero.nez to its condition", d, 3);
  asm volatile(EQZ("%0", "%0", "x0") NEZ("%1", "%1", "x0") : "+r"(e), "+r"(f));
  check("czero.eqz on x0", e, 0);
  check("czero.nez on x0", f, 9);
  asm volatile(EQZ("%0", "x0", "%2") NEZ("%1", "x0", "%2") : "+&r"(g), "+&r"(i) : "r"(1UL));
  check("czero.eqz of x0", g, 0);
  check("czero.nez of x0", i, 0);
  asm volatile(EQZ("x0", "%0", "%1") NEZ("x0", "%0", "%1") "mv %0, x0" : "+r"(j), "+r"(k));
  check("x0 stays 0", j, 0);
}

int main(void) {
  values();
  registers();
  return 0;
}
