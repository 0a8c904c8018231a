/** Physical memory protection (privileged specification, 3.7): sixteen entries. */
import { H_PMPADDR, H_PMPCFG } from '../../layout';
import { MACHINE_MODE } from './state';

export const PMP_ENTRIES = 16;
const R: u32 = 1;
const W: u32 = 2;
const X: u32 = 4;
const LOCKED: u32 = 0x80;
const TOR: u32 = 1;
const NA4: u32 = 2;
const NAPOT: u32 = 3;

export const enum Access {
  FETCH,
  LOAD,
  STORE,
}
export const enum PmpAnswer {
  DENIED,
  ALLOWED,
  MIXED,
}

@inline
function config(hart: usize, n: i32): u32 {
  return load<u8>(hart + n, H_PMPCFG);
}
@inline
function address(hart: usize, n: i32): u64 {
  return load<u64>(hart + n * 8, H_PMPADDR);
}
@inline
function mode(cfg: u32): u32 {
  return (cfg >>> 3) & 3;
}

let start: u64 = 0;
/** The last byte of the entry's range, so that a range up to 2^64 fits. */
let last: u64 = 0;

/** Sets start and last. Returns false if the entry is off or empty. */
function range(hart: usize, n: i32): bool {
  const a = address(hart, n);
  switch (mode(config(hart, n))) {
    case TOR:
      start = n == 0 ? 0 : address(hart, n - 1) << 2;
      last = (a << 2) - 1;
      return start <= last && a != 0;
    case NA4:
      start = a << 2;
      last = start + 3;
      return true;
    case NAPOT: {
      const span: u64 = ((a ^ (a + 1)) << 2) | 3;
      start = (a << 2) & ~span;
      last = start | span;
      return true;
    }
    default:
      return false;
  }
}

/** Whether this access to [pa, pa + size) is allowed. MIXED if only a part of the range matches an entry. */
export function pmpCheck(hart: usize, pa: u64, size: u64, access: i32, privilege: u32): i32 {
  const end = pa + size - 1;
  for (let n = 0; n < PMP_ENTRIES; n++) {
    if (!range(hart, n) || end < start || pa > last) continue;
    if (pa < start || end > last) return PmpAnswer.MIXED;
    const cfg = config(hart, n);
    if (privilege == MACHINE_MODE && !(cfg & LOCKED)) return PmpAnswer.ALLOWED;
    const need = access == Access.FETCH ? X : access == Access.LOAD ? R : W;
    return cfg & need ? PmpAnswer.ALLOWED : PmpAnswer.DENIED;
  }
  return privilege == MACHINE_MODE ? PmpAnswer.ALLOWED : PmpAnswer.DENIED;
}

/** A locked entry cannot be written, and neither can the address below a locked TOR entry. */
export function setPmpAddress(hart: usize, n: i32, value: u64): void {
  if (config(hart, n) & LOCKED) return;
  if (n + 1 < PMP_ENTRIES) {
    const next = config(hart, n + 1);
    if (next & LOCKED && mode(next) == TOR) return;
  }
  store<u64>(hart + n * 8, value & 0x003f_ffff_ffff_ffff, H_PMPADDR);
}

/** Writes pmpcfg0 or pmpcfg2, eight entries each. W without R is reserved and leaves the entry unchanged. */
export function setPmpConfig(hart: usize, first: i32, value: u64): void {
  for (let n = first; n < first + 8; n++, value >>= 8) {
    const cfg = <u32>value & 0x9f;
    if (config(hart, n) & LOCKED || (cfg & (R | W)) == W) continue;
    store<u8>(hart + n, <u8>cfg, H_PMPCFG);
  }
}
