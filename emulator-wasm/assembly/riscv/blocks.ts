/**
 * Blocks of decoded code. A block continues through branches not taken, and ends at a jump, at the end of the
 * page, or where another block begins. Branches inside a page hold a link to their target block. All other
 * jumps use the jump cache, which is indexed by virtual address.
 */
import { HART_STRIDE, JUMP_REGION, M_MODE, MODE_JIT_ALL, REGION_SHIFT } from '../../layout';
import { fetchPage, mayExecute, mayExecutePage } from './access';
import { expand } from './compressed';
import { decode } from './decode';
import { isFloatingPoint } from './decode-float';
import { report } from './heat';
import { endsBlock, PseudoOp, U_EXTRA, U_IMM, U_OFFSET, UOP_SIZE } from './opcodes';
import {
  blockSlot,
  checkBytes,
  checkEpoch,
  codeOf,
  findRecord,
  forgetPages,
  newRecord,
  pageOf,
  resetPages,
} from './pages';
import { forgetRegions } from './regions';
import { hostAddress, PAGE_MASK, pageFlags, PAGE_SIZE } from '../ram';
import { FETCH_ACCESS, faultCode, SCRATCH_UOPS, setFault, UOP_POOL } from './state';
import {
  codeEntry,
  codeTlb,
  fillPageTlb,
  flushAllCode,
  jumpEntry,
  mayBeWritten,
  noteDoubtful,
  otherJumpEntry,
  placeJump,
} from './tlb';
import { pageBytes } from './walk';

/** The maximum number of instructions in a block. */
const MAX_BLOCK = 48;
/** A block that reaches another block copies this many of its instructions before it ends there. */
const MIN_BLOCK = 12;

let hartBlock: usize = 0;
let poolNext: usize = 0;
/** The number of times that all blocks were dropped. Addresses of earlier micro-ops are invalid. */
let generation: u32 = 0;

export function resetCode(hart: usize): void {
  hartBlock = hart;
  forgetRegions(hart);
  resetPages(hart);
  emptyPool();
}

function emptyPool(): void {
  poolNext = hartBlock + UOP_POOL;
  generation++;
}

/** Drops all decoded code. */
export function flushBlocks(): void {
  forgetPages();
  emptyPool();
  flushAllCode(hartBlock);
}

/** The record of the page. If there is no room for it, it replaces all other records. */
function recordFor(page: u64): usize {
  const known = findRecord(page);
  if (known) return known;
  const record = newRecord(page);
  if (record) return record;
  flushBlocks();
  return newRecord(page);
}

/** The record of the page with `pc`, or 0 with the fault set. */
function recordAt(hart: usize, pc: u64): usize {
  const entry = codeEntry(codeTlb, pc);
  if (load<u64>(entry) == (pc & PAGE_MASK)) return load<u32>(entry, 8);
  const page = fetchPage(hart, pc);
  if (faultCode) return 0;
  const record = recordFor(page);
  if (!mayExecutePage(hart, page)) {
    if (!mayExecute(hart, page | (pc & 0xfff), 2)) setFault(FETCH_ACCESS, pc);
    else setFault(PARTIAL_PAGE, pc);
    return 0;
  }
  checkEpoch(record);
  fillPageTlb(pc, record, pageBytes);
  return record;
}

/** Enters the page with `pc` into the page TLB, because compiled code has not found it there. */
export function renewPage(hart: usize, pc: u64): void {
  recordAt(hart, pc);
}

/** Not an exception: only a part of the page may be executed, so each instruction is checked separately. */
const PARTIAL_PAGE = 64;

/** Returns the block at `pc` and enters it into the jump cache; 0 with the fault set. */
export function findBlock(hart: usize, pc: u64): usize {
  const other = otherJumpEntry(codeTlb, pc);
  if (load<u64>(other) == pc) return load<u32>(other, 8);
  const record = recordAt(hart, pc);
  if (record == 0) return faultCode == PARTIAL_PAGE + 1 ? singleBlock(hart, pc) : 0;
  const page = pageOf(record);
  const before = generation;
  const block = blockAt(record, pc);
  const entry = placeJump(pc);
  store<u64>(entry, pc);
  store<u32>(entry, block, 8);
  // When all blocks were dropped, the page was too.
  if (generation != before || mayBeWritten(pageFlags(page))) noteDoubtful(entry);
  noteRegion(entry, block);
  return block;
}

