/** Half precision (Zfhmin): conversions only. */
import {
  BIAS_D,
  bitsD,
  INFINITY_D,
  isNaND,
  magnitude,
  NAN_D,
  nanResult,
  SIGN_D,
  unbox,
  widen,
} from './format';
import { packH } from './round';
import { exponent, normalised } from './soft';
import { cvtSD } from './convert';

const INFINITY_H: u32 = 0x7c00;
const NAN_H: u32 = 0x7e00;
const BIAS_H: i32 = 15;
const BOX_H: u64 = 0xffff_ffff_ffff_0000;

@inline
export function boxH(half: u32): u64 {
  return BOX_H | half;
}

/** The half in a register. One that is not properly boxed reads as the canonical NaN. */
@inline
export function unboxH(register: u64): u32 {
  return register >= BOX_H ? <u32>register & 0xffff : NAN_H;
}

/** The same value as a double, unrounded. A signalling NaN stays signalling. */
function widenH(half: u32): u64 {
  const sign = (<u64>(half & 0x8000)) << 48;
  const size = half & 0x7fff;
  if (size >= INFINITY_H) return sign | INFINITY_D | ((<u64>(size & 0x3ff)) << 42);
  if (size < 0x400) return sign | bitsD(<f64>size * (1.0 / 16777216.0));
  return sign | (((<u64>size) << 42) + ((<u64>(BIAS_D - BIAS_H)) << 52));
}

function narrowH(a: u64, rm: i32): u32 {
  const sign = a & SIGN_D;
  const size = magnitude(a);
  if (size > INFINITY_D) {
    nanResult(a, 0, 0);
    return NAN_H;
  }
  const signH = <u32>(sign >> 48);
  if (size == INFINITY_D) return signH | INFINITY_H;
  if (size == 0) return signH;
  return packH(sign, exponent(a) - BIAS_D + BIAS_H, normalised(a), rm);
}

/** Half to double */
export function cvtDH(a: u64): u64 {
  const double = widenH(unboxH(a));
  return isNaND(double) ? nanResult(double, NAN_D, NAN_D) : double;
}

/** Half to single, which is exact */
export function cvtSH(a: u64): u64 {
  return cvtSD(cvtDH(a), 0);
}

/** Double to half */
export function cvtHD(a: u64, rm: i32): u64 {
  return boxH(narrowH(a, rm));
}

/** Single to half */
export function cvtHS(a: u64, rm: i32): u64 {
  return boxH(narrowH(widen(unbox(a)), rm));
}
