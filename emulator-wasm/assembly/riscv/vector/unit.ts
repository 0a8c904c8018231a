/**
 * The vector unit's state while an instruction executes, and access to elements. VLEN is 128 and ELEN 64. The
 * registers of a group follow each other in the hart's block, so a group is an array of elements.
 */
import { H_V, H_VL, H_VSTART, H_VTYPE } from '../../../layout';

/** Bytes of a register, VLEN / 8. */
export const VLENB: u32 = 16;

export let hart: usize = 0;
/** log2 of SEW in bytes, and log2 of LMUL. */
export let sew: i32 = 0;
export let lmul: i32 = 0;
export let vl: u32 = 0;
export let vstart: u32 = 0;
/** The fields of the instruction. vs1 also holds a scalar register's number or an immediate. */
export let vd: u32 = 0;
export let vs1: u32 = 0;
export let vs2: u32 = 0;
export let unmasked: bool = false;
export let illType: bool = false;

export function begin(block: usize, bits: u32): void {
  hart = block;
  const vtype = load<u64>(block, H_VTYPE);
  illType = <i64>vtype < 0;
  sew = <i32>(vtype >> 3) & 7;
  lmul = ((<i32>vtype) << 29) >> 29;
  vl = load<u32>(block, H_VL);
  vstart = load<u32>(block, H_VSTART);
  vd = (bits >>> 7) & 31;
  vs1 = (bits >>> 15) & 31;
  vs2 = (bits >>> 20) & 31;
  unmasked = (bits & (1 << 25)) != 0;
}

/** The number of elements of `size` (log2 of bytes) in a group of 2^`groups` registers. */
@inline
export function elements(size: i32, groups: i32): u32 {
  return ((<u32>VLENB) << 3) >> (3 + size - groups);
}

@inline
export function register(n: u32): usize {
  return hart + H_V + n * VLENB;
}

/** Element `i` of `size`, zero-extended. */
@inline
export function element(base: usize, i: u32, size: i32): u64 {
  const at = base + ((<usize>i) << size);
  switch (size) {
    case 0:
      return load<u8>(at);
    case 1:
      return load<u16>(at);
    case 2:
      return load<u32>(at);
    default:
      return load<u64>(at);
  }
}

@inline
export function setElement(base: usize, i: u32, size: i32, value: u64): void {
  const at = base + ((<usize>i) << size);
  switch (size) {
    case 0:
      store<u8>(at, <u8>value);
      break;
    case 1:
      store<u16>(at, <u16>value);
      break;
    case 2:
      store<u32>(at, <u32>value);
      break;
    default:
      store<u64>(at, value);
      break;
  }
}

@inline
export function signExtend(value: u64, size: i32): u64 {
  const unused = 64 - (8 << size);
  return <u64>(<i64>(value << unused) >> unused);
}

@inline
export function zeroExtend(value: u64, size: i32): u64 {
  const unused = 64 - (8 << size);
  return (value << unused) >> unused;
}

@inline
export function maskBit(base: usize, i: u32): bool {
  return ((load<u8>(base + (i >>> 3)) >> (i & 7)) & 1) != 0;
}

@inline
export function setMaskBit(base: usize, i: u32, value: bool): void {
  const at = base + (i >>> 3);
  const bit = 1 << (i & 7);
  store<u8>(at, value ? load<u8>(at) | bit : load<u8>(at) & ~bit);
}

/** Whether the mask leaves element `i` active. */
@inline
export function active(i: u32): bool {
  return unmasked || maskBit(register(0), i);
}

// Constraints on registers (V 1.0, sections 3.4.2 and 5.2). Groups are given by log2 of their length.

@inline
export function aligned(n: u32, groups: i32): bool {
  return groups <= 0 || (n & ((1 << groups) - 1)) == 0;
}

@inline
function length(groups: i32): u32 {
  return groups <= 0 ? 1 : 1 << groups;
}

function overlap(a: u32, aLength: u32, b: u32, bLength: u32): bool {
  return a < b + bLength && b < a + aLength;
}

/** Whether a destination with wider elements may overlap a source: only in the highest part of it. */
export function apart(to: u32, toGroups: i32, from: u32, fromGroups: i32): bool {
  const toLength = length(toGroups);
  const fromLength = length(fromGroups);
  if (!overlap(to, toLength, from, fromLength)) return true;
  return toLength > fromLength && to < from && fromGroups >= 0 && to + toLength == from + fromLength;
}

/** Whether two sources with elements of different sizes are apart, because a register has one EEW (5.2). */
export function disjoint(a: u32, aGroups: i32, b: u32, bGroups: i32): bool {
  return !overlap(a, length(aGroups), b, length(bGroups));
}

/** Whether a source with elements of more than a bit is not the mask as well. */
@inline
export function notMask(n: u32): bool {
  return unmasked || n != 0;
}

/** Whether a masked instruction leaves the mask alone. */
@inline
export function maskKept(): bool {
  return unmasked || vd != 0;
}