/** Tells the dispatcher whether a jump cache's entry leads to compiled code. */
@inline
function noteRegion(entry: usize, block: usize): void {
  const region = (load<u32>(block, U_IMM) << REGION_SHIFT) | load<u16>(block, U_EXTRA);
  store<u32>(entry, load<u16>(block) == PseudoOp.COMPILED ? region : 0, JUMP_REGION);
}

/** Called when the dispatcher has found no compiled code at `pc`, where some may exist by now. */
export function renewJump(jumps: usize, pc: u64): void {
  renewEntry(jumpEntry(jumps, pc), pc);
  renewEntry(otherJumpEntry(jumps, pc), pc);
}

@inline
function renewEntry(entry: usize, pc: u64): void {
  if (load<u64>(entry) == pc) noteRegion(entry, load<u32>(entry, 8));
}

/**
 * Returns the target of a branch in the same page, and notes it in the branch's micro-op for the next time.
 */
export function linkBlock(hart: usize, pc: u64, uop: usize): usize {
  const before = generation;
  const block = findBlock(hart, pc);
  if (block && generation == before && uop >= hart + UOP_POOL) store<u32>(uop, block, U_IMM);
  return block;
}

function blockAt(record: usize, pc: u64): usize {
  const block: usize = load<u32>(blockSlot(record, <u32>pc & 0xfff));
  return block ? block : newBlock(record, pc);
}

function newBlock(record: usize, pc: u64): usize {
  const offset = <u32>pc & 0xfff;
  // Code that has never run here is decoded from the page's current bytes, even before a fence.i.
  checkBytes(record);
  const compiled: usize = load<u32>(blockSlot(record, offset));
  if (compiled) return compiled;
  const page = pageOf(record);
  let block = decodeNew(page, offset);
  if (!(load<u32>(M_MODE) & MODE_JIT_ALL)) return block;
  const before = generation;
  report(hartBlock, findRecord(page), pc);
  // A translator in this thread may have dropped all blocks to make room for a compiled region.
  return generation == before ? block : blockAgain(page, offset);
}

/** Decodes the block at this offset of a page and enters it into the page's map. */
function decodeNew(page: u64, offset: u32): usize {
  if (poolNext + (MAX_BLOCK + 4) * UOP_SIZE > hartBlock + HART_STRIDE) flushBlocks();
  const record = recordFor(page);
  const block = poolNext;
  poolNext = decodeBlock(record, offset, block);
  store<u32>(blockSlot(record, offset), block);
  return block;
}

function blockAgain(page: u64, offset: u32): usize {
  const block: usize = load<u32>(blockSlot(recordFor(page), offset));
  return block ? block : decodeNew(page, offset);
}

/** Decodes instructions of the page from `offset` on to `u`. Returns the end of the micro-ops. */
function decodeBlock(record: usize, offset: u32, u: usize): usize {
  const code = codeOf(record);
  let fpChecked = false;
  for (let n = 0; n < MAX_BLOCK; n++) {
    if (offset >= PAGE_SIZE) return putGotoFar(u, PAGE_SIZE);
    if (n >= MIN_BLOCK && load<u32>(blockSlot(record, offset))) break;
    const low: u32 = load<u16>(code + offset);
    const length: u32 = (low & 3) == 3 ? 4 : 2;
    if (length == 4 && offset == PAGE_SIZE - 2) return n == 0 ? putStraddle(u, low) : putGotoFar(u, offset);
    const bits = length == 4 ? low | ((<u32>load<u16>(code + offset + 2)) << 16) : expand(low);
    if (!fpChecked && isFloatingPoint(bits)) {
      u = putFpCheck(u, offset, length);
      fpChecked = true;
    }
    const op = decode(bits, length, offset, u);
    u += UOP_SIZE;
    offset += length;
    if (endsBlock(op)) return u;
  }
  return putGotoNear(u, offset);
}

function putGotoFar(u: usize, target: u32): usize {
  store<u16>(u, PseudoOp.GOTO_FAR);
  store<u32>(u, target, U_IMM);
  return u + UOP_SIZE;
}

