/* Storms of processes whose pages hold one program after another. */
#include "check.h"
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

/* Hot work that depends on the seed at every step. */
__attribute__((noinline)) static u64 work(u64 seed, u64 times) {
  u64 a = seed, b = 1;
  for (u64 n = 0; n < times; n++) {
    a = a * 6364136223846793005 + 1442695040888963407;
    b ^= a >> 33;
    if (b & 1) b += n;
  }
  return b;
}

static u64 expected(u64 seed) {
  static u64 known[256];
  if (!known[seed]) known[seed] = work(seed, 5000);
  return known[seed];
}

static int status_of(pid_t child) {
  int status = 0;
  must(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void forks(void) {
  enum { AT_ONCE = 8, ROUNDS = 20 };
  for (u64 round = 0; round < ROUNDS; round++) {
    pid_t children[AT_ONCE];
    for (u64 n = 0; n < AT_ONCE; n++) {
      children[n] = fork();
      must(children[n] >= 0);
      if (children[n] == 0) _exit(work(round * AT_ONCE + n, 5000) & 0x7f);
    }
    for (u64 n = 0; n < AT_ONCE; n++)
      check("forked", status_of(children[n]), expected(round * AT_ONCE + n) & 0x7f);
  }
}

/* Each child writes its own code to new pages, which the next child gets. */
static u64 made_and_run(u32 seed) {
  enum { COPIES = 3 };
  volatile u32 *at = map_pages(COPIES, PROT_READ | PROT_WRITE | PROT_EXEC);
  u64 sum = 0;
  for (u32 n = 0; n < COPIES; n++) {
    volatile u32 *code = at + n * PAGE / 4 + seed % 7;
    code[0] = addi(A0, A0, seed + n);
    code[1] = addi(A1, A1, -1);
    code[2] = bnez(A1, -8);
    code[3] = RET;
  }
  flush_code(at, COPIES * PAGE);
  for (u32 n = 0; n < COPIES; n++) sum += call(at + n * PAGE / 4 + seed % 7, 0, 10000);
  return sum;
}

static void code_of_their_own(void) {
  for (u32 seed = 1; seed <= 100; seed++) {
    pid_t child = fork();
    must(child >= 0);
    if (child == 0) _exit(made_and_run(seed) == 10000UL * (3 * seed + 3) ? 0 : 1);
    check("code of its own", status_of(child), 0);
  }
}

/* Starts this program again, by fork, vfork and posix_spawn. */
static pid_t start(u64 number) {
  char argument[24];
  snprintf(argument, sizeof argument, "%lu", number);
  char *args[] = {"again", argument, NULL};
  pid_t child;
  switch (number % 3) {
    case 0: child = fork(); break;
    case 1: child = vfork(); break;
    default:
      must(posix_spawn(&child, "/proc/self/exe", NULL, NULL, args, environ) == 0);
      return child;
  }
  must(child >= 0);
  if (child == 0) {
    execve("/proc/self/exe", args, environ);
    _exit(99);
  }
  return child;
}

static void executions(void) {
  enum { AT_ONCE = 4, ROUNDS = 25 };
  for (u64 round = 0; round < ROUNDS; round++) {
    pid_t children[AT_ONCE];
    for (u64 n = 0; n < AT_ONCE; n++) children[n] = start(round * AT_ONCE + n);
    for (u64 n = 0; n < AT_ONCE; n++)
      check("executed", status_of(children[n]), expected(round * AT_ONCE + n) & 0x7f);
  }
}

static void other_programs(void) {
  for (int round = 0; round < 20; round++) {
    pid_t child;
    char *args[] = {"sh", "-c", "n=0; while [ $n -lt 30 ]; do n=$((n + 1)); done; exit $n", NULL};
    must(posix_spawn(&child, "/bin/sh", NULL, NULL, args, environ) == 0);
    check("a shell", status_of(child), 30);
  }
}

int main(int count, char **args) {
  if (count > 1) return work(strtoul(args[1], NULL, 10), 5000) & 0x7f;
  forks();
  code_of_their_own();
  executions();
  other_programs();
  return report();
}
