// Loops that gcc vectorises. Prints a checksum of each one's results.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SIZE 1003
#define ROUNDS 200

static uint64_t state = 88172645463325252u;
static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

static int8_t i8[SIZE], j8[SIZE];
static uint16_t u16[SIZE], v16[SIZE];
static int32_t i32[SIZE], j32[SIZE], k32[SIZE];
static int64_t i64[SIZE], j64[SIZE];
static float f[SIZE], g[SIZE];
static double d[SIZE], e[SIZE];

static void fill(void) {
  for (int i = 0; i < SIZE; i++) {
    i8[i] = next();
    j8[i] = next();
    u16[i] = next();
    v16[i] = next();
    i32[i] = next();
    j32[i] = next();
    i64[i] = next();
    f[i] = (int32_t)next() / 1048576.0f;
    g[i] = (int16_t)next() / 3.0f;
    d[i] = (int64_t)next() / 7e9;
    e[i] = (int32_t)next() / 11.0;
  }
}

#define LOOP(name, body)                                                                                     \
  __attribute__((noinline)) static void name(int count) {                                                    \
    for (int i = 0; i < count; i++) body;                                                                    \
  }
LOOP(add8, i8[i] = i8[i] + j8[i])
LOOP(shift8, i8[i] = (i8[i] << 3) ^ (j8[i] >> 2))
LOOP(average16, u16[i] = (u16[i] + v16[i] + 1) >> 1)
LOOP(largest16, u16[i] = u16[i] > v16[i] ? u16[i] : v16[i])
LOOP(widen, i32[i] += i8[i] * j8[i])
LOOP(narrow, i8[i] = i32[i] >> 5)
LOOP(multiply32, i32[i] = i32[i] * j32[i] + 12345)
LOOP(select32, k32[i] = i32[i] < j32[i] ? i32[i] : -j32[i])
LOOP(divide32, k32[i] = i32[i] / (j32[i] | 1))
LOOP(sum64, j64[i] += i64[i] * 3 + i32[i])
LOOP(reverse, j64[i] = i64[count - 1 - i])
LOOP(every_third, if (3 * i < count) k32[i] = i32[3 * i])
LOOP(gather, k32[i] = i32[u16[i] % SIZE])
LOOP(saxpy, g[i] += 0.37f * f[i])
LOOP(ratio, f[i] = f[i] / (g[i] * g[i] + 1))
LOOP(convert, d[i] += i32[i])
LOOP(to_integer, k32[i] = (int32_t)f[i])
LOOP(root, e[i] = __builtin_sqrt(d[i] * d[i] + e[i]))
LOOP(conditional, if (i32[i] & 1) e[i] *= 0.5)

__attribute__((noinline)) static int64_t sums(int count) {
  int64_t sum = 0;
  int largest = 0;
  float total = 0;
  for (int i = 0; i < count; i++) sum += i8[i];
  for (int i = 0; i < count; i++) largest = i32[i] > largest ? i32[i] : largest;
  for (int i = 0; i < count; i++) total += f[i];
  for (int i = 0; i < count; i++) sum ^= i64[i];
  return sum + largest + (int64_t)total;
}

static uint64_t hash(const void *bytes, size_t length, uint64_t sum) {
  for (size_t i = 0; i < length; i++) sum = (sum ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
  return sum;
}

static void run(const char *name, void (*loop)(int)) {
  fill();
  for (int round = 0; round < ROUNDS; round++) loop(SIZE - round % 40);
  uint64_t sum = sums(SIZE);
#define HASH(array) sum = hash(array, sizeof array, sum)
  HASH(i8);
  HASH(u16);
  HASH(i32);
  HASH(k32);
  HASH(j64);
  HASH(f);
  HASH(g);
  HASH(d);
  HASH(e);
  printf("%s %016lx\n", name, sum);
}

#define RUN(loop) run(#loop, loop)
int main(void) {
  RUN(add8);
  RUN(shift8);
  RUN(average16);
  RUN(largest16);
  RUN(widen);
  RUN(narrow);
  RUN(multiply32);
  RUN(select32);
  RUN(divide32);
  RUN(sum64);
  RUN(reverse);
  RUN(every_third);
  RUN(gather);
  RUN(saxpy);
  RUN(ratio);
  RUN(convert);
  RUN(to_integer);
  RUN(root);
  RUN(conditional);
  return 0;
}
