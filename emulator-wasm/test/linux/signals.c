/*
 * Signals inside hot loops: each register as the interrupted instruction requires it, and as the handler
 * leaves it.
 */
#include "check.h"
#include <fenv.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/ucontext.h>

#define X(context, n) ((context)->uc_mcontext.__gregs[n])
enum { PC = 0, S2 = 18, S3 = 19, S4 = 20, S5 = 21, T3 = 28, T4 = 29 };

static void set_timer(u64 microseconds) {
  struct itimerval timer = {{0, microseconds}, {0, microseconds}};
  must(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void on(int signal, void (*handler)(int, siginfo_t *, void *)) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  must(sigaction(signal, &action, NULL) == 0);
}

/* Three counters in step. A signal sees them as the interrupted instruction requires. */
extern char steps[], steps_end[];
u64 count_in_step(u64 times);
asm(".option push\n.option norvc\n"
    "count_in_step:\n"
    "  addi sp, sp, -32\n"
    "  sd s2, 0(sp)\n  sd s3, 8(sp)\n  sd s4, 16(sp)\n  sd s5, 24(sp)\n"
    "  li s2, 0\n  li s3, 0\n  li s4, 0\n  mv s5, a0\n"
    "steps:\n"
    "  addi s2, s2, 1\n"
    "  addi s3, s3, 3\n"
    "  add s4, s2, s3\n"
    "  bltu s2, s5, steps\n"
    "steps_end:\n"
    "  add a0, s2, s3\n  add a0, a0, s4\n"
    "  ld s2, 0(sp)\n  ld s3, 8(sp)\n  ld s4, 16(sp)\n  ld s5, 24(sp)\n"
    "  addi sp, sp, 32\n"
    "  ret\n.option pop\n");

static volatile u64 interruptions, ticks;

static void in_step(int signal, siginfo_t *info, void *data) {
  (void)signal, (void)info;
  ucontext_t *context = data;
  ticks++;
  u64 pc = X(context, PC);
  if (pc < (u64)steps || pc >= (u64)steps_end) return;
  interruptions++;
  u64 done = (pc - (u64)steps) / 4, s2 = X(context, S2), s3 = X(context, S3), s4 = X(context, S4);
  u64 whole = done >= 1 ? s2 - 1 : s2;
  check("s3 in step", s3, 3 * (done >= 2 ? whole + 1 : whole));
  if (whole > 0 || done >= 3) check("s4 in step", s4, 4 * (done >= 3 ? whole + 1 : whole));
}

static void in_lockstep(void) {
  on(SIGALRM, in_step);
  set_timer(1000);
  for (int round = 0; round < 10; round++) check("counted", count_in_step(10 * HOT), 80 * HOT);
  set_timer(0);
  check("interrupted", interruptions > 10, 1);
}

/* A handler that uses every register. */
static void clobber(int signal, siginfo_t *info, void *data) {
  (void)signal, (void)info, (void)data;
  ticks++;
  volatile double x = ticks;
  for (int n = 0; n < 20; n++) x = x * 1.5 / 1.25 + n;
  asm volatile("fsrmi 1\n fsflagsi 31\n"
               "li t0, -1\n li t1, -1\n li t2, -1\n li t3, -1\n li t4, -1\n li t5, -1\n li t6, -1\n"
               "li a0, -1\n li a1, -1\n li a2, -1\n li a3, -1\n li a4, -1\n li a5, -1\n li a6, -1\n li a7, -1\n"
               "fmv.d.x ft0, t0\n fmv.d.x ft1, t0\n fmv.d.x ft2, t0\n fmv.d.x fa0, t0\n fmv.d.x fa1, t0\n"
               "fmv.d.x fs0, t0\n fmv.d.x fs1, t0\n fmv.d.x ft8, t0\n"
               :::"t0", "t1", "t2", "t3", "t4", "t5", "t6", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7",
               "ft0", "ft1", "ft2", "fa0", "fa1", "fs0", "fs1", "ft8", "memory");
}

__attribute__((noinline)) static u64 mix(u64 times, u64 seed) {
  u64 a = seed, b = ~seed, c = seed * 3, d = 1, e = 5, f = 7, g = 11, h = 13;
  for (u64 n = 0; n < times; n++) {
    a += b ^ n;
    b = b << 7 | b >> 57;
    c ^= a * 0x9e3779b97f4a7c15;
    d += c >> 11;
    e = e * 5 + d;
    f ^= e << 3;
    g += f & h;
    h = (h ^ g) - n;
    if (h & 64) b += c;
  }
  return a ^ b ^ c ^ d ^ e ^ f ^ g ^ h;
}

__attribute__((noinline)) static double mix_doubles(u64 times, double seed) {
  double a = seed, b = 1, c = 0.5, d = 3, e = 1e-3;
  for (u64 n = 0; n < times; n++) {
    a = a * 0.999 + b;
    b = b / 1.001 + e;
    c = __builtin_fma(a, e, c) * 0.5;
    d = __builtin_sqrt(d + c * c);
    e = d < 2 ? e * 1.0001 : e * 0.9999;
  }
  return a + b + c + d + e;
}

/* Whole numbers are never rounded, so NX stays clear, even if a handler changes its own flags. */
__attribute__((noinline)) static double whole_numbers(u64 times) {
  double sum = 0, x = 1;
  for (u64 n = 0; n < times; n++) {
    sum += x * 3;
    x = x + 1;
  }
  return sum;
}

static void undisturbed(void) {
  u64 expected = mix(2000000, 42);
  double doubles = mix_doubles(500000, 0.1);
  on(SIGALRM, clobber);
  ticks = 0;
  set_timer(1000);
  for (int round = 0; round < 4; round++) {
    check("integers", mix(2000000, 42), expected);
    double got = mix_doubles(500000, 0.1);
    check("doubles", memcmp(&got, &doubles, sizeof got), 0);
    feclearexcept(FE_ALL_EXCEPT);
    double sum = whole_numbers(200000);
    check("flags of whole numbers", fetestexcept(FE_ALL_EXCEPT), 0);
    check("sum of whole numbers", sum == 3.0 * 200000 * 200001 / 2, 1);
    check("rounding", fegetround(), FE_TONEAREST);
  }
  set_timer(0);
  check("interrupted", ticks > 10, 1);
}

/* A loop that ends only when a handler changes its registers. */
u64 until_register_is_set(u64 unused);
u64 until_moved_on(u64 unused);
extern char endless[], beyond[];
asm("until_register_is_set:\n"
    "  li t3, 0\n  li t4, 0\n"
    "1:\n"
    "  addi t4, t4, 1\n"
    "  beqz t3, 1b\n"
    "  sub a0, t3, t4\n"
    "  snez a0, a0\n"
    "  ret\n"
    "until_moved_on:\n"
    "  li a0, 5\n"
    "endless:\n"
    "  j endless\n"
    "beyond:\n"
    "  addi a0, a0, 1\n"
    "  ret\n");

static void set_register(int signal, siginfo_t *info, void *data) {
  (void)signal, (void)info;
  ucontext_t *context = data;
  /* Sets the count too, so the loop ends one round later. */
  X(context, T4) = 1000;
  X(context, T3) = 1000;
}

static void move_on(int signal, siginfo_t *info, void *data) {
  (void)signal, (void)info;
  ucontext_t *context = data;
  if (X(context, PC) == (u64)endless) X(context, PC) = (u64)beyond;
}

static void set_by_handlers(void) {
  on(SIGALRM, set_register);
  set_timer(3000);
  for (int round = 0; round < 40; round++) until_register_is_set(0);
  on(SIGALRM, move_on);
  for (int round = 0; round < 40; round++) check("moved on", until_moved_on(0), 6);
  set_timer(0);
}

static sigjmp_buf out;
static void jump_out(int signal, siginfo_t *info, void *data) {
  (void)signal, (void)info, (void)data;
  siglongjmp(out, 1);
}

/* Works at any speed: a signal that arrived meanwhile jumps out where signals are unblocked. */
static void jumped_out_of(void) {
  on(SIGALRM, jump_out);
  static volatile u64 jumps;
  u64 expected = mix(100000, 7);
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGALRM);
  set_timer(2000);
  if (sigsetjmp(out, 1) != 0) {
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    check("after a jump out", mix(100000, 7), expected);
    if (++jumps == 60) {
      set_timer(0);
      return;
    }
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
  }
  for (;;) mix(1 << 30, jumps);
}

int main(void) {
  in_lockstep();
  undisturbed();
  set_by_handlers();
  jumped_out_of();
  return report();
}
