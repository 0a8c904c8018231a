// Loops that gcc vectorises, while signals interrupt them, in threads and in children. Each result must be
// the one that the loop has undisturbed.
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE 1003
#define ROUNDS 3000
#define THREADS 4
#define CHILDREN 3
#define JUMPS 50

struct arrays {
  uint8_t bytes[SIZE];
  int32_t words[SIZE];
  int64_t longs[SIZE];
  float floats[SIZE];
};

static uint64_t compute(struct arrays *a, uint64_t seed, int rounds) {
  for (int i = 0; i < SIZE; i++) {
    a->bytes[i] = (uint8_t)(seed * 7 + i);
    a->words[i] = (int32_t)(seed * 31 + i * 17);
    a->longs[i] = (int64_t)(seed + i);
    a->floats[i] = (float)(i % 19) + (float)(seed % 7);
  }
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < SIZE; i++) a->words[i] = a->words[i] * 5 + a->bytes[i];
    for (int i = 0; i < SIZE; i++) a->longs[i] += a->words[i] > 0 ? a->words[i] : round;
    for (int i = 0; i < SIZE; i++) a->floats[i] = a->floats[i] * 0.75f + (float)(a->bytes[i] & 15);
    for (int i = 0; i < SIZE; i++) a->bytes[i] ^= (uint8_t)(a->longs[i] >> 3);
  }
  uint64_t sum = 0;
  for (int i = 0; i < SIZE; i++) sum += (uint64_t)a->longs[i] * 3 + a->bytes[i] + (uint64_t)(a->floats[i] * 1024);
  return sum;
}

static struct arrays own;
static uint8_t noise[256];
static volatile sig_atomic_t signals, jumps;
static sigjmp_buf back;

/* Leaves other values in all vector registers, and another type and length. */
static void clobber(int number) {
  signals++;
  for (int i = 0; i < 256; i++) noise[i] += (uint8_t)(noise[255 - i] + number);
  asm volatile("vsetvli t0, zero, e8, m8, ta, ma\n\t"
               "vmv.v.i v0, -1\n\tvmv.v.i v8, -2\n\tvmv.v.i v16, -3\n\tvmv.v.i v24, -4\n\t"
               "vsetivli t0, 1, e16, mf2, ta, ma\n\tcsrwi vcsr, 7" ::: "t0", "memory");
  if (jumps > 0) {
    jumps--;
    siglongjmp(back, 1);
  }
}

static void storm(long microseconds) {
  struct itimerval timer = {{0, microseconds}, {0, microseconds}};
  if (setitimer(ITIMER_REAL, &timer, NULL) != 0) abort();
}

static void check(const char *name, uint64_t got, uint64_t expected) {
  printf("%s: %s\n", name, got == expected ? "right" : "wrong");
  if (got != expected) exit(1);
}

static void *thread(void *seed) {
  struct arrays *arrays = malloc(sizeof *arrays);
  return (void *)compute(arrays, (uint64_t)seed, ROUNDS);
}

int main(void) {
  uint64_t expected[THREADS + 1];
  for (int n = 0; n <= THREADS; n++) expected[n] = compute(&own, n, ROUNDS);
  printf("undisturbed %016lx\n", expected[0]);
  signal(SIGALRM, clobber);
  storm(500);
  check("under signals", compute(&own, 0, ROUNDS), expected[0]);

  pthread_t threads[THREADS];
  for (long n = 0; n < THREADS; n++) {
    if (pthread_create(&threads[n], NULL, thread, (void *)(n + 1)) != 0) abort();
  }
  check("beside threads", compute(&own, 0, ROUNDS), expected[0]);
  for (int n = 0; n < THREADS; n++) {
    void *got;
    if (pthread_join(threads[n], &got) != 0) abort();
    check("in a thread", (uint64_t)got, expected[n + 1]);
  }

  fflush(stdout);
  for (int n = 0; n < CHILDREN; n++) {
    pid_t child = fork();
    if (child < 0) abort();
    if (child != 0) continue;
    storm(500);
    _exit(compute(&own, n + 1, ROUNDS) != expected[n + 1]);
  }
  check("beside children", compute(&own, 0, ROUNDS), expected[0]);
  for (int n = 0; n < CHILDREN; n++) {
    int status;
    while (wait(&status) < 0) {
    }
    check("in a child", (uint64_t)status, 0);
  }

  jumps = JUMPS;
  sigsetjmp(back, 1);
  while (jumps > 0) compute(&own, 1, ROUNDS);
  check("after jumps out of handlers", compute(&own, 0, ROUNDS), expected[0]);
  storm(0);
  check("many signals came", signals > JUMPS, 1);
  return 0;
}
