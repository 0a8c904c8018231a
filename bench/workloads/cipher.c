/* AES-128 (FIPS 197) by tables of words, each block chained to the one before. */
#include "../runtime/runtime.h"

#define KEY_WORDS 44
#define ROUNDS 10
#define SIZE 16384
#define PASSES 1500

const char workload_name[] = "cipher";
const uint64_t expected = 0xe60d5a5c58c05696;

static uint8_t box[256];
static uint32_t tables[4][256];
static uint32_t keys[KEY_WORDS];
static uint32_t data[SIZE / 4];

static uint8_t twice(uint8_t value) { return value << 1 ^ (value & 128 ? 0x1b : 0); }
static uint8_t rotate8(uint8_t value, int count) { return value << count | value >> (8 - count); }
static uint32_t rotate32(uint32_t value, int count) { return value << count | value >> (32 - count); }

/* `power` is each power of 3, the generator, and `inverse` its inverse: powers of 1/3 = 0xf6. */
static void make_tables(void) {
  uint8_t power = 1, inverse = 1;
  do {
    power ^= twice(power);
    inverse ^= inverse << 1;
    inverse ^= inverse << 2;
    inverse ^= inverse << 4;
    if (inverse & 128) inverse ^= 9;
    box[power] = 0x63 ^ inverse ^ rotate8(inverse, 1) ^ rotate8(inverse, 2) ^ rotate8(inverse, 3) ^
                 rotate8(inverse, 4);
  } while (power != 1);
  box[0] = 0x63;
  for (int i = 0; i < 256; i++) {
    uint8_t once = box[i], doubled = twice(once);
    uint32_t column = (uint32_t)(doubled ^ once) << 24 | once << 16 | once << 8 | doubled;
    for (int row = 0; row < 4; row++) tables[row][i] = rotate32(column, 8 * row);
  }
}

static uint32_t substitute(uint32_t word) {
  return box[word & 255] | box[word >> 8 & 255] << 8 | box[word >> 16 & 255] << 16 |
         (uint32_t)box[word >> 24] << 24;
}

static void expand(const uint32_t key[4]) {
  uint8_t constant = 1;
  for (int i = 0; i < KEY_WORDS; i++) {
    if (i < 4) {
      keys[i] = key[i];
      continue;
    }
    uint32_t word = keys[i - 1];
    if (i % 4 == 0) {
      word = substitute(rotate32(word, 24)) ^ constant;
      constant = twice(constant);
    }
    keys[i] = keys[i - 4] ^ word;
  }
}

#define COLUMN(a, b, c, d, key) \
  (tables[0][a & 255] ^ tables[1][b >> 8 & 255] ^ tables[2][c >> 16 & 255] ^ tables[3][d >> 24] ^ (key))
#define LAST(a, b, c, d, key)                                                                          \
  ((box[a & 255] | box[b >> 8 & 255] << 8 | box[c >> 16 & 255] << 16 | (uint32_t)box[d >> 24] << 24) ^ \
   (key))

static void encrypt(uint32_t block[4]) {
  const uint32_t *key = keys;
  uint32_t a = block[0] ^ key[0], b = block[1] ^ key[1], c = block[2] ^ key[2], d = block[3] ^ key[3];
  for (int round = 1; round < ROUNDS; round++) {
    key += 4;
    uint32_t e = COLUMN(a, b, c, d, key[0]), f = COLUMN(b, c, d, a, key[1]);
    uint32_t g = COLUMN(c, d, a, b, key[2]), h = COLUMN(d, a, b, c, key[3]);
    a = e, b = f, c = g, d = h;
  }
  key += 4;
  block[0] = LAST(a, b, c, d, key[0]);
  block[1] = LAST(b, c, d, a, key[1]);
  block[2] = LAST(c, d, a, b, key[2]);
  block[3] = LAST(d, a, b, c, key[3]);
}

uint64_t workload(void) {
  make_tables();
  /* FIPS 197, appendix C.1. */
  const uint32_t key[4] = {0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c};
  uint32_t block[4] = {0x33221100, 0x77665544, 0xbbaa9988, 0xffeeddcc};
  expand(key);
  encrypt(block);
  if (block[0] != 0xd8e0c469 || block[3] != 0x5ac5b470) return ~0ul;

  uint64_t state = 9, sum = 0;
  for (size_t i = 0; i < SIZE / 4; i++) data[i] = xorshift(&state);
  for (int pass = 0; pass < PASSES; pass++) {
    for (size_t i = 0; i < SIZE / 4; i += 4) {
      for (int word = 0; word < 4; word++) block[word] ^= data[i + word];
      encrypt(block);
      for (int word = 0; word < 4; word++) data[i + word] = block[word];
    }
  }
  for (size_t i = 0; i < SIZE / 4; i++) sum = fold(sum, data[i]);
  return sum;
}
