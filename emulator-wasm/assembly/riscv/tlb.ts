/**
 * The TLBs. They are direct-mapped, with 16-byte entries: the page's virtual address (or EMPTY), and the
 * number that is added to the low 32 bits of a virtual address to get the host address. Each of the last few
 * combinations of satp, privilege, SUM and MXR has a set of TLBs of its own, a context, so that switching
 * between them costs nothing. Invalid translations are never cached (Svvptc).
 */
import {
  H_MSTATUS,
  H_SATP,
  JUMP_ENTRIES,
  JUMP_HASH_SHIFT,
  JUMP_MASK,
  JUMP_OTHER,
  PAGE_TLB,
  PAGE_TLB_ENTRIES,
  PAGE_TLB_MASK,
  PAGE_WRITTEN,
  RECENT_LOADS,
  RECENT_PAGES,
  RECENT_STORES,
  RECORD_PAGE,
  STORE_TLB,
  TLB_ENTRIES,
  TLB_MASK,
} from '../../layout';
import { hostAddress, PAGE_MASK, pageFlags, PAGE_SIZE } from '../ram';
import {
  CODE_CONTEXTS,
  DATA_CONTEXTS,
  dataPrivilege,
  MACHINE_MODE,
  MXR,
  privilege,
  SUM,
  SUPERVISOR,
} from './state';

/** A page address has no low bits, so this never matches. */
const EMPTY: u8 = 0xff;

const CONTEXTS = 8;
/** log2 of TLB_ENTRIES. */
const TLB_BITS: u32 = 14;
/** The jumps to one page have this many places in a jump cache. */
const PAGE_JUMPS = PAGE_SIZE / 2;
const DATA_STRIDE = RECENT_LOADS + RECENT_PAGES * 16;
/** The bytes of consecutive entries that are emptied together, if any of them was ever filled. */
const GROUP = STORE_TLB / 128;
export const CODE_STRIDE = 0x3_0000;

// Code context: jump cache, page TLB
/** One bit per hash of a page's number, which is clear if the caches may hold that page. */
const PAGE_FILTER = PAGE_TLB + PAGE_TLB_ENTRIES * 16;
const PAGE_FILTER_BYTES = 1024;
const CODE_SIZE = PAGE_FILTER + PAGE_FILTER_BYTES;
/**
 * The entries for pages that may have been written already when the entries were filled: their number (u32),
 * and the offset of each (u32). A fence.i drops them.
 */
const DOUBTFUL = CODE_SIZE;
/** This number stands for more, which are not listed. */
const MOST_DOUBTFUL: u32 = 512;
/**
 * The other pages of the page TLB: their number (u32), and for each the virtual address (u64), the address of
 * its flags and its record (u32 each). A fence.i drops those that may have been written since. A JIT in the
 * guest executes one for each function that it writes, and most of the code that runs is not what it writes.
 */
const CLEAN = DOUBTFUL + 8 + MOST_DOUBTFUL * 4;
const MOST_CLEAN: u32 = (CODE_STRIDE - CLEAN - 8) / 16;

/** The running context's TLBs. The interpreter keeps copies in locals. */
export let dataTlb: usize = 0;
export let codeTlb: usize = 0;

// Each context's key and the span of its superpages: 32 bytes per context, in the hart's block.
const DATA_KEYS = 0x800;
const CODE_KEYS = 0x900;
const KEY_SIZE = 32;
const KEY_SATP = 0;
const KEY_MODE = 8;
const KEY_SUPER_FIRST = 16;
const KEY_SUPER_LAST = 24;
const UNUSED: u64 = 0xffff;

/** For each data context, a bit for each group of its places (two u64), which is set if one may be filled. */
const GROUPS = 0xa40;
const GROUPS_SIZE: usize = 16;

let nextData: i32 = 0;
let nextCode: i32 = 0;
let dataKey: usize = 0;
let dataGroups: usize = 0;
let codeKey: usize = 0;

export function resetTlbs(hart: usize): void {
  for (let n = 0; n < CONTEXTS; n++) {
    store<u64>(hart + DATA_KEYS + n * KEY_SIZE, UNUSED, KEY_MODE);
    store<u64>(hart + CODE_KEYS + n * KEY_SIZE, UNUSED, KEY_MODE);
    memory.fill(hart + GROUPS + n * GROUPS_SIZE, 0xff, GROUPS_SIZE);
  }
  selectContexts(hart);
}

