/** Arithmetic on boxed singles: the host's where that is exact and needs no flags, with doubles elsewhere. */
import { roundToOdd, sumError } from './exact';
import { fflags, hostSuffices, NX, RNE, raise } from './flags';
import { asS, BOX, bitsS, box, INFINITY_S, ONE_D, SIGN_D, SIGN_S, unbox, widen } from './format';
import { TO_ODD } from './round';
import { softDiv, softFma, softNarrow, softSqrt } from './soft';

@inline
function isFinite(a: u32): bool {
  return (a & ~SIGN_S) < INFINITY_S;
}

/** Whether a result is certainly neither tiny nor infinite nor NaN: normal, and above the least exponent. */
@inline
function isOrdinary(a: u32): bool {
  return (a << 1) - (2 << 24) < 0xfd << 24;
}

function addRare(a: u32, b: u32, rm: i32): u64 {
  const sum = asS(a) + asS(b);
  if (rm == RNE && isFinite(bitsS(sum)) && sumError(asS(a), asS(b), sum) == 0) return box(bitsS(sum));
  return box(softNarrow(softFma(widen(a), ONE_D, widen(b), rm | TO_ODD), rm));
}

@inline
export function addS(a: u64, b: u64, rm: i32): u64 {
  const sum = bitsS(asS(<u32>a) + asS(<u32>b));
  // A tiny sum is exact, so it is no underflow.
  return hostSuffices(rm) && (a & b) >= BOX && isFinite(sum) ? box(sum) : addRare(unbox(a), unbox(b), rm);
}

@inline
export function subS(a: u64, b: u64, rm: i32): u64 {
  const difference = bitsS(asS(<u32>a) - asS(<u32>b));
  return hostSuffices(rm) && (a & b) >= BOX && isFinite(difference)
    ? box(difference)
    : addRare(unbox(a), unbox(b) ^ SIGN_S, rm);
}

function mulRare(a: u32, b: u32, rm: i32): u64 {
  const product = asS(a) * asS(b);
  if (isFinite(bitsS(product)) && <f64>product == <f64>asS(a) * <f64>asS(b)) return box(bitsS(product));
  return box(softNarrow(softFma(widen(a), widen(b), ((<u64>(a ^ b)) << 32) & SIGN_D, rm | TO_ODD), rm));
}

@inline
export function mulS(a: u64, b: u64, rm: i32): u64 {
  const product = bitsS(asS(<u32>a) * asS(<u32>b));
  return hostSuffices(rm) && (a & b) >= BOX && isOrdinary(product)
    ? box(product)
    : mulRare(unbox(a), unbox(b), rm);
}

function divRare(a: u32, b: u32, rm: i32): u64 {
  const quotient = asS(a) / asS(b);
  const isExact = b << 1 != 0 && isFinite(b) && <f64>quotient * <f64>asS(b) == <f64>asS(a);
  if (isFinite(bitsS(quotient)) && isExact) return box(bitsS(quotient));
  return box(softNarrow(softDiv(widen(a), widen(b), rm | TO_ODD), rm));
}

@inline
export function divS(a: u64, b: u64, rm: i32): u64 {
  const quotient = bitsS(asS(<u32>a) / asS(<u32>b));
  return hostSuffices(rm) && (a & b) >= BOX && isOrdinary(quotient)
    ? box(quotient)
    : divRare(unbox(a), unbox(b), rm);
}

function sqrtRare(a: u32, rm: i32): u64 {
  const root = sqrt(asS(a));
  if (isFinite(bitsS(root)) && <f64>root * <f64>root == <f64>asS(a)) return box(bitsS(root));
  return box(softNarrow(softSqrt(widen(a), rm | TO_ODD), rm));
}

@inline
export function sqrtS(a: u64, rm: i32): u64 {
  const root = bitsS(sqrt(asS(<u32>a)));
  return hostSuffices(rm) && a >= BOX && isFinite(root) ? box(root) : sqrtRare(unbox(a), rm);
}

function fusedMultiplyAdd(a: u32, b: u32, c: u32, rm: i32): u64 {
  // The product is exact in a double, and a sum that is rounded to odd there rounds correctly to a single.
  const product = <f64>asS(a) * <f64>asS(b);
  const sum = product + <f64>asS(c);
  const error = sumError(product, <f64>asS(c), sum);
  const result = <f32>roundToOdd(sum, error);
  if (rm != RNE || !(isOrdinary(bitsS(result)) || sum == 0)) {
    return box(softNarrow(softFma(widen(a), widen(b), widen(c), rm | TO_ODD), rm));
  }
  if (!(fflags & NX) && (error != 0 || <f64>result != sum)) raise(NX);
  return box(bitsS(result));
}

/** ±(a * b) ± c. The signs of NaNs do not matter. */
@inline
export function fmaS(a: u64, b: u64, c: u64, rm: i32, negateProduct: bool, negateC: bool): u64 {
  return fusedMultiplyAdd(
    negateProduct ? unbox(a) ^ SIGN_S : unbox(a),
    unbox(b),
    negateC ? unbox(c) ^ SIGN_S : unbox(c),
    rm,
  );
}
