/**
 * Decoded code: blocks of micro-ops, kept by physical address.
 *
 * Each page of RAM that was executed has a record with a map from the offset in the page to the
 * block that starts there. A block runs on through branches not taken and ends at a jump, the end
 * of the page, or where another block begins. Branches inside a page hold a link to their target
 * block; all that crosses pages goes through the jump cache, keyed by virtual address.
 *
 * fence.i starts a new epoch: the jump caches are emptied, and the first entry into a page
 * afterwards compares the page with what was decoded, if it may have been written meanwhile. As
 * links never leave a page, nothing stale can be reached.
 */
import {
  HART_STRIDE,
  H_INSTRET,
  JUMP_ENTRIES,
  JUMP_REGION,
  M_HARTS,
  M_MODE,
  M_PAGE_FLAGS,
  M_RAM_SIZE,
  MODE_FIRMWARE,
  MODE_JIT_ALL,
  PAGE_STORED,
  PAGE_WRITTEN,
  RAM_START,
  REGION_SHIFT,
} from '../layout';
import { expand } from './compressed';
import { decode, endsBlock, isFloatingPoint } from './decode';
import { fetchPage, mayExecute, mayExecutePage } from './access';
import { firstRegion, forgetRegions, nextRegion, R_ENTRIES, regionEntries, report } from './regions';
import {
  CODE_STRIDE,
  codeEntry,
  codeTlb,
  dropStoreEntries,
  fillPageTlb,
  flushAllCode,
  jumpEntry,
} from './tlb';
import { pageBytes } from './walk';
import { Op, U_EXTRA, U_IMM, U_OFFSET, UOP_SIZE } from './opcodes';
import {
  CODE_CONTEXTS,
  FETCH_ACCESS,
  faultCode,
  hostAddress,
  PAGE_INDEX,
  PAGE_MASK,
  PAGE_RECORDS,
  PAGE_SIZE,
  REGIONS,
  SCRATCH_UOPS,
  setFault,
  UOP_POOL,
} from './state';

/** Most instructions in a block. */
const MAX_BLOCK = 48;
/** Before a block is ended to go on in one that is there already, it copies this many instructions of it. */
const MIN_BLOCK = 12;

// Page record
const R_PAGE = 0; // u64 physical address
const R_EPOCH = 8; // u32
const R_HEAT = 12; // u32 how many samples were interpreted code of it
const R_HASH = 16; // u64 of the page's bytes
const R_PATIENCE = 24; // u32 how much heat until the page is reported
const R_MAP = 32; // u32 micro-op address for each halfword, 0 if none
const RECORD_SIZE = R_MAP + (PAGE_SIZE / 2) * 4;
const MAX_RECORDS: u32 = (REGIONS - PAGE_RECORDS) / RECORD_SIZE;

let hartBlock: usize = 0;
let recordCount: u32 = 0;
let poolNext: usize = 0;
let epoch: u32 = 1;
/** How often everything was thrown away: micro-op addresses from before are dead. */
let generation: u32 = 0;

export function resetCode(hart: usize): void {
  hartBlock = hart;
  forgetRegions(hart);
  memory.fill(hart + PAGE_INDEX, 0, (<usize>(load<u64>(M_RAM_SIZE) >> 12)) << 2);
  forgetBlocks();
}

function forgetBlocks(): void {
  recordCount = 0;
  poolNext = hartBlock + UOP_POOL;
  generation++;
}

export function fenceI(hart: usize): void {
  epoch++;
  dropCodeLinks(codeTlb);
}

/** Empties a context's jump cache if it dates from before the last fence.i. */
export function dropCodeLinks(tlb: usize): void {
  const mark = hartBlock + CONTEXT_EPOCHS + ((tlb - hartBlock - CODE_CONTEXTS) / CODE_STRIDE) * 4;
  if (load<u32>(mark) == epoch) return;
  store<u32>(mark, epoch);
  memory.fill(tlb, 0xff, JUMP_ENTRIES * 16);
}
const CONTEXT_EPOCHS = 0xa00;

/** Throws away all decoded code, when there is no room for more. */
export function flushCodePages(): void {
  for (let n: u32 = 0; n < recordCount; n++) {
    const record = hartBlock + PAGE_RECORDS + n * RECORD_SIZE;
    store<u32>(indexSlot(load<u64>(record, R_PAGE)), 0);
  }
  forgetBlocks();
  flushAllCode(hartBlock);
}

