/* Strings and memory: copy, measure, compare, search, reverse and count words in a generated text. */
#include "../runtime/runtime.h"

#define SIZE 32768
#define ROUNDS 1500

const char workload_name[] = "strings";
const uint64_t expected = 0x9dd413be13b48fcd;

static char text[SIZE + 1], copy[SIZE + 1];

static size_t length_of(const char *string) {
  const char *end = string;
  while (*end) end++;
  return end - string;
}

static int compare(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return (uint8_t)*a - (uint8_t)*b;
}

static const char *find(const char *string, const char *pattern) {
  for (; *string; string++) {
    size_t matched = 0;
    while (pattern[matched] && string[matched] == pattern[matched]) matched++;
    if (!pattern[matched]) return string;
  }
  return NULL;
}

static void reverse(char *string, size_t length) {
  for (size_t left = 0, right = length - 1; left < right; left++, right--) {
    char held = string[left];
    string[left] = string[right];
    string[right] = held;
  }
}

static size_t count_words(const char *string) {
  size_t words = 0;
  for (int inside = 0; *string; string++) {
    if (*string == ' ') inside = 0;
    else if (!inside) inside = 1, words++;
  }
  return words;
}

uint64_t workload(void) {
  uint64_t state = 5, sum = 0;
  for (size_t i = 0; i < SIZE; i++) {
    uint64_t random = xorshift(&state) >> 32;
    text[i] = random % 6 ? 'a' + random % 7 : ' ';
  }
  for (int round = 0; round < ROUNDS; round++) {
    memcpy(copy, text, SIZE + 1);
    memcpy(copy + 1 + round % 7, text, SIZE / 2);
    size_t length = length_of(copy);
    reverse(copy, length);
    sum = fold(sum, compare(copy, text));
    reverse(copy, length);
    sum = fold(sum, compare(copy + SIZE / 2 + 8, text + SIZE / 2 + 8));
    const char *found = find(copy, "abcabcab");
    sum = fold(sum, found ? found - copy : 0);
    sum = fold(sum, count_words(copy));
    text[xorshift(&state) % SIZE] = 'b';
  }
  return sum;
}
