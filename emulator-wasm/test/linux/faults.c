/* Page faults inside hot loops: the faulting instruction, and all registers before it. */
#include "check.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/ucontext.h>

enum { PAGES = 24 };
/* The roles of the loop's registers, see LOOP. */
enum { AT = 11, BEFORE = 28, AFTER = 29, VALUE = 30 };

static u8 *memory;
static volatile u64 faults;
/* The handler's expectations: the access's address, its width, and the distance to the next one. */
static const char *name;
static u64 instruction, distance, first;
static u64 constants[32];

/*
 * A loop over [a1, a2) in steps of a3 around one access. t3 counts started accesses, t4 completed ones. All
 * other registers hold constants that the handler checks; ra and sp are saved in memory meanwhile.
 */
#define LOOP(function, access)                                  \
  u64 function(u64 unused, u64 from, u64 to, u64 step);         \
  extern char function##_access[];                              \
  asm(".option push\n.option norvc\n" #function ":\n"           \
      "  la t0, saved\n"                                        \
      "  sd ra, 0(t0)\n sd sp, 8(t0)\n sd gp, 16(t0)\n sd tp, 24(t0)\n"  \
      "  sd s0, 32(t0)\n sd s1, 40(t0)\n sd s2, 48(t0)\n sd s3, 56(t0)\n"  \
      "  sd s4, 64(t0)\n sd s5, 72(t0)\n sd s6, 80(t0)\n sd s7, 88(t0)\n"  \
      "  sd s8, 96(t0)\n sd s9, 104(t0)\n sd s10, 112(t0)\n sd s11, 120(t0)\n"  \
      "  li s0, 0x801\n li s1, 0x802\n li s2, 0x803\n li s3, 0x804\n"  \
      "  li s4, 0x805\n li s5, 0x806\n li s6, 0x807\n li s7, 0x808\n"  \
      "  li s8, 0x809\n li s9, 0x80a\n li s10, 0x80b\n li s11, 0x80c\n"  \
      "  li a4, 0x80d\n li a5, 0x80e\n li a6, 0x80f\n li a7, 0x810\n"  \
      "  li t1, 0x811\n li t2, 0x812\n li t6, 0x813\n"          \
      "  li a0, 0\n li t3, 0\n li t4, 0\n li t5, 0\n"           \
      "1:\n"                                                    \
      "  addi t3, t3, 1\n"                                      \
      #function "_access:\n"                                    \
      "  " access "\n"                                          \
      "  addi t4, t4, 1\n"                                      \
      "  add a0, a0, t5\n"                                      \
      "  add a1, a1, a3\n"                                      \
      "  bltu a1, a2, 1b\n"                                     \
      "  ld ra, 0(t0)\n ld sp, 8(t0)\n ld gp, 16(t0)\n ld tp, 24(t0)\n"  \
      "  ld s0, 32(t0)\n ld s1, 40(t0)\n ld s2, 48(t0)\n ld s3, 56(t0)\n"  \
      "  ld s4, 64(t0)\n ld s5, 72(t0)\n ld s6, 80(t0)\n ld s7, 88(t0)\n"  \
      "  ld s8, 96(t0)\n ld s9, 104(t0)\n ld s10, 112(t0)\n ld s11, 120(t0)\n"  \
      "  ret\n.option pop\n");

u64 saved[16];

LOOP(load_doubleword, "ld t5, 0(a1)")
LOOP(load_byte, "lbu t5, 0(a1)")
LOOP(load_over_itself, "ld a5, 0(a1)")
LOOP(load_double, "fld ft0, 0(a1)")
LOOP(load_single, "flw ft0, 0(a1)")
LOOP(store_doubleword, "sd t3, 0(a1)")
LOOP(store_word, "sw t3, 0(a1)")
LOOP(store_byte, "sb t3, 0(a1)")
LOOP(store_double, "fsd ft1, 0(a1)")
LOOP(store_single, "fsw ft1, 0(a1)")
LOOP(add_atomically, "amoadd.d t5, t3, (a1)")
LOOP(swap_atomically, "amoswap.w.aqrl t5, t3, (a1)")
LOOP(load_reserved, "lr.w t5, (a1)")

static u64 expected_register(int n, u64 accesses) {
  switch (n) {
    case AT: return first + (accesses - 1) * distance;
    case BEFORE: return accesses;
    case AFTER: return accesses - 1;
    default: return constants[n];
  }
}

/* Makes the page present, so that the access is repeated. */
static void give_page(int signal, siginfo_t *info, void *data) {
  ucontext_t *context = data;
  const unsigned long *x = context->uc_mcontext.__gregs;
  faults++;
  check("signal", signal, SIGSEGV);
  check(name, x[0], instruction);
  u64 address = x[AT], reached = (u64)info->si_addr;
  /* The missing part of an access that crosses into another page. */
  check("address", reached == address || (reached > address && reached < address + 8 && reached % PAGE == 0), 1);
  static const u8 looked_at[] = {6, 7, 8, 9, 11, 13, 14, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 31};
  for (u64 n = 0; n < sizeof looked_at; n++) {
    u32 number = looked_at[n];
    check("register", x[number], expected_register(number, x[BEFORE]));
  }
  if (mprotect((void *)(reached & -PAGE), PAGE, PROT_READ | PROT_WRITE)) _exit(3);
}

