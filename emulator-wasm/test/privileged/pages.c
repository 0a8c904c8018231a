/* Loops through two pages of code, of which one is remapped, shared, swapped or rewritten meanwhile. */
#include "runtime.h"
#include "vm.h"

#define ROUNDS 60UL
#define LEAF(page, flags) ((u64)(page) >> 12 << 10 | (flags))
#define RWX (PTE_V | PTE_R | PTE_W | PTE_X | PTE_AD)
#define SECOND_VA (FREE_VA + 16 * PAGE)

#define ADD_A0(n) (0x00050513U | (u32)(n) << 20) /* addi a0, a0, n */
#define MV_T0_RA 0x00008293U
#define JR_T0 0x00028067U
#define RET 0x00008067U
#define ADD_A3_A4 0x00e686b3U /* add a3, a3, a4 */
#define SW_A3_A2 0x00d62023U  /* sw a3, 0(a2) */
#define DECREMENT 0xfff58593U  /* addi a1, a1, -1 */
#define SD_A5_A6 0x00f83023U   /* sd a5, 0(a6) */
#define SWAP_A5_A7 0x00078313U, 0x00088793U, 0x00030893U /* with t1 */
#define SFENCE_VMA 0x12000073U
#define FENCE_I 0x0000100fU
#define NOP 0x00000013U
#define C_NOP 0x0001U

/* The first pages of two versions, and the second pages. */
static u32 first[2][1024] __attribute__((aligned(4096)));
static u32 second[2][1024] __attribute__((aligned(4096)));
static u64 tables[3][512] __attribute__((aligned(4096)));

static u32 jal(u32 rd, i64 distance) {
  u64 d = (u64)distance;
  return 0x6f | rd << 7 | (u32)((d >> 12 & 0xff) << 12 | (d >> 11 & 1) << 20 | (d >> 1 & 0x3ff) << 21 | (d >> 20 & 1) << 31);
}

/* bnez a1 */
static u32 again(i64 distance) {
  u64 d = (u64)distance;
  return 0x00059063 | (u32)((d >> 11 & 1) << 7 | (d >> 1 & 0xf) << 8 | (d >> 5 & 0x3f) << 25 | (d >> 12 & 1) << 31);
}

static void write(u32 *page, u32 at, const u32 *code, u32 count) {
  for (u32 n = 0; n < count; n++) page[at / 4 + n] = code[n];
}

#define WRITE(page, at, ...)                                       \
  do {                                                             \
    const u32 code_[] = {__VA_ARGS__};                             \
    write(page, at, code_, sizeof code_ / sizeof *code_);          \
  } while (0)

/*
 * Each loop has two ways in. The code of the second one is first entered when all of the loop has run
 * already, so that the loop can be compiled together with it.
 */
#define LOOP(...) MV_T0_RA, jal(0, 8), MV_T0_RA, __VA_ARGS__, JR_T0
enum { SECOND_WAY = 8, START = 12 };

/* What the loops add to a0 in each round. */
static const u64 called[2] = {3, 50}, jumped[2] = {4, 70}, returned[2] = {5, 90};

enum {
  PLAIN = 0,
  REWRITES = 64,
  REMAPS_SECOND = 128,
  REMAPS_FIRST = 192,
  CALLS = 256,
  CALLED_REMAPS = 320,
  CALLED_REWRITES = 384,
};

