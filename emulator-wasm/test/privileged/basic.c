/* Small tests with known answers, including cases that QEMU 7.2 or the random programs leave out. */
#include "runtime.h"

static u64 word[8] __attribute__((aligned(64)));

static u64 count_w(u64 value) {
  u64 result;
  asm("ctzw %0, %1" : "=r"(result) : "r"(value));
  return result;
}

static void words_of_zero(void) {
  strict("ctzw of 0", count_w(0), 32);
  strict("ctzw of a zero lower word", count_w(1UL << 45), 32);
  check("ctzw of bit 31", count_w(1UL << 31), 31);
  u64 result;
  asm("clzw %0, %1" : "=r"(result) : "r"(~0UL << 32));
  check("clzw of a zero lower word", result, 32);
  asm("cpopw %0, %1" : "=r"(result) : "r"(~0UL << 31));
  check("cpopw", result, 1);
}

static void x0(void) {
  u64 result;
  asm volatile("addi zero, zero, 5\n\tmv %0, zero" : "=r"(result));
  check("x0 stays 0 after addi", result, 0);
  asm volatile("ld zero, 0(%1)\n\tmv %0, zero" : "=r"(result) : "r"(word) : "memory");
  check("x0 stays 0 after a load", result, 0);
  asm volatile("amoadd.d zero, %1, (%2)\n\tmv %0, zero" : "=r"(result) : "r"(1UL), "r"(word) : "memory");
  check("x0 stays 0 after an AMO", result, 0);
  asm volatile("jal zero, 1f\n1: csrrs zero, mscratch, zero\n\tmul zero, sp, sp\n\tfcvt.l.d zero, ft0\n\tmv %0, zero"
               : "=r"(result));
  check("x0 stays 0 after all else", result, 0);
  check("a load to x0 still faults", TRY("ld zero, 0(%0)", "r"(0x18000000UL)), LOAD_ACCESS);
}

static void jumps(void) {
  u64 result;
  asm volatile("lla t1, 1f\n\taddi t1, t1, 1\n\tli %0, 1\n\tjr t1\n\tli %0, 2\n1:" : "=r"(result)::"t1");
  check("jalr drops bit 0", result, 1);
  asm volatile("lla t1, 1f\n\t.option push\n\t.option norvc\n\tjalr t1, 0(t1)\n\tli %0, 2\n1:\n\t.option pop\n\t"
               "lla t2, 1b\n\tsub %0, t2, t1" : "=r"(result)::"t1", "t2");
  check("jalr reads its base before it writes the link", result, 4);
}

static void reservations(void) {
  u64 failed, old;
  word[0] = 0xffffffff80000001;
  asm volatile("lr.w %0, (%2)\n\tsc.w %1, zero, (%2)" : "=&r"(old), "=&r"(failed) : "r"(word) : "memory");
  check("lr.w sign-extends", old, 0xffffffff80000001);
  check("sc.w succeeds", failed, 0);
  check("sc.w stores a word", word[0], 0xffffffff00000000);
  asm volatile("sc.w %0, %1, (%1)" : "=&r"(failed) : "r"(word) : "memory");
  check("sc.w without lr.w fails", failed, 1);
  asm volatile("lr.d t1, (%1)\n\tsc.d t1, zero, (%1)\n\tsc.d %0, %1, (%1)" : "=&r"(failed) : "r"(word) : "t1", "memory");
  check("a second sc.d fails", failed, 1);
  check("and stores nothing", word[0], 0);
  asm volatile("lr.d t1, (%1)\n\tsc.d t1, %1, (%2)\n\tsc.d %0, %1, (%1)"
               : "=&r"(failed) : "r"(word), "r"(word + 4) : "t1", "memory");
  check("an sc.d elsewhere ends the reservation too", failed, 1);
}

static void atomics(void) {
  u64 old;
  word[0] = 0x80000000;
  asm volatile("amoadd.w %0, %1, (%2)" : "=&r"(old) : "r"(-1UL), "r"(word) : "memory");
  check("amoadd.w gives the sign-extended word", old, 0xffffffff80000000);
  check("amoadd.w adds in 32 bits", word[0], 0x7fffffff);
  word[0] = 0x5555555500000001;
  asm volatile("amominu.w %0, %1, (%2)" : "=&r"(old) : "r"(0xffffffff00000000), "r"(word) : "memory");
  check("amominu.w compares words", word[0], 0x5555555500000000);
  asm volatile("amomax.w %0, %1, (%2)" : "=&r"(old) : "r"(0x80000000UL), "r"(word) : "memory");
  check("amomax.w compares signed words", word[0], 0x5555555500000000);
  asm volatile("amoswap.d %0, %0, (%1)" : "+r"(old) : "r"(word) : "memory");
  check("amoswap.d with one register", old, 0x5555555500000000);
}

/* Hints and fences with reserved fields do nothing. */
static void hints(void) {
  check("c.nop with an immediate", TRY(".insn 2, 0x0005"), NONE);
  check("c.li x0", TRY(".insn 2, 0x4005"), NONE);
  check("c.lui x0", TRY(".insn 2, 0x6005"), NONE);
  check("c.slli by 0", TRY(".insn 2, 0x0082"), NONE);
  check("c.mv x0", TRY(".insn 2, 0x802e"), NONE);
  check("c.add x0", TRY(".insn 2, 0x902e"), NONE);
  check("pause", TRY(".insn 4, 0x0100000f"), NONE);
  check("fence.tso", TRY(".insn 4, 0x8330000f"), NONE);
  check("fence with reserved fields", TRY(".insn 4, 0x5ff2850f"), NONE);
  check("fence.i with reserved fields", TRY(".insn 4, 0x7ff2950f"), NONE);
  check("lui x0", TRY(".insn 4, 0x12345037"), NONE);
  check("slti x0", TRY("slti zero, t2, 5"), NONE);
}

int main(void) {
  words_of_zero();
  x0();
  jumps();
  reservations();
  atomics();
  hints();
  return 0;
}