function putGotoNear(u: usize, target: u32): usize {
  if (target >= PAGE_SIZE) return putGotoFar(u, target);
  store<u16>(u, PseudoOp.GOTO_NEAR);
  store<u32>(u, 0, U_IMM);
  store<u16>(u, <u16>target, U_EXTRA);
  return u + UOP_SIZE;
}

function putFpCheck(u: usize, offset: u32, length: u32): usize {
  store<u16>(u, PseudoOp.FP_CHECK);
  store<u16>(u, <u16>(offset | (length >>> 2)), U_OFFSET);
  return u + UOP_SIZE;
}

/**
 * An instruction that begins in the last two bytes of a page, which is decoded when it executes, see
 * `straddle`. `low` is its first half.
 */
function putStraddle(u: usize, low: u32): usize {
  store<u16>(u, PseudoOp.STRADDLE);
  store<u32>(u, 0, U_IMM);
  store<u16>(u, (PAGE_SIZE - 2) | 1, U_OFFSET);
  store<u16>(u, <u16>low, U_EXTRA);
  return u + 4 * UOP_SIZE;
}

/**
 * Makes sure that the instruction at `pc`, whose second half is in the next page, follows the STRADDLE
 * micro-op at `u`. Returns false with the fault set if that half cannot be fetched. The first half is that of
 * the block: memory may hold a shorter instruction by now, which is no half, and only runs after a fence.i.
 */
export function straddle(hart: usize, pc: u64, u: usize): bool {
  const next = fetchHalf(hart, pc + 2);
  if (next < 0) return false;
  const bits = load<u16>(u, U_EXTRA) | ((<u32>next) << 16);
  if (load<u32>(u, U_IMM) == bits) return true;
  store<u32>(u, bits, U_IMM);
  let at = u + UOP_SIZE;
  if (isFloatingPoint(bits)) at = putFpCheck(at, PAGE_SIZE - 2, 4);
  decode(bits, 4, PAGE_SIZE - 2, at);
  putGotoFar(at + UOP_SIZE, PAGE_SIZE + 2);
  return true;
}

/** The halfword at `pc`, or -1 with the fault set. */
function fetchHalf(hart: usize, pc: u64): i32 {
  const entry = codeEntry(codeTlb, pc);
  if (load<u64>(entry) == (pc & PAGE_MASK))
    return load<u16>(hostAddress(pageOf(load<u32>(entry, 8))) + (<u32>pc & 0xffe));
  const page = fetchPage(hart, pc);
  if (faultCode) return -1;
  if (!mayExecute(hart, page | (pc & 0xfff), 2)) {
    setFault(FETCH_ACCESS, pc);
    return -1;
  }
  return load<u16>(hostAddress(page) + (<u32>pc & 0xffe));
}

/** The bits of the instruction at `pc`, as the trap value of an illegal instruction. */
export function instructionBits(hart: usize, pc: u64): u64 {
  const low = fetchHalf(hart, pc);
  if (low < 0) return 0;
  if ((low & 3) != 3) return <u64>low;
  const high = fetchHalf(hart, pc + 2);
  return high < 0 ? 0 : <u64>(<u32>low | ((<u32>high) << 16));
}

/** Returns a block with only the instruction at `pc`, valid for one execution; 0 with the fault set. */
export function singleBlock(hart: usize, pc: u64): usize {
  const low = fetchHalf(hart, pc);
  if (low < 0) return 0;
  const offset = <u32>pc & 0xfff;
  const block = hart + SCRATCH_UOPS;
  let bits = <u32>low;
  if ((low & 3) == 3) {
    if (offset == PAGE_SIZE - 2) {
      putStraddle(block, bits);
      return block;
    }
    const high = fetchHalf(hart, pc + 2);
    if (high < 0) return 0;
    bits |= (<u32>high) << 16;
  } else bits = expand(bits);
  let at = block;
  const length: u32 = (low & 3) == 3 ? 4 : 2;
  if (isFloatingPoint(bits)) at = putFpCheck(at, offset, length);
  decode(bits, length, offset, at);
  putGotoFar(at + UOP_SIZE, offset + length);
  return block;
}
