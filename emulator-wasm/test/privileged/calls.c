/* Calls and returns that do not match, and calls deeper than compiled code keeps track of. */
#include "runtime.h"

/* In a page of its own, so that calls leave the caller's page. */
#define FAR __attribute__((noinline, aligned(4096)))

FAR static u64 odd_depth(u64 depth);

FAR static u64 even_depth(u64 depth) { return depth == 0 ? 7 : 3 * odd_depth(depth - 1) + 1; }

FAR static u64 odd_depth(u64 depth) { return depth == 0 ? 9 : 5 * even_depth(depth - 1) + 2; }

static u64 expected_at(u64 depth) {
  u64 result = depth % 2 ? 9 : 7;
  for (u64 left = depth; left-- > 0;) result = left % 2 ? 5 * result + 2 : 3 * result + 1;
  return result;
}

static void deep_calls(void) {
  for (u64 depth = 0; depth < 300; depth++) check("depth", even_depth(depth), expected_at(depth));
}

/* Leaves `depth` calls at once. */
FAR static u64 leave_from(u64 depth, u64 to, u64 stack) {
  if (depth) return leave_from(depth - 1, to, stack) + 1;
  asm volatile("mv sp, %1\n\tjr %0" : : "r"(to), "r"(stack) : "memory");
  return 0;
}

static u64 jump_out_of(u64 depth) {
  register u64 a0 asm("a0") = depth;
  asm volatile(
      "addi sp, sp, -112\n\t"
      "sd s0, 0(sp)\n\tsd s1, 8(sp)\n\tsd s2, 16(sp)\n\tsd s3, 24(sp)\n\tsd s4, 32(sp)\n\tsd s5, 40(sp)\n\t"
      "sd s6, 48(sp)\n\tsd s7, 56(sp)\n\tsd s8, 64(sp)\n\tsd s9, 72(sp)\n\tsd s10, 80(sp)\n\tsd s11, 88(sp)\n\t"
      "lla a1, 1f\n\t"
      "mv a2, sp\n\t"
      "jalr %1\n\t"
      "li a0, 0\n\t"
      "j 2f\n"
      "1: li a0, 1\n"
      "2:\n\t"
      "ld s0, 0(sp)\n\tld s1, 8(sp)\n\tld s2, 16(sp)\n\tld s3, 24(sp)\n\tld s4, 32(sp)\n\tld s5, 40(sp)\n\t"
      "ld s6, 48(sp)\n\tld s7, 56(sp)\n\tld s8, 64(sp)\n\tld s9, 72(sp)\n\tld s10, 80(sp)\n\tld s11, 88(sp)\n\t"
      "addi sp, sp, 112"
      : "+r"(a0)
      : "r"(leave_from)
      : "ra", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "memory");
  return a0;
}

static void jumps_out(void) {
  for (u64 depth = 0; depth < 150; depth++) check("jump out of calls", jump_out_of(depth), 1);
}

/* Functions that return elsewhere than behind their call. */
void returns_later(void);
void switch_stacks(void);
void counts_in_threes(void);
asm(".balign 4096\n"
    "returns_later:\n\t"
    "addi ra, ra, 4\n\t"
    "ret\n"
    /* Exchanges ra and sp with those at a0. */
    ".balign 4096\n"
    "switch_stacks:\n\t"
    "ld t1, 0(a0)\n\tld t2, 8(a0)\n\t"
    "sd ra, 0(a0)\n\tsd sp, 8(a0)\n\t"
    "mv ra, t1\n\tmv sp, t2\n\t"
    "ret\n"
    ".balign 4096\n"
    "counts_in_threes:\n\t"
    "slli t1, a1, 1\n\tadd a1, a1, t1\n\t"
    "call switch_stacks\n\t"
    "j counts_in_threes\n");

static u64 skip(u64 rounds) {
  register u64 a0 asm("a0") = 0;
  register u64 a1 asm("a1") = rounds;
  asm volatile(
      ".option push\n\t.option norvc\n"
      "1: jalr %2\n\t"
      "addi a0, a0, 1000\n\t"
      "addi a0, a0, 1\n\t"
      "addi a1, a1, -1\n\t"
      "bnez a1, 1b\n\t"
      ".option pop"
      : "+r"(a0), "+r"(a1)
      : "r"(returns_later)
      : "ra", "t1", "memory");
  return a0;
}

static u64 alternate(u64 rounds) {
  static u64 stack[64];
  u64 other[2] = {(u64)counts_in_threes, (u64)(stack + 64)};
  register u64 a0 asm("a0") = (u64)other;
  register u64 a1 asm("a1") = 1;
  register u64 a2 asm("a2") = rounds;
  asm volatile(
      "1: addi a1, a1, 1\n\t"
      "jalr %3\n\t"
      "addi a2, a2, -1\n\t"
      "bnez a2, 1b"
      : "+r"(a0), "+r"(a1), "+r"(a2)
      : "r"(switch_stacks)
      : "ra", "t1", "t2", "memory");
  return a1;
}

static void returns_elsewhere(void) {
  for (u64 rounds = 1; rounds < 100; rounds++) {
    check("return behind the next instruction", skip(rounds), rounds);
    u64 value = 1;
    for (u64 n = 0; n < rounds; n++) value = 3 * (value + 1);
    check("two stacks", alternate(rounds), value);
  }
}

int main(void) {
  deep_calls();
  jumps_out();
  returns_elsewhere();
  report();
}
