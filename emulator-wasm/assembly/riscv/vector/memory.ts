/** Loads and stores (V 1.0, chapter 7). Each element is an access of its own: a fault leaves vstart there. */
import { H_VL, H_VSTART, H_X, STORE_TLB, TLB_MASK } from '../../../layout';
import { deviceStored, loadSlow, storeSlow } from '../access';
import { PAGE_MASK } from '../../ram';
import { clearFault, faultCode } from '../state';
import { dataTlb } from '../tlb';
import { FAULT_FIRST, MASK, STRIDED, UNIT, WHOLE } from './opcodes';
import {
  active,
  aligned,
  apart,
  disjoint,
  element,
  elements,
  hart,
  illType,
  lmul,
  maskKept,
  notMask,
  register,
  setElement,
  sew,
  unmasked,
  vd,
  vl,
  VLENB,
  vs1,
  vs2,
  vstart,
} from './unit';

export const enum Outcome {
  DONE,
  ILLEGAL,
  /** The fault is set. */
  FAULT,
  /** Done, and a store went to a device. */
  DEVICE,
}

/** Whether the access that runs stores, stops at a fault after its first element, has reached a device. */
let storing: bool = false;
let faultFirst: bool = false;
let device: bool = false;

export function accessMemory(bits: u32): i32 {
  const mop = (bits >>> 26) & 3;
  const fields = (bits >>> 29) + 1;
  const width = (bits >>> 12) & 7;
  const eew: i32 = width == 0 ? 0 : width - 4;
  storing = (bits & 0x20) != 0;
  faultFirst = false;
  device = false;
  clearFault();
  // mew
  if (bits & (1 << 28)) return Outcome.ILLEGAL;
  if (mop == UNIT && vs2 == WHOLE) return wholeRegisters(fields, eew);
  if (illType) return Outcome.ILLEGAL;
  if (mop == UNIT && vs2 == MASK) {
    if (width != 0 || fields != 1 || !unmasked) return Outcome.ILLEGAL;
    return unitStride(1, 0, 0, (vl + 7) >>> 3);
  }
  if (mop == UNIT) {
    faultFirst = vs2 == FAULT_FIRST;
    if (vs2 != 0 && (!faultFirst || storing)) return Outcome.ILLEGAL;
  }
  if (mop != UNIT && mop != STRIDED) return indexed(fields, eew);
  const groups = eew - sew + lmul;
  if (!dataGroupsLegal(fields, groups)) return Outcome.ILLEGAL;
  if (mop == UNIT) return unitStride(fields, eew, groups, vl);
  return strided(fields, eew, groups);
}

/** Whether the fields' groups are legal operands. */
function dataGroupsLegal(fields: u32, groups: i32): bool {
  if (groups < -3 || groups > 3 || !aligned(vd, groups)) return false;
  const registers = fields << max(groups, 0);
  return registers <= 8 && vd + registers <= 32 && (storing || maskKept());
}

function wholeRegisters(count: u32, eew: i32): i32 {
  if ((count & (count - 1)) != 0 || vd & (count - 1) || !unmasked || (storing && eew != 0))
    return Outcome.ILLEGAL;
  return unitStride(1, eew, 0, (count * VLENB) >>> eew);
}

/** The distance between the registers of two fields. */
@inline
function fieldStride(groups: i32): usize {
  return (<usize>VLENB) << max(groups, 0);
}

function unitStride(fields: u32, eew: i32, groups: i32, count: u32): i32 {
  const base = load<u64>(hart + vs1 * 8, H_X);
  const step = fields << eew;
  let i = vstart;
  while (i < count) {
    if (fields == 1 && unmasked) {
      const copied =
        copyRun(base + ((<u64>i) << eew), register(vd) + ((<usize>i) << eew), (count - i) << eew) >>> eew;
      i += copied;
      if (copied) continue;
    }
    if (!segment(i, base + <u64>i * step, fields, eew, groups)) return stopped(i);
    i++;
    if (trimmed) break;
  }
  return finished();
}

