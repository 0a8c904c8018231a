/** Conversions between integers, singles and doubles. */
import { fflags, hostSuffices, NV, NX, RDN, RMM, RNE, RUP, raise } from './flags';
import {
  asD,
  asS,
  BIAS_D,
  BIAS_S,
  bitsD,
  bitsS,
  box,
  isNaND,
  NAN_D,
  nanResult,
  SIGN_D,
  unbox,
  widen,
} from './format';
import { packD, packS } from './round';
import { softNarrow } from './soft';

/** Rounds a number to an integer, as a double. */
@inline
export function roundToIntegral(x: f64, rm: i32): f64 {
  const whole = trunc(x);
  switch (rm) {
    case RNE:
      return nearest(x);
    case RDN:
      return floor(x);
    case RUP:
      return ceil(x);
    case RMM:
      return abs(x - whole) >= 0.5 ? whole + copysign(1.0, x) : whole;
    default:
      return whole;
  }
}

/** Rounds to an integer of type T and saturates. NaN counts as too large. */
function toInteger<T extends number>(x: f64, rm: i32): T {
  const whole = roundToIntegral(x, rm);
  const limit = <f64>((<u64>1) << (sizeof<T>() * 8 - 1)) * (isSigned<T>() ? 1.0 : 2.0);
  if (!(whole < limit && whole >= (isSigned<T>() ? -limit : 0))) {
    raise(NV);
    return <T>(isNaN(whole) ? Infinity : whole);
  }
  if (whole != x) raise(NX);
  return <T>whole;
}

/** Single to a signed or unsigned halfword, which saturates */
export function cvtHalfwordS(a: u64, rm: i32, signed: bool): u64 {
  const x = widened(a);
  const whole = roundToIntegral(x, rm);
  const most = signed ? 32767.0 : 65535.0;
  const least = signed ? -32768.0 : 0.0;
  if (whole >= least && whole <= most) {
    if (whole != x) raise(NX);
    return <u64>(<i64>whole);
  }
  raise(NV);
  return <u64>(<i64>(whole < least ? least : most));
}

@inline
function widened(a: u64): f64 {
  return <f64>asS(unbox(a));
}

@inline
export function cvtWD(a: u64, rm: i32): u64 {
  return <u64>toInteger<i32>(asD(a), rm);
}

@inline
export function cvtWUD(a: u64, rm: i32): u64 {
  return <u64>(<i32>toInteger<u32>(asD(a), rm));
}

@inline
export function cvtLD(a: u64, rm: i32): u64 {
  return <u64>toInteger<i64>(asD(a), rm);
}

@inline
export function cvtLUD(a: u64, rm: i32): u64 {
  return toInteger<u64>(asD(a), rm);
}

@inline
export function cvtWS(a: u64, rm: i32): u64 {
  return <u64>toInteger<i32>(widened(a), rm);
}

@inline
export function cvtWUS(a: u64, rm: i32): u64 {
  return <u64>(<i32>toInteger<u32>(widened(a), rm));
}

@inline
export function cvtLS(a: u64, rm: i32): u64 {
  return <u64>toInteger<i64>(widened(a), rm);
}

@inline
export function cvtLUS(a: u64, rm: i32): u64 {
  return toInteger<u64>(widened(a), rm);
}

function integerToD(sign: u64, size: u64, rm: i32): u64 {
  if (size == 0) return 0;
  return packD(sign, BIAS_D + 63 - <i32>clz(size), size << clz(size), rm);
}

function integerToS(sign: u64, size: u64, rm: i32): u64 {
  if (size == 0) return box(0);
  return box(packS(sign, BIAS_S + 63 - <i32>clz(size), size << clz(size), rm));
}

// Integers that fit a significand need no rounding.

@inline
export function cvtDW(a: u64): u64 {
  return bitsD(<f64>(<i32>a));
}

@inline
export function cvtDWU(a: u64): u64 {
  return bitsD(<f64>(<u32>a));
}

@inline
export function cvtDL(a: u64, rm: i32): u64 {
  return hostSuffices(rm) || a + (1 << 53) <= 1 << 54
    ? bitsD(<f64>(<i64>a))
    : integerToD(a & SIGN_D, abs<i64>(a), rm);
}

@inline
export function cvtDLU(a: u64, rm: i32): u64 {
  return hostSuffices(rm) || a <= 1 << 53 ? bitsD(<f64>a) : integerToD(0, a, rm);
}

@inline
export function cvtSW(a: u64, rm: i32): u64 {
  return cvtSL(<i64>(<i32>a), rm);
}

@inline
export function cvtSWU(a: u64, rm: i32): u64 {
  return cvtSL(<u64>(<u32>a), rm);
}

@inline
export function cvtSL(a: u64, rm: i32): u64 {
  return hostSuffices(rm) || a + (1 << 24) <= 1 << 25
    ? box(bitsS(<f32>(<i64>a)))
    : integerToS(a & SIGN_D, abs<i64>(a), rm);
}

@inline
export function cvtSLU(a: u64, rm: i32): u64 {
  return hostSuffices(rm) || a <= 1 << 24 ? box(bitsS(<f32>a)) : integerToS(0, a, rm);
}

/** Double to single */
export function cvtSD(a: u64, rm: i32): u64 {
  const x = asD(a);
  const single = <f32>x;
  if (rm == RNE && abs(x) >= f32.MIN_NORMAL_VALUE && abs(single) <= f32.MAX_VALUE) {
    if (!(fflags & NX) && <f64>single != x) raise(NX);
    return box(bitsS(single));
  }
  return box(softNarrow(a, rm));
}

/** Single to double */
@inline
export function cvtDS(a: u64): u64 {
  const double = bitsD(widened(a));
  return isNaND(double) ? nanResult(widen(unbox(a)), NAN_D, NAN_D) : double;
}
