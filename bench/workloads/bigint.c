/* Big integers: powers modulo the prime 2^1279 - 1 by Montgomery's multiplication. */
#include "../runtime/runtime.h"

#define BITS 1279
#define LIMBS 20
#define BASES 40

const char workload_name[] = "bigint";
/* A bit for each base from 2 on, the first one the highest: whether it is a square. */
const uint64_t expected = 0xa317959ff1;

typedef unsigned __int128 uint128_t;
typedef uint64_t number[LIMBS];

static number modulus;

/* Subtracts the modulus if `value` with `carry` before it is not less. */
static void reduce(number value, uint64_t carry) {
  number difference;
  uint64_t borrow = 0;
  for (int i = 0; i < LIMBS; i++) {
    uint128_t step = (uint128_t)value[i] - modulus[i] - borrow;
    difference[i] = step;
    borrow = step >> 64 & 1;
  }
  if (carry >= borrow) memcpy(value, difference, sizeof difference);
}

/* product = a b / 2^(64 LIMBS). The inverse of -modulus modulo 2^64 is 1, because the lowest limb is -1. */
static void multiply(number product, const number a, const number b) {
  uint64_t sum[LIMBS + 1] = {0};
  for (int i = 0; i < LIMBS; i++) {
    uint64_t carry = 0;
    for (int j = 0; j < LIMBS; j++) {
      uint128_t step = (uint128_t)a[j] * b[i] + sum[j] + carry;
      sum[j] = step;
      carry = step >> 64;
    }
    uint128_t top = (uint128_t)sum[LIMBS] + carry;
    uint64_t factor = sum[0];
    carry = ((uint128_t)factor * modulus[0] + sum[0]) >> 64;
    for (int j = 1; j < LIMBS; j++) {
      uint128_t step = (uint128_t)factor * modulus[j] + sum[j] + carry;
      sum[j - 1] = step;
      carry = step >> 64;
    }
    top += carry;
    sum[LIMBS - 1] = top;
    sum[LIMBS] = top >> 64;
  }
  memcpy(product, sum, sizeof(number));
  reduce(product, sum[LIMBS]);
}

/* 2^(64 LIMBS) is 2 modulo 2^1279 - 1, so the form of a small number is its double. */
static void set(number value, uint64_t small) {
  memset(value, 0, sizeof(number));
  value[0] = 2 * small;
}

/* Euler's criterion: base^((p - 1) / 2) is 1 if the base is a square modulo p, and otherwise -1. */
static int is_square(uint64_t base) {
  number factor, power, one;
  set(one, 1);
  set(factor, base);
  memcpy(power, factor, sizeof power);
  /* (p - 1) / 2 = 2^1278 - 1, whose bits are all set. */
  for (int bit = 1; bit < BITS - 1; bit++) {
    multiply(power, power, power);
    multiply(power, power, factor);
  }
  for (int i = 0; i < LIMBS; i++)
    if (power[i] != one[i]) return 0;
  return 1;
}

uint64_t workload(void) {
  memset(modulus, 255, sizeof modulus);
  modulus[LIMBS - 1] = ~0ul >> (64 * LIMBS - BITS);
  uint64_t squares = 0;
  for (uint64_t base = 2; base < 2 + BASES; base++) squares = squares << 1 | is_square(base);
  return squares;
}
