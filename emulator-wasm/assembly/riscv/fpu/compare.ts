/** Comparison, selection, classification and sign injection. */
import { NV, raise } from './flags';
import { asD, asS, bitsD, bitsS, box, isSignallingD, isSignallingS, SIGN_D, SIGN_S, unbox } from './format';

@inline
export function isSignalling<T extends number>(x: T): bool {
  return sizeof<T>() == 8 ? isSignallingD(bitsD(<f64>x)) : isSignallingS(bitsS(<f32>x));
}

@inline
export function isUnordered<T extends number>(x: T, y: T): bool {
  return isNaN(x) || isNaN(y);
}

@inline
function equal<T extends number>(x: T, y: T): u64 {
  if (isUnordered(x, y) && (isSignalling(x) || isSignalling(y))) raise(NV);
  return u64(x == y);
}

@inline
function less<T extends number>(x: T, y: T): u64 {
  if (isUnordered(x, y)) raise(NV);
  return u64(x < y);
}

@inline
function lessOrEqual<T extends number>(x: T, y: T): u64 {
  if (isUnordered(x, y)) raise(NV);
  return u64(x <= y);
}

/** minimumNumber or maximumNumber of IEEE 754-2019 if either operand is NaN. */
function extremumOfNaN<T extends number>(x: T, y: T): T {
  if (isSignalling(x) || isSignalling(y)) raise(NV);
  if (!isNaN(x)) return x;
  return isNaN(y) ? <T>NaN : y;
}

@inline
function minimum<T extends number>(x: T, y: T): T {
  return isUnordered(x, y) ? extremumOfNaN<T>(x, y) : min<T>(x, y);
}

@inline
function maximum<T extends number>(x: T, y: T): T {
  return isUnordered(x, y) ? extremumOfNaN<T>(x, y) : max<T>(x, y);
}

/** The mask of fclass, bit 0 (negative infinity) to bit 9 (quiet NaN). */
@inline
function classify<T extends number>(x: T, isNegative: bool, leastNormal: T): u64 {
  if (isNaN(x)) return isSignalling(x) ? 1 << 8 : 1 << 9;
  const size = abs<T>(x);
  const rank: u64 = size == <T>Infinity ? 0 : size >= leastNormal ? 1 : size > 0 ? 2 : 3;
  return 1 << (isNegative ? rank : 7 - rank);
}

export function minD(a: u64, b: u64): u64 {
  return bitsD(minimum(asD(a), asD(b)));
}

export function maxD(a: u64, b: u64): u64 {
  return bitsD(maximum(asD(a), asD(b)));
}

@inline
export function eqD(a: u64, b: u64): u64 {
  return equal(asD(a), asD(b));
}

@inline
export function ltD(a: u64, b: u64): u64 {
  return less(asD(a), asD(b));
}

@inline
export function leD(a: u64, b: u64): u64 {
  return lessOrEqual(asD(a), asD(b));
}

export function classD(a: u64): u64 {
  return classify(asD(a), bool(a >> 63), f64.MIN_NORMAL_VALUE);
}

@inline
export function sgnjD(a: u64, b: u64): u64 {
  return (a & ~SIGN_D) | (b & SIGN_D);
}

@inline
export function sgnjnD(a: u64, b: u64): u64 {
  return (a & ~SIGN_D) | (~b & SIGN_D);
}

@inline
export function sgnjxD(a: u64, b: u64): u64 {
  return a ^ (b & SIGN_D);
}

export function minS(a: u64, b: u64): u64 {
  return box(bitsS(minimum(asS(unbox(a)), asS(unbox(b)))));
}

export function maxS(a: u64, b: u64): u64 {
  return box(bitsS(maximum(asS(unbox(a)), asS(unbox(b)))));
}

@inline
export function eqS(a: u64, b: u64): u64 {
  return equal(asS(unbox(a)), asS(unbox(b)));
}

@inline
export function ltS(a: u64, b: u64): u64 {
  return less(asS(unbox(a)), asS(unbox(b)));
}

@inline
export function leS(a: u64, b: u64): u64 {
  return lessOrEqual(asS(unbox(a)), asS(unbox(b)));
}

export function classS(a: u64): u64 {
  return classify(asS(unbox(a)), bool(unbox(a) >> 31), f32.MIN_NORMAL_VALUE);
}

@inline
export function sgnjS(a: u64, b: u64): u64 {
  return box((unbox(a) & ~SIGN_S) | (unbox(b) & SIGN_S));
}

@inline
export function sgnjnS(a: u64, b: u64): u64 {
  return box((unbox(a) & ~SIGN_S) | (~unbox(b) & SIGN_S));
}

@inline
export function sgnjxS(a: u64, b: u64): u64 {
  return box(unbox(a) ^ (unbox(b) & SIGN_S));
}
