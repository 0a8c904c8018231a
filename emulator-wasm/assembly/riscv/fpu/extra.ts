/** Zfa: constants, rounding to integers, other minima and comparisons. */
import { isSignalling, isUnordered } from './compare';
import { roundToIntegral } from './convert';
import { NV, NX, RTZ, raise } from './flags';
import { asD, asS, BIAS_D, bitsD, bitsS, box, magnitude, unbox } from './format';

/** The constant with a number from 2 to 31. Numbers 0 and 1 depend on the format. */
function constant(n: u32): f64 {
  if (n < 8)
    return n < 4
      ? n == 2
        ? 1.0 / 65536.0
        : 1.0 / 32768.0
      : n < 6
        ? n == 4
          ? 1.0 / 256.0
          : 1.0 / 128.0
        : n == 6
          ? 0.0625
          : 0.125;
  // Numbers 8 to 22: four for each power of two.
  if (n < 23) return (<f64>(4 + (n & 3)) * <f64>(1 << (n >> 2))) / 64.0;
  switch (n) {
    case 23:
      return 4;
    case 24:
      return 8;
    case 25:
      return 16;
    case 26:
      return 128;
    case 27:
      return 256;
    case 28:
      return 32768;
    case 29:
      return 65536;
    case 30:
      return Infinity;
    default:
      return NaN;
  }
}

export function liD(n: u32): u64 {
  return bitsD(n == 0 ? -1 : n == 1 ? f64.MIN_NORMAL_VALUE : constant(n));
}

export function liS(n: u32): u64 {
  return box(bitsS(n == 0 ? -1 : n == 1 ? f32.MIN_NORMAL_VALUE : <f32>constant(n)));
}

/** Minimum or maximum, which is NaN if either operand is. */
@inline
function extremum<T extends number>(x: T, y: T, largest: bool): T {
  if (isUnordered<T>(x, y)) {
    if (isSignalling<T>(x) || isSignalling<T>(y)) raise(NV);
    return <T>NaN;
  }
  return largest ? max<T>(x, y) : min<T>(x, y);
}

export function minmD(a: u64, b: u64, largest: bool): u64 {
  return bitsD(extremum<f64>(asD(a), asD(b), largest));
}

export function minmS(a: u64, b: u64, largest: bool): u64 {
  return box(bitsS(extremum<f32>(asS(unbox(a)), asS(unbox(b)), largest)));
}

/** Rounds to an integer in the same format. */
@inline
function integral<T extends number>(x: T, rm: i32, exact: bool): T {
  if (isNaN<T>(x)) {
    if (isSignalling<T>(x)) raise(NV);
    return <T>NaN;
  }
  const whole = <T>roundToIntegral(<f64>x, rm);
  if (exact && whole != x) raise(NX);
  return whole;
}

export function roundD(a: u64, rm: i32, exact: bool): u64 {
  return bitsD(integral<f64>(asD(a), rm, exact));
}

export function roundS(a: u64, rm: i32, exact: bool): u64 {
  return box(bitsS(integral<f32>(asS(unbox(a)), rm, exact)));
}

/** A comparison that only signalling NaNs make invalid. */
@inline
function quiet<T extends number>(x: T, y: T, equal: bool): u64 {
  if (isSignalling<T>(x) || isSignalling<T>(y)) raise(NV);
  return equal ? u64(x <= y) : u64(x < y);
}

export function leqD(a: u64, b: u64, equal: bool): u64 {
  return quiet<f64>(asD(a), asD(b), equal);
}

export function leqS(a: u64, b: u64, equal: bool): u64 {
  return quiet<f32>(asS(unbox(a)), asS(unbox(b)), equal);
}

/** The low 32 bits of the integer towards zero, sign-extended, with the flags of a saturating conversion. */
export function cvtmodWD(a: u64): u64 {
  const x = asD(a);
  const whole = roundToIntegral(x, RTZ);
  if (!(whole >= -2147483648.0 && whole <= 2147483647.0)) raise(NV);
  else if (whole != x) raise(NX);
  const exponent = <i32>(magnitude(a) >> 52);
  // From 2^84 on, the low 32 bits are zeros.
  if (exponent < BIAS_D || exponent >= BIAS_D + 84) return 0;
  const significand = (a & 0xf_ffff_ffff_ffff) | (1 << 52);
  const shift = exponent - BIAS_D - 52;
  const size = shift >= 0 ? significand << shift : significand >> -shift;
  return <u64>(<i64>(<i32>(<i64>a < 0 ? -size : size)));
}