@inline
function indexSlot(page: u64): usize {
  return hartBlock + PAGE_INDEX + ((<usize>((page - RAM_START) >> 12)) << 2);
}
@inline
function pageFlags(page: u64): usize {
  return load<u32>(M_PAGE_FLAGS) + <usize>((page - RAM_START) >> 12);
}

@inline
function pageHash(page: u64): u64 {
  return hashPage(hostAddress(page));
}

/** A hash of the page at the host's address. */
export function hashPage(host: usize): u64 {
  let a: u64 = 0x9e37_79b9_7f4a_7c15;
  let b: u64 = 0xc2b2_ae3d_27d4_eb4f;
  for (let at = host; at < host + PAGE_SIZE; at += 16) {
    a = rotl<u64>(a ^ load<u64>(at), 29) * 0x9e37_79b9_7f4a_7c15;
    b = rotl<u64>(b ^ load<u64>(at, 8), 31) * 0xc2b2_ae3d_27d4_eb4f;
  }
  return a ^ rotl<u64>(b, 17);
}

/**
 * With one hart, dropping its store TLB entries makes the flag exact again. With several, others
 * may hold such entries, so the flag stays and the page is compared after every fence.i.
 */
function clearWritten(page: u64): void {
  const flags = pageFlags(page);
  const before = atomic.load<u8>(flags);
  if (!(before & PAGE_WRITTEN) || load<u32>(M_HARTS) > 1) return;
  if (before & PAGE_STORED) dropStoreEntries(hartBlock, page);
  atomic.and<u8>(flags, <u8>~(PAGE_WRITTEN | PAGE_STORED));
}

function newRecord(page: u64): usize {
  if (recordCount == MAX_RECORDS) flushCodePages();
  const record = hartBlock + PAGE_RECORDS + recordCount++ * RECORD_SIZE;
  store<u64>(record, page, R_PAGE);
  store<u32>(indexSlot(page), record);
  adopt(record, page);
  return record;
}

/** Makes the record stand for what the page holds now, with no block decoded. */
function adopt(record: usize, page: u64): void {
  clearWritten(page);
  store<u64>(record, pageHash(page), R_HASH);
  store<u32>(record, epoch, R_EPOCH);
  store<u32>(record, 0, R_HEAT);
  store<u32>(record, FIRST_PATIENCE, R_PATIENCE);
  emptyMap(record);
}

/** Forgets the blocks, but for those that are compiled from the same bytes. */
function emptyMap(record: usize): void {
  memory.fill(record + R_MAP, 0, RECORD_SIZE - R_MAP);
  const page = load<u64>(record, R_PAGE);
  const hash = load<u64>(record, R_HASH);
  for (let region = firstRegion(page, hash); region; region = nextRegion(region)) enterRegion(record, region);
}

/** Makes the region's entries the blocks at their offsets, for good: other blocks may be linked to what was there. */
function enterRegion(record: usize, region: usize): void {
  const entries = regionEntries(region);
  for (let n = 0; n < entries; n++) {
    const entry = region + R_ENTRIES + n * UOP_SIZE;
    const slot = record + R_MAP + (load<u16>(entry, U_OFFSET) & 0xffe) * 2;
    const before: usize = load<u32>(slot);
    if (before == 0) store<u32>(slot, entry);
    else if (n == 0 || load<u16>(before) != Op.COMPILED) memory.copy(before, entry, UOP_SIZE);
  }
}

/** Lets a newly compiled region run where the page still is what it was compiled from. */
export function adoptRegion(page: u64, hash: u64, region: usize): void {
  const record: usize = load<u32>(indexSlot(page));
  if (record && load<u64>(record, R_HASH) == hash) enterRegion(record, region);
}

/**
 * Notes that a quantum ended here, or that compiled code was left; code where that happens often is reported to the
 * translator. Early on only loops count, that is, a page in which two quanta end in a row: what most
 * programs run in their first second they do not run long enough to pay for its compilation. A booting Linux and a first
 * short command do not even pay for the translator's start.
 */