/** Called when privilege, satp, or mstatus' MPRV, MPP, SUM or MXR may have changed. */
export function selectContexts(hart: usize): void {
  const satp = load<u64>(hart, H_SATP);
  const status = load<u64>(hart, H_MSTATUS);
  const p = privilege(hart);
  selectCode(hart, p == MACHINE_MODE ? 0 : satp, p);
  const dp = dataPrivilege(hart, status);
  const flags = status & (dp == SUPERVISOR ? SUM | MXR : MXR);
  selectData(hart, dp == MACHINE_MODE ? 0 : satp, dp == MACHINE_MODE ? dp : dp | flags);
}

function selectData(hart: usize, satp: u64, mode: u64): void {
  const n = claim(hart + DATA_KEYS, satp, mode, nextData);
  dataKey = hart + DATA_KEYS + n * KEY_SIZE;
  dataTlb = hart + DATA_CONTEXTS + n * DATA_STRIDE;
  dataGroups = hart + GROUPS + n * GROUPS_SIZE;
  if (!claimed) return;
  nextData = (n + 1) % CONTEXTS;
  flushData();
}

function selectCode(hart: usize, satp: u64, mode: u64): void {
  const n = claim(hart + CODE_KEYS, satp, mode, nextCode);
  codeKey = hart + CODE_KEYS + n * KEY_SIZE;
  codeTlb = hart + CODE_CONTEXTS + n * CODE_STRIDE;
  if (!claimed) return dropStaleJumps(hart);
  nextCode = (n + 1) % CONTEXTS;
  flushCode();
}

/** Counts fence.i. Jump caches and pages of code of an earlier epoch are checked before they are used. */
export let codeEpoch: u32 = 1;
/** The epoch of each context's jump cache (u32 each), in the hart's block. */
const CODE_EPOCHS = 0xa00;

export function fenceI(hart: usize): void {
  codeEpoch++;
  dropStaleJumps(hart);
}

/**
 * If the running context's jump cache and page TLB are of an earlier epoch, drops what may have changed
 * since then.
 */
function dropStaleJumps(hart: usize): void {
  const mark = hart + CODE_EPOCHS + ((codeTlb - hart - CODE_CONTEXTS) / CODE_STRIDE) * 4;
  if (load<u32>(mark) == codeEpoch) return;
  store<u32>(mark, codeEpoch);
  const doubtful = load<u32>(codeTlb, DOUBTFUL);
  if (doubtful == MOST_DOUBTFUL) return emptyCode();
  for (let n: u32 = 0; n < doubtful; n++) store<u64>(codeTlb + load<u32>(codeTlb + n * 4, DOUBTFUL + 4), ~0);
  store<u32>(codeTlb, 0, DOUBTFUL);
  for (let n = load<u32>(codeTlb, CLEAN); n > 0; n--) {
    if (mayBeWritten(load<u32>(cleanPage(codeTlb, n), 8))) dropClean(codeTlb, n);
  }
}

/** To be called for each entry of the running jump cache that leads to a page which is not clean. */
export function noteDoubtful(entry: usize): void {
  const doubtful = load<u32>(codeTlb, DOUBTFUL);
  if (doubtful == MOST_DOUBTFUL) return;
  store<u32>(codeTlb + doubtful * 4, <u32>(entry - codeTlb), DOUBTFUL + 4);
  store<u32>(codeTlb, doubtful + 1, DOUBTFUL);
}

function noteClean(va: u64, flags: usize, record: usize): void {
  const last = load<u32>(codeTlb, CLEAN) + 1;
  if (last > MOST_CLEAN) {
    store<u32>(codeTlb, MOST_DOUBTFUL, DOUBTFUL);
    return;
  }
  store<u32>(codeTlb, last, CLEAN);
  const entry = cleanPage(codeTlb, last);
  store<u64>(entry, va & PAGE_MASK);
  store<u32>(entry, <u32>flags, 8);
  store<u32>(entry, <u32>record, 12);
}

/** Counts from 1. */
@inline
function cleanPage(tlb: usize, n: u32): usize {
  return tlb + CLEAN - 8 + n * 16;
}

