// The C library's string functions against loops of bytes, at all alignments and up to the end of a page.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096
#define LONGEST 300

static uint64_t state = 88172645463325252u;
static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static uint64_t sum = 1469598103934665603u;
static void add(uint64_t value) { sum = (sum ^ value) * 0x100000001b3u; }

static void expect(const char *name, long got, long expected) {
  add((uint64_t)got);
  if (got == expected) return;
  printf("%s: %ld, expected %ld\n", name, got, expected);
  exit(1);
}

static int sign(int value) { return (value > 0) - (value < 0); }

/* Bytes that end at a page that must not be read or written. */
static unsigned char *guarded(void) {
  unsigned char *pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED || mprotect(pages + 2 * PAGE, PAGE, PROT_NONE) != 0) exit(2);
  return pages + 2 * PAGE;
}

static void search(unsigned char *a, unsigned char *b, int length) {
  for (int i = 0; i < length; i++) a[i] = b[i] = 1 + next() % 4;
  a[length - 1] = b[length - 1] = 0;
  expect("strlen", (long)strlen((char *)a), length - 1);
  expect("strnlen", (long)strnlen((char *)a, length / 2), length / 2 < length ? length / 2 : length - 1);
  expect("memchr", memchr(a, 0, length) == a + length - 1, 1);
  expect("memrchr", strrchr((char *)a, 0) == (char *)a + length - 1, 1);
  expect("equal", memcmp(a, b, length) | strcmp((char *)a, (char *)b), 0);
  long first = -1;
  for (volatile int i = 0; i < length - 1 && first < 0; i++) {
    if (a[i] == 3) first = i;
  }
  char *found = strchr((char *)a, 3);
  expect("strchr", found ? found - (char *)a : -1, first);
  if (length < 2) return;
  int at = next() % (length - 1);
  b[at] = 5 + next() % 200;
  expect("memcmp", sign(memcmp(a, b, length)), -1);
  expect("strcmp", sign(strcmp((char *)b, (char *)a)), 1);
  expect("strncmp", sign(strncmp((char *)a, (char *)b, at)), 0);
  expect("memchr of another", memchr(b, b[at], length) == b + at, 1);
  expect("strstr", strstr((char *)b, (char *)b + at) == (char *)b + at, 1);
}

static void copy(unsigned char *a, unsigned char *b, int length) {
  for (int i = -16; i < length; i++) {
    a[i] = next();
    b[i] = next();
  }
  unsigned char before[LONGEST + 32], *old = before + 16;
  for (volatile int i = -16; i < length; i++) old[i] = a[i];
  memcpy(a, b, length);
  for (volatile int i = -16; i < length; i++) expect("memcpy", a[i], i < 0 ? old[i] : b[i]);
  for (volatile int i = -16; i < length; i++) old[i] = a[i];
  int distance = next() % 16;
  memmove(a - distance, a, length);
  for (volatile int i = 0; i < length; i++) expect("memmove down", a[i - distance], old[i]);
  for (volatile int i = -16; i < length; i++) old[i] = a[i];
  memmove(a, a - distance, length);
  for (volatile int i = 0; i < length; i++) expect("memmove up", a[i], old[i - distance]);
  memset(a, length, length);
  for (volatile int i = 0; i < length; i++) expect("memset", a[i], length & 255);
}

static void strings(unsigned char *a, unsigned char *b, int length) {
  for (int i = 0; i < length - 1; i++) b[i] = 'a' + next() % 26;
  b[length - 1] = 0;
  expect("stpcpy", stpcpy((char *)a, (char *)b) - (char *)a, length - 1);
  expect("copied", memcmp(a, b, length), 0);
  int part = next() % length;
  a[part] = 0;
  expect("strlcat", (long)strlen(strncat((char *)a, (char *)b, length - 1 - part)), length - 1);
  memset(a, 1, length);
  expect("strncpy", strncpy((char *)a, (char *)b + part, length) == (char *)a, 1);
  for (volatile int i = 0; i < length; i++) expect("padded", a[i], i < length - part ? b[part + i] : 0);
}

int main(void) {
  unsigned char *a = guarded(), *b = guarded();
  for (int length = 1; length <= LONGEST; length++) {
    for (int gap = 0; gap < 20; gap += 1 + length / 40) {
      int other = next() % 20;
      search(a - length - gap, b - length - other, length);
      copy(a - length - gap, b - length - other, length);
      strings(a - length - gap, b - length - other, length);
    }
  }
  printf("strings %016lx\n", sum);
  return 0;
}