static void know_constants(u64 step) {
  static const u8 order[] = {8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 14, 15, 16, 17, 6, 7, 31};
  for (u64 n = 0; n < sizeof order; n++) constants[order[n]] = 0x801 + n;
  constants[13] = step;
}

static void walk(const char *what, u64 (*loop)(u64, u64, u64, u64), const char *access, u64 offset, u64 step) {
  name = what;
  instruction = (u64)access;
  distance = step;
  first = (u64)memory + offset;
  know_constants(step);
  u64 end = (u64)memory + (PAGES - 1) * PAGE;
  u64 last_byte = first + (end - 1 - first) / step * step + step - 1;
  must(mprotect(memory, PAGES * PAGE, PROT_READ | PROT_WRITE) == 0);
  memset(memory, 0, PAGES * PAGE);
  faults = 0;
  for (int round = 0; round < 100; round++) loop(0, first, end, step);
  check("no fault where all is mapped", faults, 0);
  for (int round = 0; round < 3; round++) {
    must(mprotect(memory, PAGES * PAGE, PROT_NONE) == 0);
    faults = 0;
    loop(0, first, end, step);
    check("a fault for each page", faults, last_byte / PAGE - first / PAGE + 1);
  }
  must(mprotect(memory, PAGES * PAGE, PROT_READ | PROT_WRITE) == 0);
}

#define WALK(function, offset, step) walk(#function, function, function##_access, offset, step)

static void stored(void) {
  u64 count = (PAGES - 1) * PAGE / 8;
  for (u64 n = 0; n < count; n++) check("stored once, in order", ((u64 *)memory)[n], n + 1);
}

static void on_segv(void (*handler)(int, siginfo_t *, void *)) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER};
  must(sigaction(SIGSEGV, &action, NULL) == 0 && sigaction(SIGBUS, &action, NULL) == 0);
}

static void accesses(void) {
  memory = map_pages(PAGES, PROT_READ | PROT_WRITE);
  on_segv(give_page);
  WALK(load_doubleword, 0, 8);
  WALK(load_byte, 0, 4);
  WALK(load_double, 0, 8);
  WALK(load_single, 0, 8);
  WALK(store_doubleword, 0, 8);
  stored();
  WALK(store_word, 0, 8);
  WALK(store_byte, 0, 8);
  WALK(store_double, 0, 8);
  WALK(store_single, 0, 8);
  WALK(add_atomically, 0, 8);
  WALK(swap_atomically, 0, 8);
  WALK(load_reserved, 0, 8);
  /* The accesses cross the end of every page, with 4 of 8 bytes. */
  WALK(load_doubleword, 4, 8);
  WALK(store_doubleword, 4, 8);
  WALK(store_double, 4, 8);
}

/* Memory that the kernel provides at the first access, and takes away again. */
__attribute__((noinline)) static u64 touch(volatile u64 *at, u64 count, u64 stride) {
  u64 sum = 0;
  for (u64 n = 0; n < count; n++) {
    sum += at[n * stride];
    at[n * stride] = n + 1;
  }
  return sum;
}

static void given_by_the_kernel(void) {
  enum { COUNT = 2000 };
  u64 *at = map_pages(COUNT, PROT_READ | PROT_WRITE);
  for (int round = 0; round < 12; round++) {
    u64 before = round % 3 ? COUNT * (COUNT + 1UL) / 2 : 0;
    check("found", touch(at, COUNT, PAGE / 8), before);
    if (round % 3 == 2) must(madvise(at, COUNT * PAGE, MADV_DONTNEED) == 0);
  }
  munmap(at, COUNT * PAGE);
}

/* At first read-only: loads succeed, stores to the same page must fault. */
static volatile u64 written_pages;
static void make_writable(int signal, siginfo_t *info, void *data) {
  (void)signal, (void)data;
  written_pages++;
  if (mprotect((void *)((u64)info->si_addr & -PAGE), PAGE, PROT_READ | PROT_WRITE)) _exit(3);
}

static void read_only(void) {
  enum { COUNT = 64 };
  u64 *at = map_pages(COUNT, PROT_READ | PROT_WRITE);
  on_segv(make_writable);
  touch(at, COUNT * PAGE / 8, 1);
  u64 all = COUNT * PAGE / 8;
  for (int round = 0; round < 20; round++) {
    must(mprotect(at, COUNT * PAGE, PROT_READ) == 0);
    written_pages = 0;
    check("sum", touch(at, all, 1), all * (all + 1) / 2);
    check("a fault for each page", written_pages, COUNT);
  }
  munmap(at, COUNT * PAGE);
}

static sigjmp_buf out;
static volatile u64 fault_address;
static volatile int fault_signal;
static void jump_out(int signal, siginfo_t *info, void *data) {
  (void)data;
  fault_signal = signal;
  fault_address = (u64)info->si_addr;
  siglongjmp(out, 1);
}

