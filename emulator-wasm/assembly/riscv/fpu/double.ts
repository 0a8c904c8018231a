/** Arithmetic on doubles: the host's where that is exact IEEE 754 and needs no flags, software elsewhere. */
import { productFits, roundToOdd, sumError } from './exact';
import { fflags, hostSuffices, NX, RNE, raise } from './flags';
import { asD, bitsD, INFINITY_D, magnitude, ONE_D, SIGN_D } from './format';
import { softDiv, softFma, softSqrt } from './soft';

@inline
function isFinite(a: u64): bool {
  return magnitude(a) < INFINITY_D;
}

/** Whether a result is certainly neither tiny nor infinite nor NaN: normal, and above the least exponent. */
@inline
function isOrdinary(a: u64): bool {
  return (a << 1) - (2 << 53) < 0x7fd << 53;
}

function addRare(a: u64, b: u64, rm: i32): u64 {
  const sum = asD(a) + asD(b);
  if (rm == RNE && isFinite(bitsD(sum)) && sumError(asD(a), asD(b), sum) == 0) return bitsD(sum);
  return softFma(a, ONE_D, b, rm);
}

@inline
export function addD(a: u64, b: u64, rm: i32): u64 {
  const sum = bitsD(asD(a) + asD(b));
  // A tiny sum is exact, so it is no underflow.
  return hostSuffices(rm) && isFinite(sum) ? sum : addRare(a, b, rm);
}

@inline
export function subD(a: u64, b: u64, rm: i32): u64 {
  return addD(a, b ^ SIGN_D, rm);
}

function mulRare(a: u64, b: u64, rm: i32): u64 {
  const product = bitsD(asD(a) * asD(b));
  if (isOrdinary(product) && productFits(a, b)) return product;
  if (magnitude(product) == 0 && (magnitude(a) == 0 || magnitude(b) == 0)) return product;
  return softFma(a, b, (a ^ b) & SIGN_D, rm);
}

@inline
export function mulD(a: u64, b: u64, rm: i32): u64 {
  const product = bitsD(asD(a) * asD(b));
  return hostSuffices(rm) && isOrdinary(product) ? product : mulRare(a, b, rm);
}

function divRare(a: u64, b: u64, rm: i32): u64 {
  const quotient = bitsD(asD(a) / asD(b));
  // An inexact quotient does not end in as many zeros as b has significant bits.
  if (isOrdinary(quotient) && productFits(quotient, b)) return quotient;
  if (magnitude(quotient) == 0 && magnitude(a) == 0) return quotient;
  return softDiv(a, b, rm);
}

@inline
export function divD(a: u64, b: u64, rm: i32): u64 {
  const quotient = bitsD(asD(a) / asD(b));
  return hostSuffices(rm) && isOrdinary(quotient) ? quotient : divRare(a, b, rm);
}

function sqrtRare(a: u64, rm: i32): u64 {
  const root = sqrt(asD(a));
  if (isFinite(bitsD(root)) && productFits(bitsD(root), bitsD(root)) && root * root == asD(a))
    return bitsD(root);
  return softSqrt(a, rm);
}

@inline
export function sqrtD(a: u64, rm: i32): u64 {
  const root = bitsD(sqrt(asD(a)));
  return hostSuffices(rm) && isFinite(root) ? root : sqrtRare(a, rm);
}

/** Whether a factor's exponent is moderate, so that no part of its product can overflow or underflow. */
@inline
function isModerateFactor(a: u64): bool {
  return (a << 1) - (573 << 53) < 900 << 53;
}

@inline
function isModerateAddend(a: u64): bool {
  return (a << 1) - (123 << 53) < 1800 << 53 || magnitude(a) == 0;
}

/** The half of a significand that Veltkamp's splitting keeps. */
@inline
function upperHalf(a: f64): f64 {
  const scaled = a * 134217729.0;
  return scaled - (scaled - a);
}

/** product + productError(a, b, product) is a * b exactly (Dekker). */
@inline
function productError(a: f64, b: f64, product: f64): f64 {
  const a1 = upperHalf(a);
  const b1 = upperHalf(b);
  const a0 = a - a1;
  const b0 = b - b1;
  return a0 * b0 - (product - a1 * b1 - a0 * b1 - a1 * b0);
}

/**
 * a * b + c with a single rounding. The host has no such instruction. Following Boldo and Melquiond, the
 * result is the sum of three doubles, of which the two smaller are added with rounding to odd.
 */
export function fmaD(a: u64, b: u64, c: u64, rm: i32): u64 {
  if (rm != RNE || !isModerateFactor(a) || !isModerateFactor(b) || !isModerateAddend(c))
    return softFma(a, b, c, rm);
  const product = asD(a) * asD(b);
  const low = productError(asD(a), asD(b), product);
  const middle = asD(c) + low;
  const middleError = sumError(asD(c), low, middle);
  const high = product + middle;
  const highError = sumError(product, middle, high);
  const rest = middleError + highError;
  const tail = roundToOdd(rest, sumError(middleError, highError, rest));
  const result = high + tail;
  if (!(fflags & NX) && sumError(high, tail, result) != 0) raise(NX);
  return bitsD(result);
}
