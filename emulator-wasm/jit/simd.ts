/** Instructions of WebAssembly on vectors of 128 bits. */

export const simd = {
  load: 0x00,
  store: 0x0b,
  constant: 0x0c,
  shuffle: 0x0d,
  splat8: 0x0f,
  splat16: 0x10,
  splat32: 0x11,
  splat64: 0x12,
  not: 0x4d,
  and: 0x4e,
  andNot: 0x4f,
  or: 0x50,
  xor: 0x51,
  bitselect: 0x52,
  anyTrue: 0x53,
  ltS8: 0x25,
  allTrue8: 0x63,
  demote: 0x5e,
  promoteLow: 0x5f,
} as const;

/** Operations on integers, as distances from the first of each width. The widths follow each other. */
export const lanes = {
  bitmask: 0x04,
  extendLowS: 0x07,
  extendHighS: 0x08,
  extendLowU: 0x09,
  extendHighU: 0x0a,
  shl: 0x0b,
  shrS: 0x0c,
  shrU: 0x0d,
  add: 0x0e,
  sub: 0x11,
  /** From 16 bits on, as are the products with twice the width of their factors. */
  mul: 0x15,
  /** Up to 32 bits, as are the other three. */
  minS: 0x16,
  minU: 0x17,
  maxS: 0x18,
  maxU: 0x19,
  extmulLowS: 0x1c,
  extmulHighS: 0x1d,
  extmulLowU: 0x1e,
  extmulHighU: 0x1f,
} as const;

/** The instruction on lanes of 8 << `size` bits. */
export function onLanes(operation: number, size: number): number {
  return 0x60 + 0x20 * size + operation;
}

/** Comparisons of integers up to 32 bits: the distance from the first one of each width. */
export const comparisons = {
  eq: 0,
  ne: 1,
  ltS: 2,
  ltU: 3,
  gtS: 4,
  gtU: 5,
  leS: 6,
  leU: 7,
} as const;

const COMPARISONS_64: readonly number[] = [0xd6, 0xd7, 0xd8, -1, 0xd9, -1, 0xda, -1];

/** The instruction; there is none for numbers of 64 bits without a sign. */
export function comparison(kind: number, size: number): number {
  return size === 3 ? (COMPARISONS_64[kind] as number) : 0x23 + 10 * size + kind;
}

/** The bytes that a shuffle selects: the first element of one vector, and the others of a second. */
export function firstElement(size: number): number[] {
  return Array.from({ length: 16 }, (_, n) => (n < 1 << size ? n : n + 16));
}

/** Operations on floating-point numbers of 32 and 64 bits. */
export const float = {
  eq: [0x41, 0x47],
  ne: [0x42, 0x48],
  lt: [0x43, 0x49],
  gt: [0x44, 0x4a],
  le: [0x45, 0x4b],
  ge: [0x46, 0x4c],
  abs: [0xe0, 0xec],
  neg: [0xe1, 0xed],
  add: [0xe4, 0xf0],
  sub: [0xe5, 0xf1],
  mul: [0xe6, 0xf2],
  div: [0xe7, 0xf3],
  min: [0xe8, 0xf4],
  max: [0xe9, 0xf5],
  /** Of relaxed SIMD. */
  multiplyAdd: [0x105, 0x107],
} as const;