static void write_pages(void) {
  for (int v = 0; v < 2; v++) {
    /* Two jumps to the second page and back. */
    WRITE(first[v], PLAIN, LOOP(jal(0, 4096 - START), jal(0, 4096), DECREMENT, again(-12)));
    WRITE(second[v], 0, ADD_A0(called[v]), jal(0, START + 4 - 4096 - 4));
    WRITE(second[v], 16, ADD_A0(jumped[v]), jal(0, -4096));
    /* The second page changes itself: a2 is the address, a3 the instruction, to which a4 is added. */
    WRITE(first[v], REWRITES, LOOP(jal(0, 4096 + 32 - REWRITES - START), ADD_A3_A4, DECREMENT, again(-12)));
    WRITE(second[v], 32, SW_A3_A2, FENCE_I, ADD_A0(0), jal(0, REWRITES + START + 4 - 4096 - 44));
    /* The first page maps the second, whose entry is at a6, to a5 and a7 in turn. */
    WRITE(first[v], REMAPS_SECOND, LOOP(jal(0, 4096 + 96 - REMAPS_SECOND - START), SD_A5_A6, SFENCE_VMA, SWAP_A5_A7, DECREMENT, again(-28)));
    WRITE(second[v], 96, ADD_A0(called[v]), jal(0, REMAPS_SECOND + START + 4 - 4096 - 100));
    /* The second page maps the first. */
    WRITE(first[v], REMAPS_FIRST, LOOP(jal(0, 4096 + 64 - REMAPS_FIRST - START), ADD_A0(returned[v]), DECREMENT, again(-12)));
    WRITE(second[v], 64, SD_A5_A6, SFENCE_VMA, SWAP_A5_A7, jal(0, REMAPS_FIRST + START + 4 - 4096 - 84));
    /* The first page calls a function in the second, which returns, maps the first, or changes the first. */
    WRITE(first[v], CALLS, LOOP(jal(1, 4096 + 128 - CALLS - START), DECREMENT, again(-8)));
    WRITE(second[v], 128, ADD_A0(called[v]), RET);
    WRITE(first[v], CALLED_REMAPS, LOOP(jal(1, 4096 + 160 - CALLED_REMAPS - START), ADD_A0(returned[v]), DECREMENT, again(-12)));
    WRITE(second[v], 160, SD_A5_A6, SFENCE_VMA, SWAP_A5_A7, RET);
    WRITE(first[v], CALLED_REWRITES, LOOP(jal(1, 4096 + 192 - CALLED_REWRITES - START), ADD_A0(0), DECREMENT, again(-12)));
    WRITE(second[v], 192, ADD_A3_A4, SW_A3_A2, FENCE_I, RET);
  }
  asm volatile("fence.i" ::: "memory");
}

static u64 enter(u64 at, u64 rounds, u64 a2, u64 a3, u64 a4, u64 a5, u64 a6, u64 a7) {
  register u64 r0 asm("a0") = 0;
  register u64 r1 asm("a1") = rounds;
  register u64 r2 asm("a2") = a2;
  register u64 r3 asm("a3") = a3;
  register u64 r4 asm("a4") = a4;
  register u64 r5 asm("a5") = a5;
  register u64 r6 asm("a6") = a6;
  register u64 r7 asm("a7") = a7;
  asm volatile("jalr %[at]"
               : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6), "+r"(r7)
               : [at] "r"(at)
               : "ra", "t0", "t1", "t2", "memory");
  return r0;
}

/* What both ways in add to a0. */
static u64 run(u64 at, u64 rounds, u64 a2, u64 a3, u64 a4, u64 a5, u64 a6, u64 a7) {
  u64 sum = enter(at, rounds, a2, a3, a4, a5, a6, a7);
  return sum + enter(at + SECOND_WAY, rounds, a2, a3, a4, a5, a6, a7);
}

static u64 plain(u64 at) { return run(at + PLAIN, ROUNDS, 0, 0, 0, 0, 0, 0); }
static u64 sum(int version) { return 2 * ROUNDS * (called[version] + jumped[version]); }

/* The same by calls. */
static u64 calls(u64 at) { return run(at + CALLS, ROUNDS, 0, 0, 0, 0, 0, 0); }
static u64 sum_of_calls(int version) { return 2 * ROUNDS * called[version]; }

static void map_pages(u64 va, int version) {
  map(va, (u64)first[0], RWX, 0);
  map(va + PAGE, (u64)second[version], RWX, 0);
  sfence_all();
}

