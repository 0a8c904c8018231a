/** Bit layout of binary64 and binary32, and NaN boxing of the latter in 64-bit registers. */
import { NV, raise } from './flags';

export const SIGN_D: u64 = 1 << 63;
export const INFINITY_D: u64 = 0x7ff << 52;
export const NAN_D: u64 = 0x7ff8 << 48;
export const ONE_D: u64 = 0x3ff << 52;
export const HIDDEN_D: u64 = 1 << 52;
const QUIET_D: u64 = 1 << 51;

export const SIGN_S: u32 = 1 << 31;
export const INFINITY_S: u32 = 0xff << 23;
export const NAN_S: u32 = 0x7fc00000;
const QUIET_S: u32 = 1 << 22;

export const BIAS_D: i32 = 1023;
export const BIAS_S: i32 = 127;

/** Registers at or above this hold a boxed single. */
export const BOX: u64 = 0xffffffff00000000;

@inline
export function box(single: u32): u64 {
  return BOX | single;
}

/** The single in a register. One that is not properly boxed reads as the canonical NaN. */
@inline
export function unbox(register: u64): u32 {
  return register >= BOX ? <u32>register : NAN_S;
}

@inline
export function asD(bits: u64): f64 {
  return reinterpret<f64>(bits);
}

@inline
export function bitsD(value: f64): u64 {
  return reinterpret<u64>(value);
}

@inline
export function asS(bits: u32): f32 {
  return reinterpret<f32>(bits);
}

@inline
export function bitsS(value: f32): u32 {
  return reinterpret<u32>(value);
}

@inline
export function magnitude(a: u64): u64 {
  return a & ~SIGN_D;
}

@inline
export function isNaND(a: u64): bool {
  return magnitude(a) > INFINITY_D;
}

@inline
export function isSignallingD(a: u64): bool {
  return isNaND(a) && !(a & QUIET_D);
}

@inline
export function isSignallingS(a: u32): bool {
  return (a & ~SIGN_S) > INFINITY_S && !(a & QUIET_S);
}

/** The same value as a double. Unlike the host's promotion, this keeps a signalling NaN signalling. */
export function widen(a: u32): u64 {
  if ((a & ~SIGN_S) <= INFINITY_S) return bitsD(<f64>asS(a));
  return ((<u64>(a & SIGN_S)) << 32) | INFINITY_D | ((<u64>(a & ~(SIGN_S | INFINITY_S))) << 29);
}

/** The result of an operation with a NaN among its operands. */
export function nanResult(a: u64, b: u64, c: u64): u64 {
  if (isSignallingD(a) || isSignallingD(b) || isSignallingD(c)) raise(NV);
  return NAN_D;
}

/** The result of an operation without a NaN among its operands. */
export function invalid(): u64 {
  raise(NV);
  return NAN_D;
}
