/* More code than any cache of decoded instructions holds. It runs twice, changes, and runs again. */
#include "runtime.h"

#define CODE ((volatile u32 *)0x81000000UL)
#define PAGES 4096UL
#define WORDS 1024UL
#define DENSE_PAGES 256UL
/* The number of instructions up to each return. */
#define RUN 32UL
#define ADD_A0(n) (0x00050513U | (u32)(n) << 20) /* addi a0, a0, n */
#define RET 0x00008067U

static u64 call(u64 page, u64 argument) {
  register u64 a0 asm("a0") = argument;
  asm volatile("jalr %1" : "+r"(a0) : "r"(CODE + page * WORDS) : "ra", "memory");
  return a0;
}

static u64 run_all(void) {
  u64 sum = 0;
  for (u64 page = 0; page < PAGES; page++) sum = call(page, sum);
  return sum;
}

/* Enters code at each of its instructions, so that each starts a block of its own. */
static void all_entries(void) {
  for (u64 page = 0; page < DENSE_PAGES; page++) {
    for (u64 i = 0; i < WORDS; i++) CODE[page * WORDS + i] = i % RUN == RUN - 1 ? RET : ADD_A0(1);
  }
  asm volatile("fence.i");
  for (u64 round = 0; round < 2; round++) {
    u64 sum = 0;
    u64 expected = 0;
    for (u64 page = 0; page < DENSE_PAGES; page++) {
      for (u64 i = 0; i < WORDS; i++) {
        register u64 a0 asm("a0") = sum;
        asm volatile("jalr %1" : "+r"(a0) : "r"(CODE + page * WORDS + i) : "ra", "memory");
        sum = a0;
        expected += RUN - 1 - i % RUN;
      }
    }
    check("all entries", sum, expected);
  }
}

int main(void) {
  all_entries();
  u64 expected = 0;
  for (u64 page = 0; page < PAGES; page++) {
    for (u64 i = 0; i < WORDS - 1; i++) CODE[page * WORDS + i] = ADD_A0(page & 255);
    CODE[page * WORDS + WORDS - 1] = RET;
    expected += (WORDS - 1) * (page & 255);
  }
  asm volatile("fence.i");
  check("all of it", run_all(), expected);
  check("all of it again", run_all(), expected);
  for (u64 page = 0; page < PAGES; page += 3) {
    CODE[page * WORDS + 500] = ADD_A0(0);
    expected -= page & 255;
  }
  asm volatile("fence.i");
  check("a third of it changed", run_all(), expected);
  /* Alternates between a few pages while others evict them. */
  u64 sum = 0;
  for (u64 page = 0; page < PAGES; page += 8) {
    sum = call(page, sum) - call(page, 0);
    call(1, 0);
    call(PAGES - 1 - page, 0);
  }
  check("back and forth", sum, 0);
  return 0;
}