static void remapped(void) {
  map_pages(FREE_VA, 0);
  for (int n = 0; n < 8; n++) {
    int version = n % 3 == 1;
    map(FREE_VA + PAGE, (u64)second[version], RWX, 0);
    sfence_page(FREE_VA + PAGE);
    check("remapped", plain(FREE_VA), sum(version));
    check("and run again", plain(FREE_VA), sum(version));
    check("and called", calls(FREE_VA), sum_of_calls(version));
  }
}

static void at_two_addresses(void) {
  map_pages(FREE_VA, 0);
  map_pages(SECOND_VA, 1);
  for (int n = 0; n < 8; n++) {
    check("first address", plain(FREE_VA), sum(0));
    check("second address", plain(SECOND_VA), sum(1));
    check("calls at the first address", calls(FREE_VA), sum_of_calls(0));
    check("calls at the second address", calls(SECOND_VA), sum_of_calls(1));
  }
}

/* Two processes with the same first page, and different second pages at the same address. */
static void swapped(void) {
  map_pages(FREE_VA, 0);
  u64 satp = READ_CSR(satp);
  u64 *root = (u64 *)(satp << 20 >> 8);
  for (int n = 0; n < 512; n++) tables[0][n] = root[n];
  tables[0][FREE_VA >> 30 & 511] = LEAF(tables[1], PTE_V);
  tables[1][0] = LEAF(tables[2], PTE_V);
  tables[2][0] = LEAF(first[0], RWX);
  tables[2][1] = LEAF(second[1], RWX);
  u64 other = (satp >> 60 << 60) | 7UL << 44 | (u64)tables[0] >> 12;
  sfence_all();
  for (int n = 0; n < 8; n++) {
    check("one process", plain(FREE_VA), sum(0));
    WRITE_CSR(satp, other);
    u64 theirs = plain(FREE_VA);
    u64 their_calls = calls(FREE_VA);
    WRITE_CSR(satp, satp);
    check("the other", theirs, sum(1));
    check("its calls", their_calls, sum_of_calls(1));
    check("calls of the one", calls(FREE_VA), sum_of_calls(0));
  }
}

static void forbidden(void) {
  map_pages(FREE_VA, 0);
  for (int n = 0; n < 10; n++) {
    check("allowed", plain(FREE_VA), sum(0));
    map(FREE_VA + PAGE, (u64)second[0], RWX & ~PTE_X, 0);
    sfence_page(FREE_VA + PAGE);
    check("not executable", TRY("jalr %0", "r"(FREE_VA + SECOND_WAY)), FETCH_PAGE);
    check("its address", m_trap.tval, FREE_VA + PAGE);
    map(FREE_VA + PAGE, (u64)second[0], RWX, 0);
    sfence_page(FREE_VA + PAGE);
  }
}

static void rewritten(void) {
  map_pages(FREE_VA, 0);
  volatile u32 *at = second[0];
  for (u32 n = 1; n < 8; n++) {
    at[0] = ADD_A0(n);
    asm volatile("fence.i" ::: "memory");
    check("rewritten", plain(FREE_VA), 2 * ROUNDS * (n + jumped[0]));
  }
  at[0] = ADD_A0(called[0]);
  asm volatile("fence.i" ::: "memory");
}

