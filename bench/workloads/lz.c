/* Dictionary compression in the manner of LZ77 with a hash of four bytes, and decompression. */
#include "../runtime/runtime.h"

#define SIZE (256 * 1024)
#define HASHES 8192
#define WINDOW 65535
#define ROUNDS 160

const char workload_name[] = "lz";
const uint64_t expected = 0x79a2c6e9fbe806f8;

/* One byte of slack per eight of input covers the case in which nothing matches. */
static uint8_t input[SIZE], packed[SIZE + SIZE / 8 + 16], output[SIZE];
static uint32_t latest[HASHES];

static uint32_t read32(const uint8_t *bytes) {
  return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* A flag byte precedes every eight items; an item is a literal, or distance (2 bytes) and length - 4. */
static size_t compress(const uint8_t *from, size_t length, uint8_t *to) {
  uint8_t *out = to, *flags = out;
  int items = 8;
  memset(latest, 0xff, sizeof latest);
  for (size_t at = 0; at < length;) {
    if (items == 8) {
      flags = out++;
      *flags = 0;
      items = 0;
    }
    size_t matched = 0, distance = 0;
    if (at + 4 <= length) {
      uint32_t *slot = &latest[read32(from + at) * 2654435761u >> 19];
      distance = at - *slot;
      if (*slot != ~0u && distance <= WINDOW) {
        size_t most = length - at < 259 ? length - at : 259;
        while (matched < most && from[at + matched] == from[at + matched - distance]) matched++;
      }
      *slot = at;
    }
    if (matched >= 4) {
      *flags |= 1 << items;
      *out++ = distance;
      *out++ = distance >> 8;
      *out++ = matched - 4;
      at += matched;
    } else {
      *out++ = from[at++];
    }
    items++;
  }
  return out - to;
}

static size_t decompress(const uint8_t *from, size_t length, uint8_t *to) {
  const uint8_t *end = from + length;
  uint8_t *out = to;
  while (from < end) {
    unsigned flags = *from++;
    for (int item = 0; item < 8 && from < end; item++, flags >>= 1) {
      if (!(flags & 1)) {
        *out++ = *from++;
        continue;
      }
      const uint8_t *source = out - (from[0] | from[1] << 8);
      for (int left = from[2] + 4; left; left--) *out++ = *source++;
      from += 3;
    }
  }
  return out - to;
}

/* Words of a small vocabulary with rising noise: compressible, but not trivially. */
static void generate(uint64_t *state) {
  for (size_t at = 0; at < SIZE;) {
    uint64_t random = xorshift(state);
    uint64_t word = (random >> 20) % 500 * 0x9e3779b97f4a7c15u;
    int length = 3 + (word >> 60);
    for (int i = 0; i < length && at < SIZE; i++) input[at++] = 'a' + (word >> 3 * i) % 26;
    if (at < SIZE) input[at++] = random % 50 ? ' ' : random >> 30;
  }
}

uint64_t workload(void) {
  uint64_t state = 77, sum = 0;
  for (int round = 0; round < ROUNDS; round++) {
    generate(&state);
    size_t length = compress(input, SIZE, packed);
    if (decompress(packed, length, output) != SIZE) return ~0ul;
    for (size_t i = 0; i < SIZE; i++)
      if (input[i] != output[i]) return ~0ul;
    sum = fold(sum, length);
  }
  return sum;
}
