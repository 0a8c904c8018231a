/* Code that changes: fence.i and everything that can write instructions (Zifencei). */
#include "runtime.h"
#include "vm.h"
#include "collide.h"

#define LI_A0(n) (0x00000513U | (u32)(n) << 20)
#define ADD_A0(n) (0x00050513U | (u32)(n) << 20) /* addi a0, a0, n */
#define RET 0x00008067U
#define RWX (PTE_V | PTE_R | PTE_W | PTE_X | PTE_AD)

/* Divides the number of repetitions, for tests in which each takes long. */
#ifndef FEWER
#define FEWER 1
#endif

static u32 code[3 * 1024] __attribute__((aligned(4096)));

static inline void fence_i(void) { asm volatile("fence.i" ::: "memory"); }

static u64 call(volatile void *at, u64 argument) {
  register u64 a0 asm("a0") = argument;
  asm volatile("jalr %1" : "+r"(a0) : "r"(at) : "ra", "a1", "a2", "a3", "memory");
  return a0;
}

static void rewritten(void) {
  volatile u32 *at = code;
  at[1] = RET;
  for (u32 i = 0; i < 300; i++) {
    at[0] = LI_A0(i);
    fence_i();
    check("rewritten", call(at, 0), i);
    check("and run again", call(at, 0), i);
  }
}

/* A page that stays unchanged through more and more fences before it changes. */
static void rested(void) {
  volatile u32 *at = code;
  for (u32 fences = 1; fences <= 2048 / FEWER; fences *= 2) {
    at[0] = LI_A0(fences & 0x7ff);
    for (u32 i = 0; i < fences; i++) {
      fence_i();
      check("rested", call(at, 0), fences & 0x7ff);
    }
  }
}

/* A loop whose body changes after it became hot. */
static void hot_loop(void) {
  volatile u32 *at = code + 64;
  at[0] = 0x00000613;  /* li a2, 0 */
  at[1] = ADD_A0(1);   /* loop: */
  at[2] = 0xfff58593;  /* addi a1, a1, -1 */
  at[3] = 0xfe059ce3;  /* bnez a1, loop */
  at[4] = RET;
  fence_i();
  for (u32 i = 1; i < 6; i++) {
    at[1] = ADD_A0(i);
    fence_i();
    register u64 a0 asm("a0") = 0;
    register u64 a1 asm("a1") = 200000;
    asm volatile("jalr %2" : "+r"(a0), "+r"(a1) : "r"(at) : "ra", "a2", "memory");
    check("hot loop", a0, 200000UL * i);
  }
}

/* The instruction before a fence.i changes the one after it, in the block that is running. */
static void ahead(void) {
  volatile u32 *at = code + 128;
  at[0] = 0x00b52023; /* sw a1, 0(a0) */
  at[1] = 0x0000100f; /* fence.i */
  at[2] = LI_A0(1);
  at[3] = RET;
  fence_i();
  for (u32 i = 2; i < 50; i++) {
    register u64 a0 asm("a0") = (u64)&at[2];
    register u64 a1 asm("a1") = LI_A0(i);
    asm volatile("jalr %1" : "+r"(a0) : "r"(at), "r"(a1) : "ra", "memory");
    check("changed ahead of itself", a0, i);
  }
}

/* A page with code and data. Writes to the data must not disturb the code, and the code can still change. */
static void shared_page(void) {
  volatile u32 *at = code + 256;
  at[0] = 0x00058503; /* lb a0, 0(a1) */
  at[1] = 0x00150513; /* addi a0, a0, 1 */
  at[2] = 0x00a58023; /* sb a0, 0(a1) */
  at[3] = RET;
  at[200] = 0;
  fence_i();
  for (u32 i = 1; i < 100; i++) {
    register u64 a0 asm("a0");
    register u64 a1 asm("a1") = (u64)&at[200];
    asm volatile("jalr %1" : "=r"(a0) : "r"(at), "r"(a1) : "ra", "memory");
    check("data beside code", a0, i);
  }
  at[1] = 0x00250513; /* addi a0, a0, 2 */
  fence_i();
  register u64 a0 asm("a0");
  register u64 a1 asm("a1") = (u64)&at[200];
  asm volatile("jalr %1" : "=r"(a0) : "r"(at), "r"(a1) : "ra", "memory");
  check("code beside data", a0, 101);
}

