/* BLAKE2s (RFC 7693) of 4 KiB, again and again: sixteen live 32-bit words, sums and rotations. */
#include "../runtime/runtime.h"

#define SIZE 4096
#define BLOCK 64
#define ROUNDS 10000

const char workload_name[] = "hash";
const uint64_t expected = 0x936140b1b2dae5b2;

static const uint32_t initial[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static uint32_t rotate(uint32_t value, int count) { return value >> count | value << (32 - count); }

#define MIX(a, b, c, d, x, y)       \
  do {                              \
    a += b + words[x];              \
    d = rotate(d ^ a, 16);          \
    c += d;                         \
    b = rotate(b ^ c, 12);          \
    a += b + words[y];              \
    d = rotate(d ^ a, 8);           \
    c += d;                         \
    b = rotate(b ^ c, 7);           \
  } while (0)

/* One of the ten rounds. The arguments are its permutation of the block's words. */
#define ROUND(i0, i1, i2, i3, i4, i5, i6, i7, i8, i9, i10, i11, i12, i13, i14, i15) \
  MIX(v0, v4, v8, v12, i0, i1);                                                     \
  MIX(v1, v5, v9, v13, i2, i3);                                                     \
  MIX(v2, v6, v10, v14, i4, i5);                                                    \
  MIX(v3, v7, v11, v15, i6, i7);                                                    \
  MIX(v0, v5, v10, v15, i8, i9);                                                    \
  MIX(v1, v6, v11, v12, i10, i11);                                                  \
  MIX(v2, v7, v8, v13, i12, i13);                                                   \
  MIX(v3, v4, v9, v14, i14, i15)

static void compress(uint32_t state[8], const uint8_t *block, uint64_t count, uint32_t last) {
  uint32_t words[16];
  memcpy(words, block, BLOCK);
  uint32_t v0 = state[0], v1 = state[1], v2 = state[2], v3 = state[3];
  uint32_t v4 = state[4], v5 = state[5], v6 = state[6], v7 = state[7];
  uint32_t v8 = initial[0], v9 = initial[1], v10 = initial[2], v11 = initial[3];
  uint32_t v12 = initial[4] ^ (uint32_t)count, v13 = initial[5] ^ (uint32_t)(count >> 32);
  uint32_t v14 = initial[6] ^ last, v15 = initial[7];
  ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  ROUND(14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3);
  ROUND(11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4);
  ROUND(7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8);
  ROUND(9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13);
  ROUND(2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9);
  ROUND(12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11);
  ROUND(13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10);
  ROUND(6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5);
  ROUND(10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0);
  state[0] ^= v0 ^ v8;
  state[1] ^= v1 ^ v9;
  state[2] ^= v2 ^ v10;
  state[3] ^= v3 ^ v11;
  state[4] ^= v4 ^ v12;
  state[5] ^= v5 ^ v13;
  state[6] ^= v6 ^ v14;
  state[7] ^= v7 ^ v15;
}

/* Without a key, to 32 bytes. `length` is not 0. */
static void blake2s(uint32_t state[8], const uint8_t *bytes, size_t length) {
  memcpy(state, initial, sizeof initial);
  state[0] ^= 0x01010020;
  size_t at = 0;
  for (; length - at > BLOCK; at += BLOCK) compress(state, bytes + at, at + BLOCK, 0);
  uint8_t block[BLOCK] = {0};
  memcpy(block, bytes + at, length - at);
  compress(state, block, length, ~0u);
}

static uint8_t data[SIZE];

uint64_t workload(void) {
  uint32_t state[8];
  /* The first and last word of the example in RFC 7693, appendix B. */
  blake2s(state, (const uint8_t *)"abc", 3);
  if (state[0] != 0x8c5e8c50 || state[7] != 0x82596786) return ~0ul;

  uint64_t seed = 7, sum = 0;
  for (size_t i = 0; i < SIZE; i++) data[i] = xorshift(&seed);
  for (int round = 0; round < ROUNDS; round++) {
    blake2s(state, data, SIZE);
    memcpy(data, state, sizeof state);
  }
  for (int i = 0; i < 8; i++) sum = fold(sum, state[i]);
  return sum;
}