/** Drops the entries for a clean page of a context. The last clean page takes its number. */
function dropClean(tlb: usize, n: u32): void {
  const entry = cleanPage(tlb, n);
  const va = load<u64>(entry);
  const known = codeEntry(tlb, va);
  if (load<u64>(known) == va) store<u64>(known, ~0);
  // Only the two highest bits of a jump's place depend on its page alone.
  const first = tlb + ((jumpEntry(tlb, va) - tlb) & ~(PAGE_JUMPS * 16 - 1));
  for (let jump = first; jump < first + PAGE_JUMPS * 16; jump += 16) {
    if ((load<u64>(jump) & PAGE_MASK) == va) store<u64>(jump, ~0);
  }
  const last = load<u32>(tlb, CLEAN);
  memory.copy(entry, cleanPage(tlb, last), 16);
  store<u32>(tlb, last - 1, CLEAN);
}

/** Drops the entries of all contexts for a page that has been found changed. */
export function dropChanged(hart: usize, record: usize): void {
  for (let context = 0; context < CONTEXTS; context++) {
    const tlb = hart + CODE_CONTEXTS + context * CODE_STRIDE;
    for (let n = load<u32>(tlb, CLEAN); n > 0; n--) {
      if (load<u32>(cleanPage(tlb, n), 12) == record) dropClean(tlb, n);
    }
  }
}

/** Whether the last claim took a context that had another key. */
let claimed: bool = false;

/**
 * The number of the context with this key. If no context has it, an unused one, or else the `next`, takes it.
 */
function claim(keys: usize, satp: u64, mode: u64, next: i32): i32 {
  claimed = false;
  for (let n = 0; n < CONTEXTS; n++) {
    const key = keys + n * KEY_SIZE;
    const itsMode = load<u64>(key, KEY_MODE);
    if (itsMode == mode && load<u64>(key, KEY_SATP) == satp) return n;
    if (itsMode == UNUSED) next = n;
  }
  claimed = true;
  store<u64>(keys + next * KEY_SIZE, satp, KEY_SATP);
  store<u64>(keys + next * KEY_SIZE, mode, KEY_MODE);
  return next;
}

function forgetSuperpages(key: usize): void {
  store<u64>(key, ~0, KEY_SUPER_FIRST);
  store<u64>(key, 0, KEY_SUPER_LAST);
}

function noteSuperpage(key: usize, va: u64, bytes: u64): void {
  const first = va & ~(bytes - 1);
  const last = va | (bytes - 1);
  if (first < load<u64>(key, KEY_SUPER_FIRST)) store<u64>(key, first, KEY_SUPER_FIRST);
  if (last > load<u64>(key, KEY_SUPER_LAST)) store<u64>(key, last, KEY_SUPER_LAST);
}

@inline
function inSuperpage(key: usize, va: u64): bool {
  return va >= load<u64>(key, KEY_SUPER_FIRST) && va <= load<u64>(key, KEY_SUPER_LAST);
}

/** Empties the running context's load and store TLBs. */
function flushData(): void {
  for (let word: usize = 0; word < GROUPS_SIZE; word += 8) {
    for (let bits = load<u64>(dataGroups + word); bits; bits &= bits - 1) {
      const group = dataTlb + (word * 8 + <usize>ctz(bits)) * GROUP;
      memory.fill(group, EMPTY, GROUP);
      memory.fill(group + STORE_TLB, EMPTY, GROUP);
    }
    store<u64>(dataGroups + word, 0);
  }
  forgetRecent(dataTlb);
  forgetSuperpages(dataKey);
}

/** Empties the running context's jump cache and page TLB. */
function flushCode(): void {
  memory.fill(codeTlb + PAGE_FILTER, EMPTY, PAGE_FILTER_BYTES);
  emptyCode();
  forgetSuperpages(codeKey);
}

function emptyCode(): void {
  memory.fill(codeTlb, EMPTY, PAGE_FILTER);
  store<u32>(codeTlb, 0, DOUBTFUL);
  store<u32>(codeTlb, 0, CLEAN);
}

/** A context that is not running is emptied when it is claimed again. */
function discardData(key: usize): void {
  if (key == dataKey) flushData();
  else store<u64>(key, UNUSED, KEY_MODE);
}