/** Copies bytes up to the end of the page if the TLB has it. Returns their number. */
function copyRun(va: u64, at: usize, bytes: u32): u32 {
  const entry = dataTlb + ((<u32>va >>> 8) & TLB_MASK) + (storing ? STORE_TLB : 0);
  if (load<u64>(entry) != (va & PAGE_MASK)) return 0;
  const host: usize = <u32>va + load<u32>(entry, 8);
  const most = min(bytes, 4096 - (<u32>va & 0xfff)) & ~7;
  for (let n: u32 = 0; n < most; n += 8) {
    if (storing) store<u64>(host + n, load<u64>(at + n));
    else store<u64>(at + n, load<u64>(host + n));
  }
  return most;
}

/** The host address of an access that the TLB has, or 0. */
@inline
function cached(va: u64, size: u32): usize {
  const entry = dataTlb + ((<u32>va >>> 8) & TLB_MASK) + (storing ? STORE_TLB : 0);
  return load<u64>(entry) == ((va + (size - 1)) & PAGE_MASK) ? <u32>va + load<u32>(entry, 8) : 0;
}

function strided(fields: u32, eew: i32, groups: i32): i32 {
  const base = load<u64>(hart + vs1 * 8, H_X);
  const stride = load<u64>(hart + vs2 * 8, H_X);
  for (let i = vstart; i < vl; i++) {
    if (!segment(i, base + stride * i, fields, eew, groups)) return stopped(i);
  }
  return finished();
}

/** The data have SEW; the byte offsets in vs2 have `eew`. */
function indexed(fields: u32, eew: i32): i32 {
  const offsets = eew - sew + lmul;
  if (offsets < -3 || offsets > 3 || !aligned(vs2, offsets) || !dataGroupsLegal(fields, lmul))
    return Outcome.ILLEGAL;
  if (!notMask(vs2) || !maskKept()) return Outcome.ILLEGAL;
  if (storing && eew != sew) {
    if (!disjoint(vs2, offsets, vd, lmul)) return Outcome.ILLEGAL;
  } else if (!storing) {
    for (let field: u32 = 0; field < fields; field++) {
      const to = vd + (field << max(lmul, 0));
      if (eew > sew && to != vs2 && !apart(to, lmul, vs2, offsets)) return Outcome.ILLEGAL;
      if (eew < sew && !apart(to, lmul, vs2, offsets)) return Outcome.ILLEGAL;
      // A segment's fields may not overwrite the offsets, in whichever order they are loaded (7.8.3).
      if (fields > 1 && !disjoint(to, lmul, vs2, offsets)) return Outcome.ILLEGAL;
    }
  }
  const base = load<u64>(hart + vs1 * 8, H_X);
  for (let i = vstart; i < vl; i++) {
    const offset = element(register(vs2), i, eew);
    if (!segment(i, base + offset, fields, sew, lmul)) return stopped(i);
  }
  return finished();
}

/** Whether a fault has shortened vl. */
let trimmed: bool = false;

/** Loads or stores the fields of segment `i` from `va` on. Returns false with the fault set. */
function segment(i: u32, va: u64, fields: u32, eew: i32, groups: i32): bool {
  trimmed = false;
  if (!active(i)) return true;
  const size: u32 = 1 << eew;
  let at = register(vd);
  for (let field: u32 = 0; field < fields; field++) {
    const host = cached(va, size);
    if (host) {
      if (storing) setElement(host, 0, eew, element(at, i, eew));
      else setElement(at, i, eew, element(host, 0, eew));
    } else if (storing) {
      storeSlow(hart, va, size, element(at, i, eew));
      device = device || deviceStored;
    } else {
      const value = loadSlow(hart, va, size);
      if (!faultCode) setElement(at, i, eew, value);
    }
    if (faultCode) {
      if (!faultFirst || i == 0) return false;
      store<u64>(hart, i, H_VL);
      clearFault();
      trimmed = true;
      return true;
    }
    va += size;
    at += fieldStride(groups);
  }
  return true;
}

function stopped(i: u32): i32 {
  store<u64>(hart, i, H_VSTART);
  return Outcome.FAULT;
}

function finished(): i32 {
  return device ? Outcome.DEVICE : Outcome.DONE;
}
