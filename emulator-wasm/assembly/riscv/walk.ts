/** Address translation: Sv39 page walks (privileged specification, 4.3 and 4.4). */
import { H_MSTATUS, H_SATP, PAGE_DIRTY, PAGE_STORED, PAGE_WRITTEN, RAM_START } from '../../layout';
import { Access, pmpCheck, PmpAnswer } from './pmp';
import { hostAddress, inRam, pageFlags, PAGE_SIZE } from '../ram';
import {
  dataPrivilege,
  FETCH_ACCESS,
  FETCH_PAGE_FAULT,
  LOAD_ACCESS,
  LOAD_PAGE_FAULT,
  MACHINE_MODE,
  MXR,
  privilege,
  setFault,
  STORE_ACCESS,
  STORE_PAGE_FAULT,
  SUM,
  SUPERVISOR,
  USER,
} from './state';
import { flushAll } from './tlb';

// PTE bits (4.3.1)
const V: u64 = 1;
const R: u64 = 2;
const W: u64 = 4;
const X: u64 = 8;
const U: u64 = 16;
const A: u64 = 64;
const D: u64 = 128;
/** Reserved for standard use, Svpbmt and Svnapot. */
const RESERVED: u64 = 0xffc0_0000_0000_0000;

/** The size of the page that the last translation found. */
export let pageBytes: u64 = 0;

@inline
function pageFault(access: i32): i32 {
  return access == Access.FETCH
    ? FETCH_PAGE_FAULT
    : access == Access.LOAD
      ? LOAD_PAGE_FAULT
      : STORE_PAGE_FAULT;
}
@inline
export function accessFault(access: i32): i32 {
  return access == Access.FETCH ? FETCH_ACCESS : access == Access.LOAD ? LOAD_ACCESS : STORE_ACCESS;
}

/** Whether a leaf PTE permits this access (4.3.2, steps 6 and 7). */
function permitted(pte: u64, access: i32, priv: u32, status: u64): bool {
  if (pte & U) {
    if (priv == SUPERVISOR && (access == Access.FETCH || !(status & SUM))) return false;
  } else if (priv == USER) return false;
  switch (access) {
    case Access.FETCH:
      return (pte & X) != 0;
    case Access.LOAD:
      return (pte & R) != 0 || ((status & MXR) != 0 && (pte & X) != 0);
    default:
      return (pte & W) != 0;
  }
}

/** Returns the physical address of `va`, or sets the fault. */
export function translate(hart: usize, va: u64, access: i32): u64 {
  const status = load<u64>(hart, H_MSTATUS);
  const priv = access == Access.FETCH ? privilege(hart) : dataPrivilege(hart, status);
  const satp = load<u64>(hart, H_SATP);
  if (priv == MACHINE_MODE || satp >> 60 == 0) {
    pageBytes = PAGE_SIZE;
    return va;
  }
  if (<i64>(va << 25) >> 25 != <i64>va) return fail(pageFault(access), va);
  let table = (satp & 0xfff_ffff_ffff) << 12;
  for (let level = 2; level >= 0; level--) {
    const shift = 12 + 9 * level;
    const pa = table + ((va >> shift) & 511) * 8;
    if (!inRam(pa, 8) || (pmpActive && pmpCheck(hart, pa, 8, Access.LOAD, SUPERVISOR) != PmpAnswer.ALLOWED)) {
      return fail(accessFault(access), va);
    }
    const host = hostAddress(pa);
    const pte = atomic.load<u64>(host);
    if (!(pte & V) || (pte & (R | W)) == W || pte & RESERVED) return fail(pageFault(access), va);
    if (!(pte & (R | X))) {
      if (pte & (U | A | D)) return fail(pageFault(access), va);
      table = (pte >> 10) << 12;
      continue;
    }
    const span: u64 = 1 << shift;
    const page = (pte >> 10) << 12;
    if (page & (span - 1) || !permitted(pte, access, priv, status)) return fail(pageFault(access), va);
    const marked = pte | (access == Access.STORE ? A | D : A);
    if (marked != pte) {
      if (pmpActive && pmpCheck(hart, pa, 8, Access.STORE, SUPERVISOR) != PmpAnswer.ALLOWED) {
        return fail(accessFault(access), va);
      }
      // Another hart or device changed the entry meanwhile: walk again from the top.
      if (atomic.cmpxchg<u64>(host, pte, marked) != pte) {
        table = (satp & 0xfff_ffff_ffff) << 12;
        level = 3;
        continue;
      }
      markWritten(pa);
    }
    pageBytes = span;
    return page | (va & (span - 1));
  }
  return fail(pageFault(access), va);
}

export function fail(cause: i32, va: u64): u64 {
  setFault(cause, va);
  return 0;
}

/** False while the PMP permits everything, as under our own firmware. */
export let pmpActive: bool = false;

/** Called when a PMP register or the reset state changes. */
export function pmpChanged(hart: usize, firmware: bool): void {
  pmpActive = !firmware;
  flushAll(hart);
}

/**
 * Marks the page as written, so that code decoded from it is compared with it before its next use, and so
 * that it is saved.
 */
@inline
export function markWritten(pa: u64): void {
  store<u8>(pageFlags(pa), PAGE_WRITTEN | PAGE_STORED | PAGE_DIRTY);
}
