/* Quicksort (Hoare's partition, median of three, insertion sort below 16) of random 64-bit numbers. */
#include "../runtime/runtime.h"

#define COUNT 250000
#define ROUNDS 20

const char workload_name[] = "quicksort";
const uint64_t expected = 0x115cf2d7f7cb3ecb;

static int64_t numbers[COUNT];

static void swap(int64_t *a, int64_t *b) {
  int64_t held = *a;
  *a = *b;
  *b = held;
}

static void insertion_sort(int64_t *from, int64_t *to) {
  for (int64_t *next = from + 1; next <= to; next++) {
    int64_t value = *next, *hole = next;
    for (; hole > from && hole[-1] > value; hole--) *hole = hole[-1];
    *hole = value;
  }
}

static void quicksort(int64_t *from, int64_t *to) {
  while (to - from >= 16) {
    int64_t *middle = from + (to - from) / 2;
    if (*middle < *from) swap(middle, from);
    if (*to < *from) swap(to, from);
    if (*to < *middle) swap(to, middle);
    int64_t pivot = *middle, *left = from - 1, *right = to + 1;
    for (;;) {
      while (*++left < pivot) continue;
      while (*--right > pivot) continue;
      if (left >= right) break;
      swap(left, right);
    }
    quicksort(from, right);
    from = right + 1;
  }
  insertion_sort(from, to);
}

uint64_t workload(void) {
  uint64_t state = 42, sum = 0;
  for (int round = 0; round < ROUNDS; round++) {
    for (size_t i = 0; i < COUNT; i++) numbers[i] = xorshift(&state);
    quicksort(numbers, numbers + COUNT - 1);
    for (size_t i = 1; i < COUNT; i++) {
      if (numbers[i - 1] > numbers[i]) return ~0ul;
      sum = fold(sum, numbers[i]);
    }
  }
  return sum;
}