export function sample(hart: usize, pc: u64): void {
  const retired = load<u64>(hart, H_INSTRET);
  if (retired < STARTING && load<u32>(M_MODE) & MODE_FIRMWARE) return;
  const entry = codeEntry(codeTlb, pc);
  if (load<u64>(entry) != (pc & PAGE_MASK)) return;
  const record: usize = load<u32>(entry, 8);
  const again = record == lastSampled;
  lastSampled = record;
  if (!again && retired < EARLY) return;
  const offset = <u32>pc & 0xfff;
  const block: usize = load<u32>(record + offset * 2, R_MAP);
  if (block == 0 || load<u16>(block) == Op.COMPILED) return;
  const heat = load<u32>(record, R_HEAT) + 1;
  const patience = load<u32>(record, R_PATIENCE);
  store<u32>(record, heat, R_HEAT);
  if (heat < patience) return;
  if (!report(hart, load<u64>(record, R_PAGE), load<u64>(record, R_HASH), offset, record + R_MAP)) return;
  store<u32>(record, 0, R_HEAT);
  store<u32>(record, min<u32>(patience + MORE_PATIENCE, MOST_PATIENCE), R_PATIENCE);
}
let lastSampled: usize = 0;
/** In instructions. */
const STARTING: u64 = 150_000_000;
const EARLY: u64 = 200_000_000;
/** So many samples report a page, and so many more each time after. */
const FIRST_PATIENCE: u32 = 8;
const MORE_PATIENCE: u32 = 16;
const MOST_PATIENCE: u32 = 256;

/** Drops the record's blocks if the page's bytes are others than those they were decoded from. */
function verify(record: usize): void {
  const page = load<u64>(record, R_PAGE);
  if (atomic.load<u8>(pageFlags(page)) & PAGE_WRITTEN) {
    clearWritten(page);
    if (pageHash(page) != load<u64>(record, R_HASH)) adopt(record, page);
  }
  store<u32>(record, epoch, R_EPOCH);
}

/** The record of the page with `pc`, or 0 with the fault set. */
function recordOf(hart: usize, pc: u64): usize {
  const entry = codeEntry(codeTlb, pc);
  if (load<u64>(entry) == (pc & PAGE_MASK)) return load<u32>(entry, 8);
  const page = fetchPage(hart, pc);
  if (faultCode) return 0;
  let record: usize = load<u32>(indexSlot(page));
  if (record == 0) record = newRecord(page);
  if (!mayExecutePage(hart, page)) {
    if (!mayExecute(hart, page | (pc & 0xfff), 2)) setFault(FETCH_ACCESS, pc);
    else setFault(PARTIAL_PAGE, pc);
    return 0;
  }
  fillPageTlb(pc, record, pageBytes);
  return record;
}
/** Not an exception: only a part of the page may be executed, so each instruction is checked by itself. */
const PARTIAL_PAGE = 64;

/** The block to run at `pc`, entered into the jump cache; 0 with the fault set. */
export function findBlock(hart: usize, pc: u64): usize {
  const record = recordOf(hart, pc);
  if (record == 0) return faultCode == PARTIAL_PAGE + 1 ? singleBlock(hart, pc) : 0;
  const block = blockAt(record, <u32>pc & 0xfff);
  const entry = jumpEntry(codeTlb, pc);
  store<u64>(entry, pc);
  store<u32>(entry, block, 8);
  noteRegion(entry, block);
  return block;
}

/** Tells the dispatcher whether what is compiled goes on at a jump cache's entry. */
@inline
function noteRegion(entry: usize, block: usize): void {
  const region = (load<u32>(block, U_IMM) << REGION_SHIFT) | load<u16>(block, U_EXTRA);
  store<u32>(entry, load<u16>(block) == Op.COMPILED ? region : 0, JUMP_REGION);
}

/** The dispatcher has found nothing compiled at `pc`; there may be by now. */
export function renewJump(jumps: usize, pc: u64): void {
  const entry = jumpEntry(jumps, pc);
  if (load<u64>(entry) == pc) noteRegion(entry, load<u32>(entry, 8));
}

/** The target of a branch in the same page, noted in its micro-op for the next time. */
export function linkBlock(hart: usize, pc: u64, uop: usize): usize {
  const before = generation;
  const block = findBlock(hart, pc);
  if (block && generation == before && uop >= hart + UOP_POOL) store<u32>(uop, block, U_IMM);
  return block;
}

function blockAt(record: usize, offset: u32): usize {
  if (load<u32>(record, R_EPOCH) != epoch) verify(record);
  const block: usize = load<u32>(record + offset * 2, R_MAP);
  return block ? block : newBlock(record, offset);
}

