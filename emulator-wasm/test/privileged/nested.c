/*
 * Calls through two pages, 80 deep and more. Interrupts remap, rewrite or forbid the second page in their
 * midst, so all returns to it, and a loop through both, must find the page as it is by then.
 */
#include "devices.h"
#include "vm.h"

#define INTERRUPTIONS 240UL
#define DEPTH 40UL
/* Deeper than a host's stack would be. */
#define MOST_DEPTH 40000UL
#define ROUNDS_AT_THE_BOTTOM 300UL
#define LEAF(page, flags) ((u64)(page) >> 12 << 10 | (flags))
#define RWX (PTE_V | PTE_R | PTE_W | PTE_X | PTE_AD)
#define LI_T2(n) (0x00000393U | (u32)(n) << 20)
/* Is never the number of a page. */
#define FORBIDDEN 0x7ffU

/*
 * a1: depth of calls, a2: rounds of the loop at the bottom, a3: address of the number of the second page.
 * Adds to a4 whenever the code of another second page runs, and to a5 at each return to the first page.
 */
void first(void);
extern u32 second[1024];
extern u32 number_1[], number_2[], number_3[];
asm(".option push\n.option norvc\n"
    ".macro check_number name\n\t"
    "lw t1, 0(a3)\n"
    "\\name: li t2, 1\n\t"
    "beq t1, t2, 9f\n\t"
    "addi a4, a4, 1\n"
    "9:\n"
    ".endm\n"
    ".balign 4096\n"
    "first:\n\t"
    "addi sp, sp, -16\n\tsd ra, 0(sp)\n\t"
    "beqz a1, 1f\n\t"
    "addi a1, a1, -1\n\t"
    "jal second\n\t"
    "addi a5, a5, 1\n\t"
    "j 3f\n"
    "1: mv t3, a2\n"
    "2: addi t3, t3, -1\n\t"
    "j bottom\n"
    "back: bnez t3, 2b\n"
    "3: ld ra, 0(sp)\n\taddi sp, sp, 16\n\tret\n"
    ".balign 4096\n"
    "second:\n\t"
    "addi sp, sp, -16\n\tsd ra, 0(sp)\n\t"
    "check_number number_1\n\t"
    "jal first\n\t"
    "check_number number_2\n\t"
    "ld ra, 0(sp)\n\taddi sp, sp, 16\n\tret\n"
    "bottom:\n\t"
    "check_number number_3\n\t"
    "j back\n"
    ".balign 4096\n"
    ".option pop\n");

/* Another second page. */
static u32 other[1024] __attribute__((aligned(4096)));
static u32 *const pages[2] = {second, other};
static u32 numbers[2] = {1, 2};
static volatile u64 *entry;
static volatile u32 current = 1;
static u32 mapped, last_number = 2;
static volatile u64 interruptions, faults;

static void set_number(u32 page, u32 number) {
  numbers[page] = number;
  pages[page][number_1 - second] = LI_T2(number);
  pages[page][number_2 - second] = LI_T2(number);
  pages[page][number_3 - second] = LI_T2(number);
}

static void map_second(u64 flags) {
  *entry = LEAF(pages[mapped], flags);
  sfence_page(FREE_VA + PAGE);
}

/* Changes the second page, while the first one runs. */
static void disturb(void) {
  switch (interruptions++ % 3) {
    case 0:
      mapped ^= 1;
      map_second(RWX);
      break;
    case 1:
      last_number = last_number % 1000 + 1;
      set_number(mapped, last_number);
      asm volatile("fence.i" ::: "memory");
      break;
    case 2:
      map_second(RWX & ~PTE_X);
      current = FORBIDDEN;
      return;
  }
  current = numbers[mapped];
}

__attribute__((interrupt("machine"))) void interrupted(void) {
  if (READ_CSR(mcause) == FETCH_PAGE) {
    faults++;
    map_second(RWX);
    current = numbers[mapped];
    return;
  }
  if (READ_CSR(mepc) >> 12 == FREE_VA >> 12 && current != FORBIDDEN) disturb();
  MTIMECMP(0) = MTIME + 1 + interruptions % 16;
}

/* Leaves everything to the usual vector, except interrupts and page faults of fetches. */
void vector(void);
asm(".balign 4\n"
    "vector:\n\t"
    "sd t0, -8(sp)\n\t"
    "csrr t0, mcause\n\t"
    "bltz t0, 1f\n\t"
    "addi t0, t0, -12\n\t"
    "beqz t0, 1f\n\t"
    "ld t0, -8(sp)\n\t"
    "j m_vector\n"
    "1: ld t0, -8(sp)\n\t"
    "j interrupted\n");

static u8 stack[32 * (MOST_DEPTH + 2)] __attribute__((aligned(16)));

static u64 call_to(u64 depth) {
  register u64 a1 asm("a1") = depth;
  register u64 a2 asm("a2") = ROUNDS_AT_THE_BOTTOM;
  register u64 a3 asm("a3") = (u64)&current;
  register u64 a4 asm("a4") = 0;
  register u64 a5 asm("a5") = 0;
  asm volatile("mv t4, sp\n\tmv sp, %[stack]\n\tjalr %[at]\n\tmv sp, t4"
               : "+r"(a1), "+r"(a4), "+r"(a5)
               : [at] "r"(FREE_VA), [stack] "r"(stack + sizeof stack), "r"(a2), "r"(a3)
               : "ra", "t0", "t1", "t2", "t3", "t4", "memory");
  u64 stale = a4, returns = a5;
  check("runs of code that is gone", stale, 0);
  check("returns", returns, depth);
  return 0;
}

int main(void) {
  for (int n = 0; n < 1024; n++) other[n] = second[n];
  set_number(1, 2);
  asm volatile("fence.i" ::: "memory");
  vm_init();
  map(FREE_VA, (u64)first, RWX, 0);
  entry = pte_of(FREE_VA + PAGE, 0);
  vm_on();
  map_second(RWX);
  WRITE_CSR(mtvec, vector);
  MTIMECMP(0) = MTIME + 10;
  SET_CSR(mie, 1UL << MTI);
  for (u64 round = 0; interruptions < INTERRUPTIONS; round++) run_in(S, call_to, round % DEPTH + 1, 0);
  CLEAR_CSR(mie, 1UL << MTI);
  run_in(S, call_to, MOST_DEPTH, 0);
  check("page faults", faults, INTERRUPTIONS / 3);
  vm_off();
  report();
}