function discardCode(key: usize): void {
  if (key == codeKey) flushCode();
  else store<u64>(key, UNUSED, KEY_MODE);
}

/** Empties every jump cache and page TLB, because their targets are gone. */
export function flushAllCode(hart: usize): void {
  for (let n = 0; n < CONTEXTS; n++) discardCode(hart + CODE_KEYS + n * KEY_SIZE);
}

export function flushAll(hart: usize): void {
  for (let n = 0; n < CONTEXTS; n++) discardData(hart + DATA_KEYS + n * KEY_SIZE);
  flushAllCode(hart);
}

@inline
function asid(satp: u64): u64 {
  return (satp >> 44) & 0xffff;
}

/** sfence.vma of one address (or all) in one address space (or in all, if asid is -1). */
export function sfence(hart: usize, oneAddress: bool, va: u64, space: i64): void {
  for (let n = 0; n < CONTEXTS; n++) {
    const data = hart + DATA_KEYS + n * KEY_SIZE;
    if (covers(data, space)) {
      const tlb = hart + DATA_CONTEXTS + n * DATA_STRIDE;
      if (!oneAddress || inSuperpage(data, va)) discardData(data);
      else flushDataPage(tlb, va);
    }
    const code = hart + CODE_KEYS + n * KEY_SIZE;
    if (covers(code, space)) {
      const tlb = hart + CODE_CONTEXTS + n * CODE_STRIDE;
      if (!oneAddress || inSuperpage(code, va) || mayHoldPage(tlb, va)) discardCode(code);
    }
  }
}

@inline
function covers(key: usize, space: i64): bool {
  if (load<u64>(key, KEY_MODE) == UNUSED) return false;
  const satp = load<u64>(key, KEY_SATP);
  return satp != 0 && (space < 0 || asid(satp) == <u64>space);
}

function flushDataPage(tlb: usize, va: u64): void {
  const page = va & PAGE_MASK;
  dropEntry(tlb + ((<u32>va >>> 8) & TLB_MASK), page);
  dropEntry(tlb + alternate(va), page);
  forgetRecent(tlb);
}

function forgetRecent(tlb: usize): void {
  memory.fill(tlb + RECENT_STORES, EMPTY, DATA_STRIDE - RECENT_STORES);
}

/** Drops the load entry and the store entry at this place if they belong to the page. */
function dropEntry(entry: usize, page: u64): void {
  if (load<u64>(entry) == page) store<u64>(entry, ~0);
  if (load<u64>(entry, STORE_TLB) == page) store<u64>(entry, ~0, STORE_TLB);
}

/**
 * The offset of the second place for a page's entry, used after another page has evicted it from the first.
 * It is never the place of the preceding page, because an access that begins there and ends in this page
 * would match it.
 */
@inline
function alternate(va: u64): usize {
  const page = <u32>(va >> 12);
  return ((page ^ ((page >>> TLB_BITS) & ~1) ^ (TLB_ENTRIES >>> 1)) << 4) & TLB_MASK;
}

/** Notes that the running context's load or store entry at this offset is filled. */
@inline
function noteGroup(offset: usize): void {
  const group = offset / GROUP;
  const word = dataGroups + (group >> 6) * 8;
  store<u64>(word, load<u64>(word) | ((<u64>1) << (group & 63)));
}

/** Puts an entry in its place, and moves the entry that was there to its second place. */
function place(tlb: usize, page: u64, addend: u32): usize {
  const offset: usize = (<u32>page >>> 8) & TLB_MASK;
  const entry = tlb + offset;
  noteGroup(offset);
  const before = load<u64>(entry);
  if (before != ~0 && before != page) {
    const other = tlb + alternate(before);
    noteGroup(alternate(before));
    store<u64>(other, before);
    store<u32>(other, load<u32>(entry, 8), 8);
  }
  store<u64>(entry, page);
  store<u32>(entry, addend, 8);
  return entry;
}

/** Returns the entry of the page with `va`, moved back from its second place; 0 if it is not there either. */
export function recall(va: u64, storing: bool): usize {
  const tlb = dataTlb + (storing ? STORE_TLB : 0);
  const other = tlb + alternate(va);
  if (load<u64>(other) != (va & PAGE_MASK)) return 0;
  store<u64>(other, ~0);
  return place(tlb, va & PAGE_MASK, load<u32>(other, 8));
}

