/** Integer operations WebAssembly lacks, or defines otherwise. */

export function mulhu(a: u64, b: u64): u64 {
  const aLow = a & 0xffff_ffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffff_ffff;
  const bHigh = b >> 32;
  const middle = aHigh * bLow + ((aLow * bLow) >> 32);
  const cross = aLow * bHigh + (middle & 0xffff_ffff);
  return aHigh * bHigh + (middle >> 32) + (cross >> 32);
}
@inline
export function mulhsu(a: u64, b: u64): u64 {
  return mulhu(a, b) - (<i64>a < 0 ? b : 0);
}
@inline
export function mulh(a: u64, b: u64): u64 {
  return mulhsu(a, b) - (<i64>b < 0 ? a : 0);
}

// Division by zero and overflow are defined, not trapped (M extension, 7.2).
export function div(a: i64, b: i64): u64 {
  if (b == 0) return ~0;
  return b == -1 ? <u64>-a : <u64>(a / b);
}
export function rem(a: i64, b: i64): u64 {
  if (b == 0) return <u64>a;
  return b == -1 ? 0 : <u64>(a % b);
}
@inline
export function divu(a: u64, b: u64): u64 {
  return b == 0 ? ~0 : a / b;
}
@inline
export function remu(a: u64, b: u64): u64 {
  return b == 0 ? a : a % b;
}
@inline
export function divw(a: i32, b: i32): u64 {
  return <u64>(<i64>(<i32>div(a, b)));
}
@inline
export function divuw(a: u32, b: u32): u64 {
  return <u64>(<i64>(<i32>(b == 0 ? ~0 : a / b)));
}
@inline
export function remw(a: i32, b: i32): u64 {
  return <u64>(<i64>(<i32>rem(a, b)));
}
@inline
export function remuw(a: u32, b: u32): u64 {
  return <u64>(<i64>(<i32>(b == 0 ? a : a % b)));
}

@inline
export function rev8(a: u64): u64 {
  return bswap<u64>(a);
}

/** Each byte that is not zero becomes 0xff. */
export function orcB(a: u64): u64 {
  const low = a & 0x7f7f_7f7f_7f7f_7f7f;
  const nonzero = ((low + 0x7f7f_7f7f_7f7f_7f7f) | a) & 0x8080_8080_8080_8080;
  return (nonzero >> 7) * 0xff;
}
