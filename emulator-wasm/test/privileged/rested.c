/* Two modes know a page of code that rests over many fences. It changes, and U runs it first (Zifencei). */
#include "runtime.h"
#include "vm.h"

#define FOR_S FREE_VA
#define FOR_U (FREE_VA + PAGE)
/* More than there are comparisons of a page until its stores are watched again. */
#define FENCES 300

static u32 code[1024] __attribute__((aligned(4096)));

static void write(u32 n) {
  volatile u32 *at = code;
  at[0] = 0x00000513U | n << 20; /* li a0, n */
  at[1] = 0x00008067U;           /* ret */
}

static void fence_i(void) { asm volatile("fence.i" ::: "memory"); }

static u64 call(u64 at) {
  register u64 a0 asm("a0");
  asm volatile("jalr %1" : "=r"(a0) : "r"(at) : "ra", "memory");
  return a0;
}

static void run(u64 expected) {
  check("run by U", run_in(U, call, FOR_U, USER_OFFSET), expected);
  check("run by S", run_in(S, call, FOR_S, 0), expected);
}

int main(void) {
  vm_init();
  map(FOR_S, (u64)code, PTE_V | PTE_R | PTE_X | PTE_AD, 0);
  map(FOR_U, (u64)code, PTE_V | PTE_R | PTE_X | PTE_U | PTE_AD, 0);
  vm_on();
  write(1);
  for (u32 n = 0; n < FENCES; n++) {
    fence_i();
    run(1);
  }
  write(2);
  fence_i();
  run(2);
  return 0;
}