/** Enters a page of guest RAM into the running context's load or store TLB. */
export function fillTlb(va: u64, pa: u64, storing: bool, pageBytes: u64): void {
  const page = va & PAGE_MASK;
  place(dataTlb + (storing ? STORE_TLB : 0), page, <u32>hostAddress(pa & PAGE_MASK) - <u32>page);
  if (pageBytes > PAGE_SIZE) noteSuperpage(dataKey, va, pageBytes);
}

@inline
function filterByte(tlb: usize, va: u64): usize {
  return tlb + PAGE_FILTER + ((<u32>(va >> 12) >>> 3) & (PAGE_FILTER_BYTES - 1));
}
@inline
function filterBit(va: u64): u32 {
  return 1 << (<u32>(va >> 12) & 7);
}
function mayHoldPage(tlb: usize, va: u64): bool {
  return !(load<u8>(filterByte(tlb, va)) & filterBit(va));
}

/** Enters the record of the page of code at `va` into the running context. */
export function fillPageTlb(va: u64, record: usize, pageBytes: u64): void {
  if (pageBytes > PAGE_SIZE) noteSuperpage(codeKey, va, pageBytes);
  const entry = codeEntry(codeTlb, va);
  store<u64>(entry, va & PAGE_MASK);
  store<u32>(entry, record, 8);
  const flags = pageFlags(load<u64>(record, RECORD_PAGE));
  if (mayBeWritten(flags)) noteDoubtful(entry);
  else noteClean(va, flags, record);
  const filter = filterByte(codeTlb, va);
  store<u8>(filter, load<u8>(filter) & ~filterBit(va));
}

/** Whether the page with these flags may have been written since it was last compared with its copy. */
@inline
export function mayBeWritten(flags: usize): bool {
  return (atomic.load<u8>(flags) & PAGE_WRITTEN) != 0;
}

/** The first place of `pc` in a jump cache. Equal offsets in different pages should get different ones. */
@inline
export function jumpEntry(jumps: usize, pc: u64): usize {
  return jumps + (((<u32>pc ^ <u32>(pc >> JUMP_HASH_SHIFT)) << 3) & JUMP_MASK);
}

/** The second place of `pc` in a jump cache. */
@inline
export function otherJumpEntry(jumps: usize, pc: u64): usize {
  return jumpEntry(jumps, pc) ^ JUMP_OTHER;
}

let lastReplaced: usize = 0;

/** The place for `pc`, whose second place has another address: an empty one, or else the two in turn. */
export function placeJump(pc: u64): usize {
  const first = jumpEntry(codeTlb, pc);
  const before = load<u64>(first);
  if (before == pc || before == ~0) return first;
  if (load<u64>(first ^ JUMP_OTHER) == ~0) return first ^ JUMP_OTHER;
  lastReplaced ^= JUMP_OTHER;
  return first ^ lastReplaced;
}

@inline
export function codeEntry(tlb: usize, va: u64): usize {
  return tlb + PAGE_TLB + ((<u32>va >>> 8) & PAGE_TLB_MASK);
}

/** Drops those of the entries from `first` on that point to a page at this host address. */
function dropEntriesOf(host: u32, first: usize, bytes: usize): void {
  for (let entry = first; entry < first + bytes; entry += 16) {
    if (<u32>load<u64>(entry) + load<u32>(entry, 8) == host) store<u64>(entry, ~0);
  }
}

/** Drops the store TLB entries of all contexts that point to this page. */
export function dropStoreEntries(hart: usize, page: u64): void {
  const host = <u32>hostAddress(page);
  for (let n = 0; n < CONTEXTS; n++) {
    const tlb = hart + DATA_CONTEXTS + n * DATA_STRIDE + STORE_TLB;
    dropEntriesOf(host, tlb + RECENT_STORES - STORE_TLB, RECENT_LOADS - RECENT_STORES);
    const filled = hart + GROUPS + n * GROUPS_SIZE;
    for (let word: usize = 0; word < GROUPS_SIZE; word += 8) {
      for (let bits = load<u64>(filled + word); bits; bits &= bits - 1)
        dropEntriesOf(host, tlb + (word * 8 + <usize>ctz(bits)) * GROUP, GROUP);
    }
  }
}
