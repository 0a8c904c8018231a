/*
 * The memory model between two pairs of harts: message passing, store buffering, coherence (RVWMO,
 * unprivileged specification chapter 17). Outcomes that fences and annotations forbid must not occur.
 */
#include "harts.h"

#define MESSAGES 300000
#define BATCHES 200
#define BATCH 256

static volatile u64 data[8] __attribute__((aligned(64)));
static volatile u64 flag __attribute__((aligned(64)));
static volatile u64 x[BATCH * 8] __attribute__((aligned(64))), y[BATCH * 8] __attribute__((aligned(64)));
static u64 seen[2][BATCH];
static volatile u64 met[2];
static volatile u64 wrong[HARTS];

/* Hart 0 writes the data, then the flag. The others read the flag, then the data. */
static void pass_fences(u64 hart) {
  u64 last = 0;
  if (hart == 0) {
    for (u64 n = 1; n <= MESSAGES; n++) {
      data[0] = n;
      asm volatile("fence w, w" ::: "memory");
      flag = n;
    }
  } else {
    while (last < MESSAGES) {
      u64 flagged = flag;
      asm volatile("fence r, r" ::: "memory");
      if (data[0] < flagged || flagged < last) wrong[hart]++;
      last = flagged;
    }
  }
}

static void pass_annotations(u64 hart) {
  u64 last = 0;
  if (hart == 0) {
    for (u64 n = 1; n <= MESSAGES; n++) {
      data[0] = n;
      asm volatile("amoswap.d.rl zero, %0, (%1)" ::"r"(n), "r"(&flag) : "memory");
    }
  } else {
    while (last < MESSAGES) {
      u64 flagged;
      asm volatile("amoor.d.aq %0, zero, (%1)" : "=r"(flagged) : "r"(&flag) : "memory");
      if (data[0] < flagged || flagged < last) wrong[hart]++;
      last = flagged;
    }
  }
}

/* No hart sees part of an 8-byte message. */
static void whole_words(u64 hart) {
  if (hart == 0) {
    for (u64 n = 0; n < MESSAGES; n++) data[0] = (n & 0xff) * 0x0101010101010101UL;
    flag = 1;
  } else {
    while (!flag) {
      u64 value = data[0];
      if (value != (value & 0xff) * 0x0101010101010101UL) wrong[hart]++;
    }
  }
}

/* Both meet, store, fence, and load the other's value. At least one must see the other's store. */
static void store_buffering(u64 hart) {
  for (u64 batch = 0; batch < BATCHES; batch++) {
    if (hart == 0) {
      for (u64 i = 0; i < BATCH * 8; i++) x[i] = y[i] = 0;
      met[0] = met[1] = 0;
    }
    barrier(hart);
    if (hart < 2) {
      volatile u64 *mine = hart ? y : x;
      volatile u64 *others = hart ? x : y;
      for (u64 i = 0; i < BATCH; i++) {
        met[hart] = i + 1;
        while (met[1 - hart] <= i);
        mine[8 * i] = 1;
        asm volatile("fence rw, rw" ::: "memory");
        seen[hart][i] = others[8 * i];
      }
    }
    barrier(hart);
    if (hart == 0) {
      for (u64 i = 0; i < BATCH; i++) wrong[0] += !seen[0][i] && !seen[1][i];
    }
  }
}

static const struct {
  const char *name;
  void (*run)(u64 hart);
} tests[] = {
    {"message passing with fences", pass_fences},
    {"message passing with aq and rl", pass_annotations},
    {"words in one piece", whole_words},
    {"store buffering with fences", store_buffering},
};

static void run(u64 hart) {
  for (u64 i = 0; i < sizeof tests / sizeof *tests; i++) {
    if (hart == 0) {
      data[0] = flag = 0;
      for (int k = 0; k < HARTS; k++) wrong[k] = 0;
    }
    barrier(hart);
    tests[i].run(hart);
    barrier(hart);
    for (int k = 0; hart == 0 && k < HARTS; k++) check(tests[i].name, wrong[k], 0);
    barrier(hart);
  }
}

void secondary(u64 hart) { run(hart); }

int main(void) {
  run(0);
  return 0;
}
