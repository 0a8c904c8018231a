/** Functions that compiled regions call, that install regions, and that decode code for the translator. */
import { H_FRM, H_MSTATUS, H_CODE_PAGE, H_CODE_UOPS } from '../../layout';
import { flushBlocks } from './blocks';
import { expand } from './compressed';
import { counterReadable, CYCLE, readCounter } from './csr';
import { decode } from './decode';
import { getFlags } from './fpu';
import { hashPage } from './hash';
import { PseudoOp, UOP_SIZE } from './opcodes';
import { adoptRegion } from './pages';
import { dropRegionsUpTo, newRegion } from './regions';
import { setBudget } from './slow';
import { PAGE_SIZE } from '../ram';
import { FS } from './state';
import { executeVector, Outcome } from './vector';

/**
 * Reads a counter when `left` of the hart's budget is left. Returns the highest value for the interpreter to
 * decide, which traps if the counter is not readable.
 */
export function counterValue(hart: usize, n: u32, left: i32): u64 {
  if (!counterReadable(hart, n - CYCLE)) return ~0;
  setBudget(hart, left);
  return readCounter(hart, n);
}

/**
 * Executes a vector instruction for compiled code. Returns false if the interpreter has to execute it again,
 * because it traps: it goes on at vstart.
 */
export function vectorOperation(hart: usize, bits: u32): bool {
  const outcome = executeVector(hart, bits);
  return outcome != Outcome.ILLEGAL && outcome != Outcome.FAULT;
}

/** Bits of the result of `floatState`. */
const FLOAT_READY = 1;
const FLOAT_INEXACT = 2;
const FLOAT_NEAREST = 4;

/** Whether floating point is enabled and dirty already; whether NX has accrued; whether frm is RNE. */
export function floatState(hart: usize): i32 {
  const rounding = load<u32>(hart, H_FRM);
  if ((load<u64>(hart, H_MSTATUS) & FS) != FS || rounding > 4) return 0;
  return FLOAT_READY | (getFlags() & 1 ? FLOAT_INEXACT : 0) | (rounding == 0 ? FLOAT_NEAREST : 0);
}

/**
 * Makes region `id` runnable at its `count` entries in a page with these bytes, which are in H_ENTRIES. It is
 * already in the table. Returns false if it, with its `others` entries in `pages` more pages, does not fit
 * into this hart's pool.
 * @param page the page that it was compiled from; not used if it is a stored region
 * @param stored the number of a stored region plus 1, or 0
 */
export function install(
  page: u64,
  hash: u64,
  id: u32,
  count: i32,
  pages: u32,
  others: u32,
  stored: u32,
): bool {
  const region = newRegion(hash, id, count, pages, others, stored);
  if (region && stored == 0) adoptRegion(page, hash, region);
  return region != 0;
}

/**
 * Drops region `last`, all regions that were installed before it, and all decoded code, because that leads to
 * them. A page of code finds the other regions again when it is next entered.
 */
export function evict(last: u32): void {
  dropRegionsUpTo(last);
  flushBlocks();
}

/** Decodes each halfword of the page at H_CODE_PAGE to H_CODE_UOPS, and returns a hash of the page. */
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

/** Decodes an instruction that begins in the last two bytes of a page to the start of H_CODE_UOPS. */
export function decodeStraddling(hart: usize, bits: u32): void {
  decode(bits, 4, PAGE_SIZE - 2, hart + H_CODE_UOPS);
}

/** The hash of the page at H_CODE_PAGE. */
export function hashCodePage(hart: usize): u64 {
  return hashPage(hart + H_CODE_PAGE);
}
