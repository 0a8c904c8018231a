/* Four harts each count to a million in the same words, and no count is lost. */
#include "harts.h"

#define TIMES 1000000UL

static volatile u64 amo_double __attribute__((aligned(64)));
static volatile u32 amo_word[16] __attribute__((aligned(64)));
static volatile u64 lr_double __attribute__((aligned(64)));
static volatile u32 lr_word[16] __attribute__((aligned(64)));
static volatile u32 lock __attribute__((aligned(64)));
static volatile u64 guarded __attribute__((aligned(64)));
static volatile u64 bits __attribute__((aligned(64)));
static volatile u64 highest __attribute__((aligned(64)));
static volatile u32 toggle_word __attribute__((aligned(64)));
static volatile u64 toggle_double __attribute__((aligned(64)));
static u64 word_changes[HARTS], double_changes[HARTS];

static void amo(u64 hart) {
  (void)hart;
  for (u64 i = 0; i < TIMES; i++) asm volatile("amoadd.d zero, %0, (%1)" ::"r"(1UL), "r"(&amo_double) : "memory");
}

static void amo_words(u64 hart) {
  /* Neighbours in one doubleword must not disturb each other. */
  volatile u32 *mine = &amo_word[hart & 1];
  for (u64 i = 0; i < TIMES; i++) asm volatile("amoadd.w zero, %0, (%1)" ::"r"(1UL), "r"(mine) : "memory");
}

static void reservations(u64 hart) {
  (void)hart;
  for (u64 i = 0; i < TIMES; i++) {
    asm volatile(
        "1: lr.d t0, (%0)\n\t"
        "addi t0, t0, 1\n\t"
        "sc.d t1, t0, (%0)\n\t"
        "bnez t1, 1b"
        :: "r"(&lr_double) : "t0", "t1", "memory");
  }
}

static void reservation_words(u64 hart) {
  volatile u32 *mine = &lr_word[hart & 1];
  for (u64 i = 0; i < TIMES; i++) {
    asm volatile(
        "1: lr.w t0, (%0)\n\t"
        "addiw t0, t0, 1\n\t"
        "sc.w t1, t0, (%0)\n\t"
        "bnez t1, 1b"
        :: "r"(mine) : "t0", "t1", "memory");
  }
}

static void lock_and_count(u64 hart) {
  (void)hart;
  for (u64 i = 0; i < TIMES / 10; i++) {
    u64 taken;
    do {
      asm volatile("amoswap.w.aq %0, %1, (%2)" : "=r"(taken) : "r"(1UL), "r"(&lock) : "memory");
      if (taken) asm volatile(".insn 4, 0x0100000f"); /* pause */
    } while (taken);
    guarded++;
    asm volatile("amoswap.w.rl zero, zero, (%0)" ::"r"(&lock) : "memory");
  }
}

static void others(u64 hart) {
  for (u64 i = 0; i < TIMES / 10; i++) {
    u64 mine = 1UL << (hart * 8 + i % 8);
    asm volatile("amoxor.d zero, %0, (%1)" ::"r"(mine), "r"(&bits) : "memory");
    asm volatile("amomaxu.d zero, %0, (%1)" ::"r"(i * HARTS + hart), "r"(&highest) : "memory");
  }
}

/* Two harts raise the words to 1, two lower them to 0. Only the hart that made a change sees it. */
static void toggles(u64 hart) {
  for (u64 i = 0; i < TIMES; i++) {
    u64 old_word, old_double;
    if (hart & 1) {
      asm volatile("amomin.w %0, zero, (%1)" : "=r"(old_word) : "r"(&toggle_word) : "memory");
      asm volatile("amominu.d %0, zero, (%1)" : "=r"(old_double) : "r"(&toggle_double) : "memory");
      word_changes[hart] += old_word == 1;
      double_changes[hart] += old_double == 1;
    } else {
      asm volatile("amomaxu.w %0, %1, (%2)" : "=r"(old_word) : "r"(1UL), "r"(&toggle_word) : "memory");
      asm volatile("amomax.d %0, %1, (%2)" : "=r"(old_double) : "r"(1UL), "r"(&toggle_double) : "memory");
      word_changes[hart] += old_word == 0;
      double_changes[hart] += old_double == 0;
    }
  }
}

static void run(u64 hart) {
  void (*const all[])(u64) = {amo, amo_words, reservations, reservation_words, lock_and_count, others, toggles};
  for (u64 i = 0; i < sizeof all / sizeof *all; i++) {
    barrier(hart);
    all[i](hart);
  }
  barrier(hart);
}

void secondary(u64 hart) { run(hart); }

int main(void) {
  run(0);
  check("amoadd.d", amo_double, HARTS * TIMES);
  check("amoadd.w, lower word", amo_word[0], HARTS / 2 * TIMES);
  check("amoadd.w, upper word", amo_word[1], HARTS / 2 * TIMES);
  check("lr.d, sc.d", lr_double, HARTS * TIMES);
  check("lr.w, sc.w, lower word", lr_word[0], HARTS / 2 * TIMES);
  check("lr.w, sc.w, upper word", lr_word[1], HARTS / 2 * TIMES);
  check("under a lock", guarded, HARTS * (TIMES / 10));
  check("amoxor.d comes back", bits, TIMES / 10 / 8 % 2 ? 0xffffffff : 0);
  u64 *changes = word_changes;
  check("amomin.w, amomaxu.w", changes[0] + changes[2] - changes[1] - changes[3], toggle_word);
  changes = double_changes;
  check("amominu.d, amomax.d", changes[0] + changes[2] - changes[1] - changes[3], toggle_double);
  check("amomaxu.d", highest, (TIMES / 10 - 1) * HARTS + HARTS - 1);
  return 0;
}
