/*
 * A debugger's view of hot code: registers, breakpoints in it, and steps by breakpoints (RISC-V has no
 * others).
 */
#include "check.h"
#include <elf.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

/* Registers as PTRACE_GETREGSET has them: pc, then x1 and so on. */
struct registers {
  u64 x[32];
};
enum { PC = 0, S2 = 18, S3 = 19, S4 = 20, S5 = 21, S6 = 22 };

/*
 * Run forever, because a0 is 0. Every instruction has four bytes, so a breakpoint replaces exactly one. The
 * second loop is in two pages, of which the second one begins with `taken`.
 */
extern u32 near_loop[], far_loop[];
enum { BRANCH = 2, JUMP = 4, TAKEN = 5, JOINED = 6, BACK = 7, LENGTH = 8 };
u64 count_near(u64 zero);
u64 count_far(u64 zero);
asm(".option push\n.option norvc\n"
    ".macro counter place\n"
    "count_\\place:\n"
    "  li s2, 0\n  li s3, 0\n  li s4, 0\n  li s5, 0\n  li s6, 0\n"
    "\\place\\()_loop:\n"
    "  addi s2, s2, 1\n"
    "  andi s5, s2, 3\n"
    "  bnez s5, 1f\n"
    "  addi s3, s3, 1\n"
    "  j 2f\n"
    "1:\n" /* taken */
    "  addi s4, s4, 1\n"
    "2:\n" /* joined */
    "  add s6, s3, s4\n"
    "  beqz a0, \\place\\()_loop\n"
    "  ret\n"
    ".endm\n"
    ".balign 4096\n"
    "  counter near\n"
    ".balign 4096\n"
    ".space 4096 - 4 * 10\n"
    "  counter far\n"
    ".option pop\n");

static u32 *loop;
static pid_t child;

static struct registers get(void) {
  struct registers registers;
  struct iovec into = {&registers, sizeof registers};
  must(ptrace(PTRACE_GETREGSET, child, NT_PRSTATUS, &into) == 0);
  return registers;
}

static void set(struct registers registers) {
  struct iovec from = {&registers, sizeof registers};
  must(ptrace(PTRACE_SETREGSET, child, NT_PRSTATUS, &from) == 0);
}

/* Replaces an instruction in the child's memory, which is written in doublewords. */
static u32 replace(const u32 *at, u32 instruction) {
  u64 whole = (u64)at & ~7UL, shift = (u64)at & 4 ? 32 : 0;
  u64 before = ptrace(PTRACE_PEEKTEXT, child, whole, 0);
  u64 after = (before & ~(0xffffffffUL << shift)) | (u64)instruction << shift;
  must(ptrace(PTRACE_POKETEXT, child, whole, after) == 0);
  return before >> shift;
}

static void await_stop(int signal) {
  int status;
  must(waitpid(child, &status, 0) == child);
  must(WIFSTOPPED(status));
  check("stopped by", WSTOPSIG(status), signal);
}

/* Lets the child run until it reaches the address. */
static struct registers run_to(const u32 *at) {
  u32 before = replace(at, EBREAK);
  must(ptrace(PTRACE_CONT, child, 0, 0) == 0);
  await_stop(SIGTRAP);
  struct registers registers = get();
  check("at the breakpoint", registers.x[PC], (u64)at);
  check("which was read back", replace(at, before), EBREAK);
  return registers;
}

static void run_for(u64 microseconds) {
  must(ptrace(PTRACE_CONT, child, 0, 0) == 0);
  usleep(microseconds);
  must(kill(child, SIGSTOP) == 0);
  await_stop(SIGSTOP);
}

static u64 place_of(const struct registers *r) {
  u64 place = (r->x[PC] - (u64)loop) / 4;
  must(place < LENGTH);
  return place;
}

/* The values that the registers must have at any place in the loop. */
static void check_state(const struct registers *r) {
  u64 place = place_of(r), s2 = r->x[S2];
  u64 before = place > 0 ? s2 - 1 : s2;
  u64 counted = place == JUMP || place >= JOINED ? s2 : before;
  check("s3", r->x[S3], counted / 4);
  check("s4", r->x[S4], counted - counted / 4);
  u64 added = place == BACK ? s2 : before;
  if (added) check("s6", r->x[S6], added);
}

static const u32 *next_of(const struct registers *r) {
  switch (place_of(r)) {
    case BRANCH: return loop + (r->x[S5] ? TAKEN : BRANCH + 1);
    case JUMP: return loop + JOINED;
    case BACK: return loop;
    default: return (const u32 *)r->x[PC] + 1;
  }
}

static void begin(u64 (*count)(u64)) {
  child = fork();
  must(child >= 0);
  if (child == 0) {
    must(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
    raise(SIGSTOP);
    _exit(count(0) & 0x7f);
  }
  await_stop(SIGSTOP);
}

static void stopped_anywhere(void) {
  for (int round = 0; round < 40; round++) {
    run_for(3000);
    struct registers r = get();
    check_state(&r);
  }
}

static void breakpoints(void) {
  for (int round = 0; round < 40; round++) {
    struct registers r = run_to(loop + round % LENGTH);
    check_state(&r);
    if (round % 4 == 0) run_for(2000);
  }
}

static void steps(void) {
  for (int round = 0; round < 3; round++) {
    struct registers r = get();
    for (int step = 0; step < 120; step++) {
      const u32 *next = next_of(&r);
      r = run_to(next);
      check_state(&r);
    }
    run_for(20000);
  }
}

/* Registers and code that the debugger changes take effect at once. */
static void changed(void) {
  for (u64 round = 1; round <= 10; round++) {
    struct registers r = run_to(loop);
    u64 rounds = round << 32;
    r.x[S2] = rounds * 4;
    r.x[S3] = rounds;
    r.x[S4] = rounds * 3;
    r.x[S6] = rounds * 4;
    set(r);
    run_for(3000);
    r = get();
    check_state(&r);
    check("continues from there", r.x[S2] >= rounds * 4 && r.x[S2] < rounds * 4 + (1UL << 32), 1);
  }
  /* A permanent change of an instruction: s4 counts twice. */
  struct registers r = run_to(loop);
  u32 before = replace(loop + TAKEN, 0x002a0a13); /* addi s4, s4, 2 */
  u64 s3 = r.x[S3], s4 = r.x[S4];
  run_for(20000);
  r = run_to(loop);
  check("counts by two", r.x[S4] - s4 - 6 * (r.x[S3] - s3) + 6 <= 12, 1);
  check("and did count", r.x[S3] > s3, 1);
  replace(loop + TAKEN, before);
  s3 = r.x[S3], s4 = r.x[S4];
  run_for(20000);
  r = run_to(loop);
  check("counts by one", r.x[S4] - s4 - 3 * (r.x[S3] - s3) + 3 <= 6, 1);
  r.x[10] = 1;
  r.x[S6] = 42;
  set(r);
}

static void end(void) {
  must(ptrace(PTRACE_DETACH, child, 0, 0) == 0);
  int status;
  must(waitpid(child, &status, 0) == child);
  check("ends", WIFEXITED(status) ? WEXITSTATUS(status) : 1000, 1);
}

static void trace(u64 (*count)(u64), u32 *its_loop) {
  loop = its_loop;
  begin(count);
  run_for(50000);
  stopped_anywhere();
  breakpoints();
  steps();
  changed();
  end();
}

int main(void) {
  trace(count_near, near_loop);
  trace(count_far, far_loop);
  return report();
}
