/** The hart's registers, bits of its CSRs, and the places of its private caches in its block. */
import { H_PRIV, H_X } from '../../layout';

export const USER: u32 = 0;
export const SUPERVISOR: u32 = 1;
export const MACHINE_MODE: u32 = 3;

// mstatus (privileged specification, 3.1.6)
export const SIE: u64 = 1 << 1;
export const MIE: u64 = 1 << 3;
export const SPIE: u64 = 1 << 5;
export const MPIE: u64 = 1 << 7;
export const SPP: u64 = 1 << 8;
export const MPP: u64 = 3 << 11;
export const VS: u64 = 3 << 9;
export const FS: u64 = 3 << 13;
export const MPRV: u64 = 1 << 17;
export const SUM: u64 = 1 << 18;
export const MXR: u64 = 1 << 19;
export const TVM: u64 = 1 << 20;
export const TW: u64 = 1 << 21;
export const TSR: u64 = 1 << 22;
/** UXL and SXL: 64 bits. */
export const XL64: u64 = (2 << 32) | (2 << 34);

// menvcfg and senvcfg (3.1.18). CBIE has two bits.
export const CBIE: u64 = 3 << 4;
export const CBCFE: u64 = 1 << 6;
export const CBZE: u64 = 1 << 7;

// mip and mie
export const SSIP: u64 = 1 << 1;
export const MSIP: u64 = 1 << 3;
export const STIP: u64 = 1 << 5;
export const MTIP: u64 = 1 << 7;
export const SEIP: u64 = 1 << 9;
export const MEIP: u64 = 1 << 11;
export const S_INTERRUPTS: u64 = SSIP | STIP | SEIP;

// Exception causes (3.1.15)
export const FETCH_ACCESS = 1;
export const ILLEGAL_INSTRUCTION = 2;
export const BREAKPOINT = 3;
export const LOAD_MISALIGNED = 4;
export const LOAD_ACCESS = 5;
export const STORE_MISALIGNED = 6;
export const STORE_ACCESS = 7;
/** ecall from U. From S and M the causes are 9 and 11. */
export const ECALL_FROM_U = 8;
export const FETCH_PAGE_FAULT = 12;
export const LOAD_PAGE_FAULT = 13;
export const STORE_PAGE_FAULT = 15;

// Private areas, offsets in the hart's block
export const SCRATCH_UOPS = 0x1000;
export const PAGE_INDEX = 0x10_0000;
export const PAGE_RECORDS = 0x50_0000;
export const REGIONS = 0x190_0000;
export const DATA_CONTEXTS = 0x1d0_0000;
export const CODE_CONTEXTS = 0x211_0000;
export const UOP_POOL = 0x229_0000;

/** The fault of the last access: 0 or cause + 1, and the trap value. */
export let faultCode: i32 = 0;
export let faultValue: u64 = 0;

@inline
export function setFault(cause: i32, value: u64): void {
  faultCode = cause + 1;
  faultValue = value;
}
@inline
export function clearFault(): void {
  faultCode = 0;
}

@inline
export function setXreg(hart: usize, n: i32, value: u64): void {
  store<u64>(hart + n * 8, value, H_X);
}
@inline
export function privilege(hart: usize): u32 {
  return load<u32>(hart, H_PRIV);
}

/** The privilege of loads and stores. */
@inline
export function dataPrivilege(hart: usize, status: u64): u32 {
  const p = privilege(hart);
  return p == MACHINE_MODE && status & MPRV ? <u32>(status >> 11) & 3 : p;
}