/* Follows pointers, the last of which is invalid. */
__attribute__((noinline)) static u64 follow(u32 *const volatile *pointers, u64 count, u64 times) {
  u64 sum = 0;
  for (u64 round = 0; round < times; round++) {
    for (u64 n = 0; n < count; n++) {
      u32 *at = pointers[n];
      asm volatile("lwu t0, 0(%1)\n\tadd %0, %0, t0" : "+r"(sum) : "r"(at) : "t0", "memory");
    }
  }
  return sum;
}

static void nowhere(void) {
  on_segv(jump_out);
  u32 one = 1;
  u32 *pointers[4] = {&one, &one, &one, &one};
  check("followed", follow(pointers, 4, 1000000), 4000000);
  static const u64 bad[] = {0, 1, 2, 3, 5, 8, 9, 4091, 4095, 1UL << 38, -8UL, -1UL, 0x8000000000000001UL, 1UL << 39 | 1};
  for (volatile u64 n = 0; n < sizeof bad / sizeof *bad; n++) {
    for (volatile u64 place = 0; place < 4; place++) {
      u32 *good = pointers[place];
      pointers[place] = (u32 *)bad[n];
      if (sigsetjmp(out, 1) == 0) {
        follow(pointers, 4, 1);
        check("went nowhere", bad[n], 1);
      }
      check("signal", fault_signal, SIGSEGV);
      u64 at = fault_address;
      check("where", at == bad[n] || (at > bad[n] && at < bad[n] + 4 && at % PAGE == 0) ? 0 : at, 0);
      pointers[place] = good;
    }
  }
  check("still followed", follow(pointers, 4, 1000), 4000);
}

/* Accesses beyond the end of a file. */
static void truncated(void) {
  int file = memfd_create("data", 0);
  must(file >= 0 && ftruncate(file, 8 * PAGE) == 0);
  u64 *at = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  must(at != MAP_FAILED);
  on_segv(jump_out);
  for (volatile int round = 0; round < 30; round++) {
    touch(at, 8 * PAGE / 8, 1);
    must(ftruncate(file, 4 * PAGE) == 0);
    if (sigsetjmp(out, 1) == 0) {
      touch(at, 8 * PAGE / 8, 1);
      check("beyond the end", 0, 1);
    }
    check("signal", fault_signal, SIGBUS);
    check("where", fault_address, (u64)at + 4 * PAGE);
    must(ftruncate(file, 8 * PAGE) == 0);
    check("zeros now", at[4 * PAGE / 8], 0);
    check("kept", at[4 * PAGE / 8 - 1], 4 * PAGE / 8);
  }
  munmap(at, 8 * PAGE);
  close(file);
}

/* Floating point around a fault: registers and flags that are set, and those that are not set yet. */
extern char sum_access[];
double sum_doubles(const double *from, const double *to, double start);
asm("sum_doubles:\n"
    "  fmv.d ft1, fa0\n"
    "1:\n"
    "  fadd.d ft1, ft1, fa0\n"
    "sum_access:\n"
    "  .option push\n.option norvc\n  fld ft2, 0(a0)\n.option pop\n"
    "  fdiv.d ft3, fa0, ft2\n"
    "  addi a0, a0, 8\n"
    "  bltu a0, a1, 1b\n"
    "  fmv.d fa0, ft1\n"
    "  ret\n");

static u64 sum_from;
static void look_at_doubles(int signal, siginfo_t *info, void *data) {
  (void)signal;
  ucontext_t *context = data;
  struct __riscv_mc_d_ext_state *fp = &context->uc_mcontext.__fpregs.__d;
  faults++;
  check("pc", context->uc_mcontext.__gregs[0], (u64)sum_access);
  u64 done = ((u64)info->si_addr - sum_from) / 8;
  double sum;
  memcpy(&sum, &fp->__f[1], 8);
  check("ft1", sum == 1.0 * (done + 2), 1);
  /* 1 / 3 is inexact, but the division waits for the 3. */
  check("flags", fp->__fcsr, done ? 1 : 0);
  if (mprotect((void *)((u64)info->si_addr & -PAGE), PAGE, PROT_READ | PROT_WRITE)) _exit(3);
}

static void doubles(void) {
  enum { COUNT = 32 };
  double *at = map_pages(COUNT, PROT_READ | PROT_WRITE);
  u64 all = COUNT * PAGE / 8;
  for (u64 n = 0; n < all; n++) at[n] = 3;
  on_segv(look_at_doubles);
  sum_from = (u64)at;
  for (int round = 0; round < 30; round++) check("sum", sum_doubles(at, at + all, 1) == 1.0 + all, 1);
  for (int round = 0; round < 10; round++) {
    must(mprotect(at, COUNT * PAGE, PROT_NONE) == 0);
    faults = 0;
    asm volatile("fsflags zero");
    check("sum", sum_doubles(at, at + all, 1) == 1.0 + all, 1);
    check("a fault for each page", faults, COUNT);
  }
  munmap(at, COUNT * PAGE);
}

int main(void) {
  accesses();
  given_by_the_kernel();
  read_only();
  nowhere();
  truncated();
  doubles();
  return report();
}