static void in_mid_loop(void) {
  map_pages(FREE_VA, 0);
  u64 rounds = 60;
  for (int n = 0; n < 3; n++) {
    u64 got = run(FREE_VA + REWRITES, rounds, FREE_VA + PAGE + 40, ADD_A0(1), 1 << 20, 0, 0, 0);
    check("rewrites itself", got, rounds * (rounds + 1));
  }
  volatile u64 *entry = pte_of(FREE_VA + PAGE, 0);
  u64 v0 = LEAF(second[0], RWX), v1 = LEAF(second[1], RWX);
  for (int n = 0; n < 3; n++) {
    *entry = v0;
    sfence_all();
    u64 got = run(FREE_VA + REMAPS_SECOND, rounds, 0, 0, 0, v1, (u64)entry, v0);
    check("remaps what it calls", got, rounds * (called[0] + called[1]));
  }
  entry = pte_of(FREE_VA, 0);
  v0 = LEAF(first[0], RWX), v1 = LEAF(first[1], RWX);
  for (int n = 0; n < 3; n++) {
    *entry = v0;
    sfence_all();
    u64 got = run(FREE_VA + REMAPS_FIRST, rounds, 0, 0, 0, v1, (u64)entry, v0);
    check("remaps its caller", got, rounds * (returned[0] + returned[1]));
    *entry = v0;
    sfence_all();
    got = run(FREE_VA + CALLED_REMAPS, rounds, 0, 0, 0, v1, (u64)entry, v0);
    check("remaps its caller, and returns", got, rounds * (returned[0] + returned[1]));
    *entry = v0;
    sfence_all();
    got = run(FREE_VA + CALLED_REWRITES, ROUNDS, FREE_VA + CALLED_REWRITES + START + 4, ADD_A0(0), 1 << 20, 0, 0, 0);
    check("changes its caller, and returns", got, ROUNDS * (ROUNDS + 1));
  }
}

/*
 * A loop in which `addi a0, a0, n` begins at the end of the first page and ends in the second. Most of it is
 * in the first page, so that it becomes hot there, too.
 */
enum { EDGE = 3904, EDGE_START = EDGE + START };
static const u64 added[2] = {6, 110};
static u32 edge[1024] __attribute__((aligned(4096)));
static u16 behind[2][2048] __attribute__((aligned(4096)));

static void write_behind(int version, u64 n) {
  u16 *at = behind[version];
  const u32 code[] = {DECREMENT, again(EDGE_START - 4096 - 6), JR_T0};
  *at++ = (u16)(ADD_A0(n) >> 16);
  for (u32 i = 0; i < 3; i++) {
    *at++ = (u16)code[i];
    *at++ = (u16)(code[i] >> 16);
  }
  asm volatile("fence.i" ::: "memory");
}

static u64 straddling(void) { return run(FREE_VA + EDGE, ROUNDS, 0, 0, 0, 0, 0, 0); }

static void on_the_edge(void) {
  WRITE(edge, EDGE, MV_T0_RA, jal(0, 8), MV_T0_RA);
  for (u32 at = EDGE_START; at < 4092; at += 4) edge[at / 4] = NOP;
  edge[4092 / 4] = C_NOP | ADD_A0(0) << 16;
  for (int v = 0; v < 2; v++) write_behind(v, added[v]);
  map(FREE_VA, (u64)edge, RWX, 0);
  for (int n = 0; n < 8; n++) {
    int version = n % 3 == 1;
    map(FREE_VA + PAGE, (u64)behind[version], RWX, 0);
    sfence_all();
    check("remapped second half", straddling(), 2 * ROUNDS * added[version]);
    check("and run again", straddling(), 2 * ROUNDS * added[version]);
    map(FREE_VA + PAGE, (u64)behind[version], RWX & ~PTE_X, 0);
    sfence_page(FREE_VA + PAGE);
    check("second half not executable", TRY("jalr %0", "r"(FREE_VA + EDGE + SECOND_WAY)), FETCH_PAGE);
    check("its address", m_trap.tval, FREE_VA + PAGE);
  }
  map(FREE_VA + PAGE, (u64)behind[0], RWX, 0);
  sfence_page(FREE_VA + PAGE);
  for (u32 n = 1; n < 8; n++) {
    write_behind(0, n);
    check("rewritten second half", straddling(), 2 * ROUNDS * n);
  }
}

static u64 in_s(u64 nothing) {
  remapped();
  at_two_addresses();
  swapped();
  forbidden();
  rewritten();
  in_mid_loop();
  on_the_edge();
  return nothing;
}

int main(void) {
  write_pages();
  vm_init();
  vm_on();
  run_in(S, in_s, 0, 0);
  vm_off();
  report();
}
