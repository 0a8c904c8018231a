/*
 * Vectors under Linux: hwprobe, contexts of processes and threads, signal frames, and a debugger's view. The
 * loops are hot, so that compiled code surrounds the vector instructions.
 */
#include "check.h"
#include <elf.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define V(code) ".option push\n\t.option arch, +v\n\t" code "\n\t.option pop\n\t"
#define NT_VECTOR 0x901

static void hwprobe(void) {
  struct {
    i64 key;
    u64 value;
  } pair = {4, 0};
  must(syscall(258, &pair, 1, 0, NULL, 0) == 0);
  check("hwprobe names V, Zba, Zbb, Zbs", pair.value >> 2 & 15, 15);
  check("Zicboz", pair.value >> 6 & 1, 1);
  check("Zvbb", pair.value >> 17 & 1, 1);
  check("Zfhmin", pair.value >> 28 & 1, 1);
  check("Zvfhmin", pair.value >> 31 & 1, 1);
  check("Zfa", pair.value >> 32 & 1, 1);
  check("Zicond", pair.value >> 35 & 1, 1);
}

static void scalars(void) {
  u8 block[128] __attribute__((aligned(64)));
  memset(block, 1, sizeof block);
  asm volatile(".insn i 0x0f, 2, x0, %0, 4" ::"r"(block + 64) : "memory"); /* cbo.zero */
  check("before the block", block[63], 1);
  u64 sum = 0;
  for (int n = 64; n < 128; n++) sum += block[n];
  check("the block", sum, 0);
}

/* Adds `step` to all elements of v8…v15 again and again, and tells whether they were always equal. */
static u64 count(u64 step, u64 rounds) {
  u64 wrong;
  asm volatile(V("vsetvli t0, zero, e64, m8, ta, ma\n\t"
                 "vmv.v.i v8, 0\n\t"
                 "li t1, 0\n\t"
                 "mv t2, %[rounds]\n\t"
                 "li %[wrong], 0\n"
                 "1:\n\t"
                 "add t1, t1, %[step]\n\t"
                 "vadd.vx v8, v8, %[step]\n\t"
                 "vmsne.vx v1, v8, t1\n\t"
                 "vcpop.m t0, v1\n\t"
                 "add %[wrong], %[wrong], t0\n\t"
                 "addi t2, t2, -1\n\t"
                 "bnez t2, 1b")
               : [wrong] "=&r"(wrong)
               : [step] "r"(step), [rounds] "r"(rounds)
               : "t0", "t1", "t2");
  return wrong;
}

static volatile u64 ticks;

/* Overwrites every vector register, and the type and length. */
static void clobber(int signal) {
  (void)signal;
  ticks++;
  asm volatile(V("vsetvli t0, zero, e8, m8, ta, ma\n\t"
                 "vmv.v.i v0, -1\n\tvmv.v.i v8, -2\n\tvmv.v.i v16, -3\n\tvmv.v.i v24, -4\n\t"
                 "vsetivli t0, 1, e16, m1, ta, ma\n\tcsrwi vcsr, 7")::
                   : "t0");
}

static void signals(void) {
  must(signal(SIGALRM, clobber) != SIG_ERR);
  struct itimerval timer = {{0, 1000}, {0, 1000}};
  must(setitimer(ITIMER_REAL, &timer, NULL) == 0);
  check("no element is wrong", count(3, HOT / 2), 0);
  must(setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL) == 0);
  check("signals came", ticks > 10, 1);
}

static void *thread(void *step) { return (void *)count((u64)step, HOT / 4); }

static void contexts(void) {
  pthread_t threads[4];
  for (u64 n = 0; n < 4; n++) must(pthread_create(&threads[n], NULL, thread, (void *)(n + 5)) == 0);
  pid_t child = fork();
  must(child >= 0);
  if (child == 0) _exit(count(11, HOT / 4) != 0);
  check("in the first thread", count(4, HOT / 4), 0);
  for (u64 n = 0; n < 4; n++) {
    void *wrong;
    must(pthread_join(threads[n], &wrong) == 0);
    check("in a thread", (u64)wrong, 0);
  }
  int status;
  must(waitpid(child, &status, 0) == child);
  check("in a child", status, 0);
}

/* What the kernel shows: vstart, vl, vtype, vcsr, vlenb, then the registers. */
struct vectors {
  u64 start, length, type, csr, lenb;
  u8 registers[32][16];
};

static void debugger(void) {
  pid_t child = fork();
  must(child >= 0);
  if (child == 0) {
    must(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
    u64 first;
    asm volatile(V("vsetivli zero, 5, e8, m1, tu, ma\n\tvmv.v.i v31, 7\n\tebreak\n\tvmv.x.s %0, v31") : "=r"(first));
    _exit((int)first);
  }
  int status;
  must(waitpid(child, &status, 0) == child);
  check("stopped", WSTOPSIG(status), SIGTRAP);
  struct vectors vectors;
  struct iovec into = {&vectors, sizeof vectors};
  must(ptrace(PTRACE_GETREGSET, child, NT_VECTOR, &into) == 0);
  check("vl", vectors.length, 5);
  check("vlenb", vectors.lenb, 16);
  check("v31", vectors.registers[31][4], 7);
  vectors.registers[31][0] = 42;
  must(ptrace(PTRACE_SETREGSET, child, NT_VECTOR, &into) == 0);
  struct {
    u64 pc, x[31];
  } registers;
  struct iovec all = {&registers, sizeof registers};
  must(ptrace(PTRACE_GETREGSET, child, NT_PRSTATUS, &all) == 0);
  u64 word = (u64)ptrace(PTRACE_PEEKTEXT, child, (void *)registers.pc, 0);
  registers.pc += (word & 3) == 3 ? 4 : 2;
  must(ptrace(PTRACE_SETREGSET, child, NT_PRSTATUS, &all) == 0);
  must(ptrace(PTRACE_CONT, child, 0, 0) == 0);
  must(waitpid(child, &status, 0) == child);
  check("the debugger's value", WEXITSTATUS(status), 42);
}

int main(void) {
  hwprobe();
  scalars();
  signals();
  contexts();
  debugger();
  return report();
}