/* Every kind of store writes code. */
static void all_stores(void) {
  volatile u32 *at = code + 512;
  at[1] = RET;
  u32 n = 0;
#define STORED(name, instructions)                                                             \
  do {                                                                                         \
    n++;                                                                                       \
    u64 pair = (u64)RET << 32 | LI_A0(n);                                                      \
    asm volatile(instructions ::"r"(at), "r"(pair) : "t1", "t2", "ft0", "a4", "a5", "memory"); \
    fence_i();                                                                                 \
    check(name, call(at, 0), n);                                                               \
  } while (0)
  at[0] = LI_A0(0);
  fence_i();
  check("at first", call(at, 0), 0);
  STORED("sw", "sw %1, 0(%0)");
  STORED("sd", "sd %1, 0(%0)");
  STORED("sh", "sh %1, 0(%0)\n\tsrli t1, %1, 16\n\tsh t1, 2(%0)");
  STORED("sb", "srli t1, %1, 16\n\tsb t1, 2(%0)\n\tsrli t1, %1, 24\n\tsb t1, 3(%0)");
  STORED("fsw", "fmv.w.x ft0, %1\n\tfsw ft0, 0(%0)");
  STORED("fsd", "fmv.d.x ft0, %1\n\tfsd ft0, 0(%0)");
  STORED("c.sw", "mv a5, %0\n\tmv a4, %1\n\tc.sw a4, 0(a5)");
  STORED("c.sd", "mv a5, %0\n\tmv a4, %1\n\tc.sd a4, 0(a5)");
  STORED("amoswap.w", "amoswap.w t1, %1, (%0)");
  STORED("amoswap.d", "amoswap.d t1, %1, (%0)");
  STORED("amoadd.w", "lw t1, 0(%0)\n\tsub t1, %1, t1\n\tamoadd.w zero, t1, (%0)");
  STORED("sc.w", "1: lr.w t1, (%0)\n\tsc.w t1, %1, (%0)\n\tbnez t1, 1b");
  STORED("sc.d", "1: lr.d t1, (%0)\n\tsc.d t1, %1, (%0)\n\tbnez t1, 1b");
  STORED("unaligned sw",
         "slli t1, %1, 16\n\tlhu t2, -2(%0)\n\tor t1, t1, t2\n\tsw t1, -2(%0)\n\t"
         "srli t1, %1, 16\n\tsh t1, 2(%0)");
  STORED("unaligned sd",
         "addi t2, %0, -4\n\tsrli t1, %1, 16\n\tsh t1, 2(%0)\n\t"
         "lwu a4, -4(%0)\n\tslli t1, %1, 32\n\tor t1, t1, a4\n\tsd t1, 0(t2)");
}

/* One unaligned store that spans two pages of code. */
static void over_the_edge(void) {
  volatile u32 *edge = code + 1024;
  edge[-2] = LI_A0(0);
  edge[-1] = ADD_A0(1);
  edge[0] = ADD_A0(1);
  edge[1] = RET;
  fence_i();
  check("two pages of code", call(edge - 2, 0), 2);
  u64 pair = (u64)ADD_A0(20) << 32 | ADD_A0(10);
  asm volatile("sd %1, -4(%0)" ::"r"(edge), "r"(pair) : "memory");
  fence_i();
  check("both changed by one store", call(edge - 2, 0), 30);
}

/* Instructions at another offset: the upper half of an instruction is itself an instruction. */
static void overlapping(void) {
  volatile u16 *at = (u16 *)(code + 700);
  at[0] = 0x0537; /* lui a0, 0x45054000, whose upper half is li a0, 1 */
  at[1] = 0x4505;
  at[2] = 0x8082;
  fence_i();
  check("from its beginning", call(at, 0), 0x45050000);
  check("from its middle", call(at + 1, 0), 1);
  at[1] = 0x4509; /* li a0, 2 */
  fence_i();
  check("changed, from its middle", call(at + 1, 0), 2);
  check("changed, from its beginning", call(at, 0), 0x45090000);
}

/*
 * An instruction in two pages whose first half is replaced by a shorter instruction. Until the fence.i either
 * the old or the new code runs, and nothing else.
 */
static void over_the_edge_without_fence(void) {
  volatile u16 *at = (u16 *)(code + 1024) - 1;
  for (u32 n = 0; n < 32; n++) {
    u64 before = 0x45090000;
    at[0] = 0x0537; /* lui a0, 0x45090000, whose upper half is li a0, 2 */
    at[1] = 0x4509;
    at[2] = 0x8082;
    fence_i();
    check("in two pages", call(at, 0), before);
    at[0] = 0x0001 | n << 2; /* nop, or addi zero, zero, n */
    u64 result = call(at, 0);
    check("in two pages, without a fence", result == before || result == 2, 1);
    fence_i();
    check("in one page each", call(at, 0), 2);
  }
}

