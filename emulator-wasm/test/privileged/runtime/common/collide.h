/*
 * Pages of code that a hash without a key takes for one another. Needs u32 and u64.
 */
#pragma once

#define HASH_A 0x9e3779b97f4a7c15UL
#define HASH_B 0xc2b2ae3d27d4eb4fUL

static inline u64 rotate(u64 x, u32 left) { return x << left | x >> (64 - left); }

/* The number which times the odd k is 1, by Newton's iteration. */
static inline u64 inverse(u64 k) {
  u64 x = k;
  for (u32 n = 0; n < 6; n++) x *= 2 - k * x;
  return x;
}

/* The state of a hash of two lanes, each multiplied by a constant, after these words. */
static inline void hash_words(const volatile u64 *words, u32 count, u64 *a, u64 *b) {
  *a = HASH_A;
  *b = HASH_B;
  for (u32 n = 0; n < count; n += 2) {
    *a = rotate(*a ^ words[n], 29) * HASH_A;
    *b = rotate(*b ^ words[n + 1], 31) * HASH_B;
  }
}

/* Sets the last two words of a page so that its hash is that of another page. */
static inline void collide(volatile u64 *page, const volatile u64 *other) {
  u64 a, b, target_a, target_b;
  hash_words(other, 512, &target_a, &target_b);
  hash_words(page, 510, &a, &b);
  page[510] = a ^ rotate(target_a * inverse(HASH_A), 64 - 29);
  page[511] = b ^ rotate(target_b * inverse(HASH_B), 64 - 31);
}
