/** What compiled regions call, what installs them, and what the translator needs of the decoder. */
import { ATOMIC_RESULT, H_FRM, H_MSTATUS, H_CODE_PAGE, H_CODE_UOPS } from '../layout';
import { atomicOperation } from './atomics';
import { flushBlocks } from './blocks';
import { expand } from './compressed';
import { decode } from './decode';
import { getFlags } from './fpu';
import { hashPage } from './hash';
import { PseudoOp, UOP_SIZE } from './opcodes';
import { adoptRegion } from './pages';
import { forgetRegions, newRegion } from './regions';
import { faultCode, FS, PAGE_SIZE } from './state';

/** An LR, SC or AMO, whose result is put in ATOMIC_RESULT; false if it has to trap, and nothing was done. */
export function atomicRmw(hart: usize, op: i32, va: u64, operand: u64): bool {
  const result = atomicOperation(hart, op, va, operand);
  if (faultCode) return false;
  store<u64>(hart, result, ATOMIC_RESULT);
  return true;
}

/** Bits of what `floatState` gives. */
const FLOAT_READY = 1;
const FLOAT_INEXACT = 2;
const FLOAT_NEAREST = 4;

/** Whether floating point may be used and is dirty already; whether NX has accrued; whether frm is RNE. */
export function floatState(hart: usize): i32 {
  const rounding = load<u32>(hart, H_FRM);
  if ((load<u64>(hart, H_MSTATUS) & FS) != FS || rounding > 4) return 0;
  return FLOAT_READY | (getFlags() & 1 ? FLOAT_INEXACT : 0) | (rounding == 0 ? FLOAT_NEAREST : 0);
}

/**
 * Lets region `id`, compiled from the page with these bytes and in the table already, run from `count` entries
 * in H_ENTRIES on; false if this hart has no room for it.
 */
export function install(page: u64, hash: u64, id: u32, count: i32): bool {
  const region = newRegion(page, hash, id, count);
  if (region) adoptRegion(page, hash, region);
  return region != 0;
}

/** Throws away everything compiled, with all decoded code, which leads to it. */
export function forgetCompiled(hart: usize): void {
  forgetRegions(hart);
  flushBlocks();
}

/** Decodes what may be instructions in the page at H_CODE_PAGE to H_CODE_UOPS, and returns a hash of the page. */
export function decodePage(hart: usize): u64 {
  const page = hart + H_CODE_PAGE;
  for (let offset: u32 = 0; offset < PAGE_SIZE; offset += 2) {
    const uop = hart + H_CODE_UOPS + (offset >> 1) * UOP_SIZE;
    const low: u32 = load<u16>(page + offset);
    if ((low & 3) != 3) decode(expand(low), 2, offset, uop);
    else if (offset == PAGE_SIZE - 2) store<u16>(uop, PseudoOp.STRADDLE);
    else decode(load<u32>(page + offset), 4, offset, uop);
  }
  return hashPage(page);
}
