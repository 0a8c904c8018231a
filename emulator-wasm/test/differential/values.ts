/** Operand values at the edges of instruction semantics. */
import type { Random } from '../support/random.ts';

const U64 = (value: bigint) => BigInt.asUintN(64, value);

function integer(random: Random): bigint {
  const power = 1n << BigInt(random.below(64));
  switch (random.below(8)) {
    case 0:
      return U64(random.pick([0n, 1n, -1n, 2n, -2n]));
    case 1:
      // The extremes of 8, 16, 32 and 64 bits, signed and unsigned, sometimes off by one.
      return U64((1n << BigInt(random.pick([7, 8, 15, 16, 31, 32, 63]))) + BigInt(random.between(-1, 1)));
    case 2:
      return U64(-(1n << BigInt(random.pick([7, 15, 31, 63]))) + BigInt(random.between(-1, 1)));
    case 3:
      return U64(power + BigInt(random.between(-1, 1)));
    case 4:
      return U64(BigInt(random.between(-200, 200)));
    case 5:
      return U64(BigInt(random.u32() | 0));
    case 6:
      // Runs of equal bits, runs of equal bytes.
      return random.chance(0.5)
        ? U64((power - 1n) << BigInt(random.below(64)))
        : 0x0101010101010101n * BigInt(random.below(256));
    default:
      return random.u64();
  }
}

interface Format {
  readonly exponentBits: number;
  readonly fractionBits: number;
}

const SINGLE: Format = { exponentBits: 8, fractionBits: 23 };
const HALF: Format = { exponentBits: 5, fractionBits: 10 };
const DOUBLE: Format = { exponentBits: 11, fractionBits: 52 };

function fraction({ fractionBits }: Format, random: Random): bigint {
  const all = (1n << BigInt(fractionBits)) - 1n;
  const few = BigInt(random.below(4));
  switch (random.below(5)) {
    case 0:
      return few;
    case 1:
      return all - few;
    case 2:
      return 1n << BigInt(random.below(fractionBits));
    case 3:
      // Few significant bits, for exact results and ties.
      return (random.u64() << BigInt(random.below(fractionBits))) & all;
    default:
      return random.u64() & all;
  }
}

function floating(format: Format, random: Random): bigint {
  const { exponentBits, fractionBits } = format;
  const top = 2 ** exponentBits - 1;
  const bias = 2 ** (exponentBits - 1) - 1;
  const pack = (exponent: number, low: bigint) =>
    (BigInt(random.below(2)) << BigInt(exponentBits + fractionBits)) |
    (BigInt(exponent) << BigInt(fractionBits)) |
    low;
  switch (random.below(12)) {
    case 0:
      return pack(0, 0n);
    case 1:
      return pack(0, fraction(format, random)); // subnormal
    case 2:
      return pack(random.between(1, 3), fraction(format, random));
    case 3:
      return pack(top, 0n); // infinity
    case 4:
      // NaN: the canonical one, quiet and signaling ones with payloads.
      return pack(top, random.pick([0n, 1n, fraction(format, random)]) | (1n << BigInt(fractionBits - 1)));
    case 5:
      return pack(top, 1n | (fraction(format, random) >> 1n));
    case 6:
      return pack(top - random.between(1, 2), fraction(format, random));
    case 7:
      // Near the limits of the integer formats.
      return pack(Math.min(top - 1, bias + random.pick([30, 31, 32, 62, 63, 64])), fraction(format, random));
    case 8:
      // Small integers and halves.
      return pack(bias + random.between(-2, 5), fraction(format, random) & (-1n << BigInt(fractionBits - 6)));
    case 9:
      // Products of two of these are near the smallest normal number.
      return pack(Math.floor(bias / 2) + random.between(-fractionBits, 4), fraction(format, random));
    case 10:
      return pack(bias + random.between(-4, 4), fraction(format, random));
    default:
      return pack(random.below(top), fraction(format, random));
  }
}

function single(random: Random): bigint {
  const bits = floating(SINGLE, random);
  const upper = random.u64() & 0xffffffffn;
  return (random.chance(0.9) ? 0xffffffffn << 32n : upper << 32n) | bits;
}

/** Several numbers side by side, as in a vector. */
function packed(format: Format, bits: number, random: Random): bigint {
  let value = 0n;
  for (let n = 0; n < 64; n += bits) value |= floating(format, random) << BigInt(n);
  return value;
}

function half(random: Random): bigint {
  const upper = random.chance(0.9) ? 0xffff_ffff_ffff_0000n : random.u64() & ~0xffffn;
  return upper | floating(HALF, random);
}

export type ValueKind = 'integer' | 'half' | 'halves' | 'single' | 'singles' | 'double';

/** Returns an unsigned 64-bit value. Halves and singles are NaN-boxed, sometimes incorrectly. */
export function edgeValue(kind: ValueKind, random: Random): bigint {
  if (kind === 'integer') return integer(random);
  if (kind === 'half') return half(random);
  if (kind === 'halves') return packed(HALF, 16, random);
  if (kind === 'singles') return packed(SINGLE, 32, random);
  return kind === 'single' ? single(random) : floating(DOUBLE, random);
}
