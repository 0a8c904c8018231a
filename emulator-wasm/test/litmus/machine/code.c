/*
 * A hart changes code in the midst of a loop through two pages, while the others run it. They execute fence.i
 * when they learn of a change (Zifencei), and may not run what was there before then.
 */
#include "harts.h"

#define CHANGES 150UL
#define LI_T2(n) (0x00000393U | (u32)(n) << 20)

/*
 * The second page has one number after the other from 0 to 2. a0: address of the last change << 8 | the
 * number before it, a1: rounds, a2: address for the last change that this hart knows of. Returns in a0 how
 * often the number before it was found. There are eight ways into the loop: with all but the first one, it
 * has run already, and can be compiled as a whole.
 */
extern u32 ways[];
extern u32 number[];
asm(".option push\n.option norvc\n"
    ".balign 4096\n"
    "ways:\n\t"
    ".rept 8\n\t"
    "li a3, 0\n\t"
    "j 1f\n\t"
    ".endr\n"
    "1: ld t0, 0(a0)\n\t"
    "beq t0, t3, 2f\n\t"
    "fence.i\n\t"
    "mv t3, t0\n\t"
    "andi t4, t3, 0xff\n\t"
    "sd t3, 0(a2)\n"
    "2: j part\n"
    "back: bne t2, t4, 3f\n\t"
    "addi a3, a3, 1\n"
    "3: addi a1, a1, -1\n\t"
    "bnez a1, 1b\n\t"
    "mv a0, a3\n\t"
    "ret\n"
    ".balign 4096\n"
    "part:\n"
    "number: li t2, 0\n\t"
    "j back\n"
    ".balign 4096\n"
    ".option pop\n");

/* Nothing has been changed yet, and no number was there before. */
static volatile u64 published = 0xff;
static volatile u64 known[HARTS], runs[HARTS], wrong[HARTS];

static u64 run(u64 way, u64 hart) {
  register u64 a0 asm("a0") = (u64)&published;
  register u64 a1 asm("a1") = 200;
  register u64 a2 asm("a2") = (u64)&known[hart];
  asm volatile("li t3, -1\n\tli t4, -1\n\tjalr %[at]"
               : "+r"(a0), "+r"(a1)
               : [at] "r"(ways + 2 * way), "r"(a2)
               : "ra", "a3", "t0", "t2", "t3", "t4", "memory");
  return a0;
}

void secondary(u64 hart) {
  barrier(hart);
  while (known[hart] >> 8 < CHANGES) {
    wrong[hart] += run(runs[hart] % 8, hart);
    runs[hart]++;
  }
  barrier(hart);
}

int main(void) {
  barrier(0);
  for (u64 n = 1; n <= CHANGES; n++) {
    *(volatile u32 *)number = LI_T2(n % 3);
    asm volatile("fence rw, rw" ::: "memory");
    published = n << 8 | (n + 2) % 3;
    for (u64 hart = 1; hart < HARTS; hart++) {
      u64 before = runs[hart];
      while (n < CHANGES && runs[hart] < before + 3) asm volatile(".insn 4, 0x0100000f" ::: "memory"); /* pause */
    }
  }
  barrier(0);
  for (u64 hart = 1; hart < HARTS; hart++) strict("code before the last change", wrong[hart], 0);
  check("changes", published >> 8, CHANGES);
  return 0;
}
