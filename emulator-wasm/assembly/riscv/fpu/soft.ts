/** Exact arithmetic on doubles with all rounding modes and flags, for cases that the host cannot compute. */
import { DZ, raise } from './flags';
import {
  BIAS_D,
  BIAS_S,
  HIDDEN_D,
  INFINITY_D,
  INFINITY_S,
  invalid,
  isNaND,
  magnitude,
  NAN_S,
  nanResult,
  SIGN_D,
} from './format';
import { packD, packS, shiftRightSticky, zeroSign } from './round';

/** The significand of a finite double as an integer. Normal numbers have bit 52 set. */
@inline
function significand(a: u64): u64 {
  const fraction = a & (HIDDEN_D - 1);
  return a & INFINITY_D ? fraction | HIDDEN_D : fraction;
}

/** The biased exponent that a number would have with a normalised significand, which may be below 1. */
@inline
export function exponent(a: u64): i32 {
  return max(<i32>((a & INFINITY_D) >> 52), 1) + 11 - <i32>clz(significand(a));
}

/** The significand shifted so that its leading bit is bit 63. */
@inline
export function normalised(a: u64): u64 {
  const s = significand(a);
  return s << clz(s);
}

@inline
function multiplyHigh(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff;
  const a1 = a >> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >> 32;
  const middle = a1 * b0 + ((a0 * b0) >> 32);
  return a1 * b1 + (middle >> 32) + (((middle & 0xffffffff) + a0 * b1) >> 32);
}

/** The low half of high:low shifted right, with a sticky last bit. */
@inline
function shiftRightLow(high: u64, low: u64, count: i32): u64 {
  if (count == 0) return low;
  if (count >= 64) return shiftRightSticky(high, count - 64) | u64(low != 0);
  return (high << (64 - count)) | shiftRightSticky(low, count);
}

@inline
function shiftRightHigh(high: u64, count: i32): u64 {
  return count < 64 ? high >> count : 0;
}

function fmaSpecial(a: u64, b: u64, c: u64): u64 {
  const x = magnitude(a);
  const y = magnitude(b);
  // Infinity times zero is invalid even if a quiet NaN is added (Unprivileged ISA, "Fused Multiply-Add").
  if ((x == INFINITY_D && y == 0) || (x == 0 && y == INFINITY_D)) return invalid();
  if (isNaND(a) || isNaND(b) || isNaND(c)) return nanResult(a, b, c);
  if (x != INFINITY_D && y != INFINITY_D) return c;
  const product = ((a ^ b) & SIGN_D) | INFINITY_D;
  return magnitude(c) == INFINITY_D && c != product ? invalid() : product;
}

/** a * b + c */
export function softFma(a: u64, b: u64, c: u64, rm: i32): u64 {
  if (max(max(magnitude(a), magnitude(b)), magnitude(c)) >= INFINITY_D) return fmaSpecial(a, b, c);
  let sign = (a ^ b) & SIGN_D;
  const x = normalised(a);
  const y = normalised(b);
  const z = normalised(c);

  // Both terms as 128-bit integers in units of 2^-125. No bits are lost, because the last 22 are zeros.
  const productHigh = multiplyHigh(x, y);
  const productLow = x * y;
  let high = productHigh >> 1;
  let low = (productHigh << 63) | (productLow >> 1);
  let addend = z >> 2;
  let addendLow: u64 = 0;

  let e = exponent(a) + exponent(b) - BIAS_D;
  if ((high | low) == 0) {
    e = exponent(c);
  } else if (z != 0) {
    const distance = e - exponent(c);
    if (distance >= 0) {
      addendLow = shiftRightLow(addend, 0, distance);
      addend = shiftRightHigh(addend, distance);
    } else {
      low = shiftRightLow(high, low, -distance);
      high = shiftRightHigh(high, -distance);
      e = exponent(c);
    }
  }

  if (sign == (c & SIGN_D)) {
    low += addendLow;
    high += addend + u64(low < addendLow);
    if ((high | low) == 0) return sign;
  } else {
    const borrow = u64(low < addendLow);
    low -= addendLow;
    high -= addend + borrow;
    if (<i64>high < 0) {
      sign ^= SIGN_D;
      low = -low;
      high = ~high + u64(low == 0);
    }
    if ((high | low) == 0) return zeroSign(rm);
  }

  if (high == 0) {
    high = low;
    low = 0;
    e -= 64;
  }
  const shift = <i32>clz(high);
  if (shift != 0) {
    high = (high << shift) | (low >> (64 - shift));
    low <<= shift;
  }
  return packD(sign, e + 2 - shift, high | u64(low != 0), rm);
}

/**
 * Encodes the exact value close to `nearest`, a significand of 53 bits that the host rounded to nearest. The
 * sign of the remainder shows on which side of it the value lies, and so determines the lower bits.
 */
@inline
function packNear(sign: u64, e: i32, nearest: u64, remainder: i64, rm: i32): u64 {
  const exact = (nearest << 11) + u64(remainder > 0) - u64(remainder < 0);
  const shift = clz(exact);
  return packD(sign, e - <i32>shift, exact << shift, rm);
}

/** a / b */
export function softDiv(a: u64, b: u64, rm: i32): u64 {
  const sign = (a ^ b) & SIGN_D;
  const x = magnitude(a);
  const y = magnitude(b);
  if (x > INFINITY_D || y > INFINITY_D) return nanResult(a, b, 0);
  if (x == y && (x == 0 || x == INFINITY_D)) return invalid();
  if (x == INFINITY_D) return sign | INFINITY_D;
  if (x == 0 || y == INFINITY_D) return sign;
  if (y == 0) {
    raise(DZ);
    return sign | INFINITY_D;
  }
  const dividend = normalised(a) >> 11;
  const divisor = normalised(b) >> 11;
  const quotient = reinterpret<u64>(<f64>dividend / <f64>divisor);
  const nearest = significand(quotient);
  const scale = BIAS_D - exponent(quotient);
  // The remainder is less than 2^53, so its terms may wrap around.
  const remainder = (dividend << (52 + scale)) - nearest * divisor;
  return packNear(sign, exponent(a) - exponent(b) + BIAS_D - scale, nearest, remainder, rm);
}

/** The square root of a */
export function softSqrt(a: u64, rm: i32): u64 {
  if (isNaND(a)) return nanResult(a, 0, 0);
  if (magnitude(a) == 0 || a == INFINITY_D) return a;
  if (a & SIGN_D) return invalid();
  const e = exponent(a) - BIAS_D;
  const radicand = (normalised(a) >> 11) << (e & 1);
  const nearest = significand(reinterpret<u64>(sqrt(<f64>radicand)));
  const remainder = (radicand << 52) - nearest * nearest;
  return packNear(0, (e >> 1) + BIAS_D, nearest, remainder, rm);
}

/** The single nearest to a double, unboxed */
export function softNarrow(a: u64, rm: i32): u32 {
  const sign = a & SIGN_D;
  const x = magnitude(a);
  if (x > INFINITY_D) {
    nanResult(a, 0, 0);
    return NAN_S;
  }
  if (x == INFINITY_D) return <u32>(sign >> 32) | INFINITY_S;
  if (x == 0) return <u32>(sign >> 32);
  return packS(sign, exponent(a) - BIAS_D + BIAS_S, normalised(a), rm);
}
