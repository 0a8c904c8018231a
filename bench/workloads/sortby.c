/* Sorts records of 24 bytes by comparison callbacks, as C's qsort does: a merge sort. */
#include "../runtime/runtime.h"

#define COUNT 20000
#define ROUNDS 6

const char workload_name[] = "sortby";
const uint64_t expected = 0xeecfa39accafdb38;

typedef struct {
  uint64_t id;
  int32_t group;
  char name[12];
} record;

typedef int comparison(const void *a, const void *b);

static record records[COUNT], spare[COUNT];

static void sort(void *base, void *buffer, size_t count, size_t size, comparison *compare) {
  if (count < 2) return;
  size_t half = count / 2;
  uint8_t *left = base, *middle = left + half * size, *right = middle, *end = left + count * size;
  sort(left, buffer, half, size, compare);
  sort(middle, buffer, count - half, size, compare);
  uint8_t *to = buffer;
  while (left < middle && right < end) {
    uint8_t **next = compare(left, right) <= 0 ? &left : &right;
    memcpy(to, *next, size);
    to += size;
    *next += size;
  }
  memcpy(to, left, middle - left);
  memcpy(base, buffer, to - (uint8_t *)buffer + (middle - left));
}

static int by_id(const void *a, const void *b) {
  const record *left = a, *right = b;
  return left->id < right->id ? -1 : left->id > right->id;
}

static int by_name(const void *a, const void *b) {
  const char *left = ((const record *)a)->name, *right = ((const record *)b)->name;
  while (*left && *left == *right) left++, right++;
  return (uint8_t)*left - (uint8_t)*right;
}

static int by_group(const void *a, const void *b) {
  const record *left = a, *right = b;
  return left->group != right->group ? (left->group < right->group ? -1 : 1) : by_name(a, b);
}

static void make_records(uint64_t *state) {
  for (int i = 0; i < COUNT; i++) {
    uint64_t random = xorshift(state);
    record *made = &records[i];
    made->id = random;
    made->group = (int32_t)(random >> 20 & 127) - 64;
    size_t length = 3 + (random >> 32) % 8;
    for (size_t at = 0; at < length; at++) made->name[at] = 'a' + (random >> (4 * at) & 7);
    made->name[length] = 0;
  }
}

uint64_t workload(void) {
  static comparison *const orders[] = {by_id, by_name, by_group};
  uint64_t state = 13, sum = 0;
  for (int round = 0; round < ROUNDS; round++) {
    make_records(&state);
    for (size_t order = 0; order < sizeof orders / sizeof *orders; order++) {
      sort(records, spare, COUNT, sizeof(record), orders[order]);
      for (int i = 1; i < COUNT; i++) {
        if (orders[order](&records[i - 1], &records[i]) > 0) return ~0ul;
        sum = fold(sum, records[i].id);
      }
    }
  }
  return sum;
}