function newBlock(record: usize, offset: u32): usize {
  const page = load<u64>(record, R_PAGE);
  if (atomic.load<u8>(pageFlags(page)) & PAGE_WRITTEN) {
    // Blocks of one page must all stem from the same bytes, or comparing them later means nothing.
    const hash = pageHash(page);
    if (hash != load<u64>(record, R_HASH)) {
      store<u64>(record, hash, R_HASH);
      emptyMap(record);
      const compiled: usize = load<u32>(record + offset * 2, R_MAP);
      if (compiled) return compiled;
    }
  }
  if (poolNext + (MAX_BLOCK + 4) * UOP_SIZE > hartBlock + HART_STRIDE) {
    flushCodePages();
    record = newRecord(page);
  }
  const block = poolNext;
  poolNext = decodeBlock(record, hostAddress(page), offset, MAX_BLOCK, block);
  store<u32>(record + offset * 2, block, R_MAP);
  if (load<u32>(M_MODE) & MODE_JIT_ALL)
    report(hartBlock, page, load<u64>(record, R_HASH), offset, record + R_MAP);
  return block;
}

/** Decodes up to `most` instructions from `offset` on to `u`; returns the end of the micro-ops. */
function decodeBlock(record: usize, host: usize, offset: u32, most: i32, u: usize): usize {
  let fpChecked = false;
  for (let n = 0; n < most; n++) {
    if (offset >= PAGE_SIZE) return putGotoFar(u, PAGE_SIZE);
    if (n >= MIN_BLOCK && record && load<u32>(record + offset * 2, R_MAP)) break;
    const low: u32 = load<u16>(host + offset);
    const length: u32 = (low & 3) == 3 ? 4 : 2;
    if (length == 4 && offset == PAGE_SIZE - 2) return n == 0 ? putStraddle(u) : putGotoFar(u, offset);
    const bits = length == 4 ? low | ((<u32>load<u16>(host + offset + 2)) << 16) : expand(low);
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
  store<u16>(u, Op.GOTO_FAR);
  store<u32>(u, target, U_IMM);
  return u + UOP_SIZE;
}

function putGotoNear(u: usize, target: u32): usize {
  if (target >= PAGE_SIZE) return putGotoFar(u, target);
  store<u16>(u, Op.GOTO_NEAR);
  store<u32>(u, 0, U_IMM);
  store<u16>(u, <u16>target, U_EXTRA);
  return u + UOP_SIZE;
}

function putFpCheck(u: usize, offset: u32, length: u32): usize {
  store<u16>(u, Op.FP_CHECK);
  store<u16>(u, <u16>(offset | (length >>> 2)), U_OFFSET);
  return u + UOP_SIZE;
}

/** An instruction in the last two bytes of a page: decoded when executed, see `straddle`. */
function putStraddle(u: usize): usize {
  store<u16>(u, Op.STRADDLE);
  store<u32>(u, 0, U_IMM);
  store<u16>(u, (PAGE_SIZE - 2) | 1, U_OFFSET);
  return u + 4 * UOP_SIZE;
}

/**
 * Makes sure that what follows the STRADDLE micro-op at `u` is the instruction at `pc`, whose
 * second half is in the next page. False with the fault set if that half cannot be fetched.
 */
export function straddle(hart: usize, pc: u64, u: usize): bool {
  const next = fetchHalf(hart, pc + 2);
  if (next < 0) return false;
  const first = fetchHalf(hart, pc);
  const bits = <u32>first | ((<u32>next) << 16);
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
    return load<u16>(hostAddress(load<u64>(load<u32>(entry, 8), R_PAGE)) + (<u32>pc & 0xffe));
  const page = fetchPage(hart, pc);
  if (faultCode) return -1;
  if (!mayExecute(hart, page | (pc & 0xfff), 2)) {
    setFault(FETCH_ACCESS, pc);
    return -1;
  }
  return load<u16>(hostAddress(page) + (<u32>pc & 0xffe));
}

/** The bits of the instruction at `pc`, for the trap value of an illegal instruction. */
export function instructionBits(hart: usize, pc: u64): u64 {
  const low = fetchHalf(hart, pc);
  if (low < 0) return 0;
  if ((low & 3) != 3) return <u64>low;
  const high = fetchHalf(hart, pc + 2);
  return high < 0 ? 0 : <u64>(<u32>low | ((<u32>high) << 16));
}

/** A block of just the instruction at `pc`, valid for one execution; 0 with the fault set. */
export function singleBlock(hart: usize, pc: u64): usize {
  const low = fetchHalf(hart, pc);
  if (low < 0) return 0;
  const offset = <u32>pc & 0xfff;
  const block = hart + SCRATCH_UOPS;
  let bits = <u32>low;
  if ((low & 3) == 3) {
    if (offset == PAGE_SIZE - 2) {
      putStraddle(block);
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