/* The same page holds one function after another. */
static void reused_page(void) {
  volatile u32 *page = code + 1024;
  for (u32 round = 0; round < 40 / FEWER; round++) {
    for (u32 i = 0; i < 64; i++) {
      page[16 * i] = ADD_A0(round + i);
      page[16 * i + 1] = round & 1 ? RET : ADD_A0(3);
      page[16 * i + 2] = RET;
    }
    fence_i();
    u64 sum = 0;
    for (u32 i = 0; i < 64; i++) sum = call(page + 16 * i, sum);
    check("page reused", sum, 64 * round + 64 * 63 / 2 + (round & 1 ? 0 : 3 * 64));
  }
}

static u64 sources[2][512];

static void load_page(volatile u64 *page, const u64 *words) {
  for (u32 n = 0; n < 512; n++) page[n] = words[n];
  fence_i();
}

/* Pages that differ, but not by a hash without a key. */
static void colliding_pages(void) {
  volatile u32 *page = code + 1024;
  for (u32 i = 0; i < 2; i++) {
    sources[i][0] = (u64)RET << 32 | LI_A0(i + 1);
    for (u32 n = 1; n < 512; n++) sources[i][n] = 0;
  }
  collide(sources[0], sources[1]);
  for (u32 round = 0; round < 4; round++) {
    for (u32 i = 0; i < 2; i++) {
      load_page((volatile u64 *)page, sources[i]);
      check("a colliding page", call(page, 0), i + 1);
    }
  }
}

/* Two flipped bits far apart, which cancel in many a sum: each place of a code word with one other word. */
static void flipped_bits(void) {
  volatile u32 *page = code + 1024;
  volatile u64 *words = (volatile u64 *)page;
  for (u32 n = 0; n < 512; n++) words[n] = 0;
  words[0] = (u64)RET << 32 | LI_A0(0);
  for (u32 bit = 20; bit < 31; bit++) {
    for (u32 n = 1; n < 512; n += 17 * FEWER) {
      page[0] = LI_A0(0);
      words[n] = 0;
      fence_i();
      check("no bit flipped", call(page, 0), 0);
      page[0] = LI_A0(0) | 1U << bit;
      words[n] = 1UL << (n * 7 % 64);
      fence_i();
      check("two bits flipped", call(page, 0), 1UL << (bit - 20));
      words[n] = 0;
    }
  }
}

/* Written at one virtual address, run at another. */
static u64 by_alias(u64 va) {
  volatile u32 *writable = (u32 *)va;
  volatile u32 *executable = (u32 *)(va + PAGE);
  for (u32 i = 0; i < 100; i++) {
    writable[0] = LI_A0(i);
    writable[1] = RET;
    fence_i();
    check("by an alias", call(executable, 0), i);
  }
  return 0;
}

static u64 write_then_wait(u64 n) {
  code[2048] = LI_A0(n);
  code[2049] = RET;
  return 0;
}

static u64 run_in_user(u64 va) {
  fence_i();
  return call((u32 *)va, 0);
}

/* fence.i applies to the hart and not to a mode: U may run code that S fenced. */
static u64 write_and_fence(u64 n) {
  write_then_wait(n);
  fence_i();
  return 0;
}

static u64 just_run(u64 va) { return call((u32 *)va, 0); }

int main(void) {
  rewritten();
  rested();
  hot_loop();
  ahead();
  shared_page();
  all_stores();
  over_the_edge();
  overlapping();
  over_the_edge_without_fence();
  reused_page();
  colliding_pages();
  flipped_bits();
  vm_init();
  map(FREE_VA, (u64)&code[2048], PTE_V | PTE_R | PTE_W | PTE_AD, 0);
  map(FREE_VA + PAGE, (u64)&code[2048], PTE_V | PTE_R | PTE_X | PTE_AD, 0);
  map(FREE_VA + 2 * PAGE, (u64)&code[2048], RWX | PTE_U, 0);
  vm_on();
  run_in(S, by_alias, FREE_VA, 0);
  for (u64 n = 0; n < 20; n++) {
    run_in(S, write_then_wait, n, 0);
    check("written by S, run by U", run_in(U, run_in_user, FREE_VA + 2 * PAGE, USER_OFFSET), n);
  }
  for (u64 n = 100; n < 140; n++) {
    if (n & 1) run_in(S, write_and_fence, n, 0);
    else write_and_fence(n);
    check("fenced by S or M, run by U", run_in(U, just_run, FREE_VA + 2 * PAGE, USER_OFFSET), n);
    check("and by S", run_in(S, just_run, FREE_VA + PAGE, 0), n);
  }
  return 0;
}
