/** Rounding of exact results, and their encoding in either format. */
import { NX, OF, RDN, RMM, RNE, RUP, raise, UF } from './flags';
import { INFINITY_D, INFINITY_S, SIGN_D } from './format';

/**
 * Added to a rounding mode: round to odd instead, which sets the last bit of an inexact result. Rounding such
 * a double to a single gives the same result as rounding the exact value, in any mode, because a double has
 * more than two extra bits (Boldo and Melquiond, "Emulation of a FMA and Correctly Rounded Sums: Proved
 * Algorithms Using Rounding to Odd", 2008). The mode itself then only decides the sign of zero.
 */
export const TO_ODD: i32 = 8;

/** Shifts right by 0 or more, and sets the last bit if ones were lost. */
@inline
export function shiftRightSticky(x: u64, count: i32): u64 {
  if (count == 0) return x;
  return count < 64 ? (x >> count) | u64(x << (64 - count) != 0) : u64(x != 0);
}

function roundsUp(rest: u64, half: u64, odd: bool, negative: bool, rm: i32): bool {
  if (rm & TO_ODD) return rest != 0 && !odd;
  switch (rm) {
    case RNE:
      return rest > half || (rest == half && odd);
    case RMM:
      return rest >= half;
    case RDN:
      return negative && rest != 0;
    case RUP:
      return !negative && rest != 0;
    default:
      return false;
  }
}

/** Rounds off the last `drop` bits. */
@inline
export function round(x: u64, drop: i32, negative: bool, rm: i32): u64 {
  const kept = x >> drop;
  const rest = x & ((1 << drop) - 1);
  return kept + u64(roundsUp(rest, 1 << (drop - 1), bool(kept & 1), negative, rm));
}

/**
 * Encodes significand * 2^(exponent - bias - 63) without its sign in a format of `fractionBits` whose
 * infinity is `infinity`. The significand has bit 63 set, and bit 0 is sticky.
 */
@inline
function roundPack(
  negative: bool,
  exponent: i32,
  significand: u64,
  rm: i32,
  fractionBits: i32,
  infinity: u64,
): u64 {
  const drop = 63 - fractionBits;
  let overflow = exponent >= i32(infinity >> fractionBits);
  let tiny = false;
  if (overflow) {
    // Rounds to infinity or to the largest finite number, depending on the mode.
    exponent = i32(infinity >> fractionBits) - 1;
    significand = u64.MAX_VALUE;
  } else if (exponent < 1) {
    // Tininess is detected after rounding, as if the exponent were unbounded.
    tiny = exponent < 0 || round(significand, drop, negative, rm) >> (fractionBits + 1) == 0;
    significand = shiftRightSticky(significand, 1 - exponent);
    exponent = 1;
  }
  // The leading bit adds the one that is missing in the exponent, and so does a carry out of the fraction.
  const result = ((<u64>(exponent - 1)) << fractionBits) + round(significand, drop, negative, rm);
  overflow = overflow || result >= infinity;
  if (overflow) raise(OF | NX);
  else if (significand & ((1 << drop) - 1)) raise(tiny ? UF | NX : NX);
  return result;
}

/** The double with the sign bit 63 of `sign`. Other arguments as for roundPack. */
export function packD(sign: u64, exponent: i32, significand: u64, rm: i32): u64 {
  return sign | roundPack(sign != 0, exponent, significand, rm, 52, INFINITY_D);
}

/** The single with the sign bit 63 of `sign`. Other arguments as for roundPack. */
export function packS(sign: u64, exponent: i32, significand: u64, rm: i32): u32 {
  return <u32>((sign >> 32) | roundPack(sign != 0, exponent, significand, rm, 23, INFINITY_S));
}

/** The half with the sign bit 63 of `sign`. Other arguments as for roundPack. */
export function packH(sign: u64, exponent: i32, significand: u64, rm: i32): u32 {
  return <u32>((sign >> 48) | roundPack(sign != 0, exponent, significand, rm, 10, 0x7c00));
}

/** The sign bit of a sum that cancelled exactly. */
@inline
export function zeroSign(rm: i32): u64 {
  return (rm & 7) == RDN ? SIGN_D : 0;
}
