/** vfrec7 and vfrsqrt7 (V 1.0, 13.9 and 13.10): estimates with 7 bits, of the middle of each interval. */
import { DZ, NV, NX, OF, raise, RDN, RMM, RNE, RUP } from '../fpu/flags';

let exponentBits: i32 = 0;
let fractionBits: i32 = 0;

function format(isDouble: bool): void {
  exponentBits = isDouble ? 11 : 8;
  fractionBits = isDouble ? 52 : 23;
}

@inline
function fractionMask(): u64 {
  return ((<u64>1) << fractionBits) - 1;
}
@inline
function infinity(): u64 {
  return (((<u64>1) << exponentBits) - 1) << fractionBits;
}
@inline
function bias(): i32 {
  return (1 << (exponentBits - 1)) - 1;
}

/** The seven bits after the leading one of a number from 0.5 up to 1. */
@inline
function sevenBits(estimate: f64): u64 {
  return <u64>nearest((estimate * 2 - 1) * 128);
}

function canonicalNaN(): u64 {
  return infinity() | ((<u64>1) << (fractionBits - 1));
}

/** The canonical NaN, and NV if `size` is a signalling NaN. */
function ofNaN(size: u64): u64 {
  if (!(size & ((<u64>1) << (fractionBits - 1)))) raise(NV);
  return canonicalNaN();
}

/** The last number that `normalise` was given: its exponent, and its fraction without the leading one. */
let exponent: i32 = 0;
let fraction: u64 = 0;

function normalise(size: u64): void {
  exponent = <i32>(size >> fractionBits);
  fraction = size & fractionMask();
  if (exponent != 0) return;
  const shift = <i32>clz(fraction) - (63 - fractionBits);
  exponent = 1 - shift;
  fraction = (fraction << shift) & fractionMask();
}

export function reciprocal(a: u64, isDouble: bool, rm: i32): u64 {
  format(isDouble);
  const sign = a & ((<u64>1) << (exponentBits + fractionBits));
  const size = a ^ sign;
  if (size > infinity()) return ofNaN(size);
  if (size == infinity()) return sign;
  if (size == 0) {
    raise(DZ);
    return sign | infinity();
  }
  normalise(size);
  if (exponent < -1) {
    raise(OF | NX);
    const away = rm == RNE || rm == RMM || rm == (sign ? RDN : RUP);
    return sign | (away ? infinity() : infinity() - 1);
  }
  const index = fraction >> (fractionBits - 7);
  let result = sevenBits(128.0 / (<f64>index + 128.5)) << (fractionBits - 7);
  let scale = 2 * bias() - 1 - exponent;
  if (scale < 1) {
    // Subnormal, without a loss of bits.
    result = ((result >> 1) | ((<u64>1) << (fractionBits - 1))) >> -scale;
    scale = 0;
  }
  return sign | ((<u64>scale) << fractionBits) | result;
}

export function reciprocalRoot(a: u64, isDouble: bool): u64 {
  format(isDouble);
  const sign = a & ((<u64>1) << (exponentBits + fractionBits));
  const size = a ^ sign;
  if (size > infinity()) return ofNaN(size);
  if (size == 0) {
    raise(DZ);
    return sign | infinity();
  }
  if (sign) {
    raise(NV);
    return canonicalNaN();
  }
  if (size == infinity()) return 0;
  normalise(size);
  const index = fraction >> (fractionBits - 6);
  const scaled = (<f64>index + 64.5) / (exponent & 1 ? 64.0 : 32.0);
  const result = sevenBits(1 / sqrt(scaled)) << (fractionBits - 7);
  const scale = (3 * bias() - 1 - exponent) >> 1;
  return ((<u64>scale) << fractionBits) | result;
}
