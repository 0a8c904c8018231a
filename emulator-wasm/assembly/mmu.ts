/**
 * Address translation: Sv39 page walks and the TLBs.
 *
 * A TLB is direct-mapped with 16-byte entries: the page's virtual address (or EMPTY), and what to
 * add to the low 32 bits of a virtual address to get the host address. One set of TLBs, a context,
 * is kept for each of the last few combinations of satp, privilege, SUM and MXR, so that switching
 * between them costs nothing. Invalid translations are never cached (Svvptc).
 */
import {
  H_MSTATUS, H_PMPCFG, H_REQUEST, H_SATP, M_HARTS, M_PAGE_FLAGS, PAGE_WRITTEN, RAM_START,
  REQUEST_FENCE_I, REQUEST_SFENCE,
} from "../layout";
import { busFault, busRead, busWrite } from "./bus";
import { dropCodeLinks, fenceI, flushCodePages } from "./code";
import { htifStore, isHtifPage } from "./htif";
import { Access, pmpCheck, PmpAnswer } from "./pmp";
import {
  clearFault, CODE_CONTEXTS, DATA_CONTEXTS, faultCode, FETCH_ACCESS, FETCH_PAGE_FAULT, hostAddress, inRam,
  LOAD_ACCESS, LOAD_MISALIGNED, LOAD_PAGE_FAULT, MACHINE_MODE, MPRV, MXR, PAGE_MASK, PAGE_SIZE, privilege, setFault,
  STORE_ACCESS, STORE_MISALIGNED, STORE_PAGE_FAULT, SUM, SUPERVISOR, USER,
} from "./state";

/** Entries of a load or store TLB, and the mask that turns va >>> 8 into an entry's offset. */
const TLB_ENTRIES = 512;
export const TLB_MASK = (TLB_ENTRIES - 1) * 16;
export const STORE_TLB = TLB_ENTRIES * 16;
/** No page address has low bits, so this never matches. */
const EMPTY: u8 = 0xff;

const CONTEXTS = 8;
const DATA_STRIDE = 2 * TLB_ENTRIES * 16;
export const CODE_STRIDE = 0x1_0000;

// Code context: jump cache, page TLB
export const JUMP_ENTRIES = 2048;
export const JUMP_MASK = (JUMP_ENTRIES - 1) * 16;
export const PAGE_TLB = JUMP_ENTRIES * 16;
export const PAGE_TLB_ENTRIES = 128;
/** A bit for each hash of a page's number: clear when the caches may hold that page. */
const PAGE_FILTER = PAGE_TLB + PAGE_TLB_ENTRIES * 16;
const PAGE_FILTER_BYTES = 64;
const CODE_SIZE = PAGE_FILTER + PAGE_FILTER_BYTES;

/** The running context's TLBs; the interpreter keeps copies in locals. */
export let dataTlb: usize = 0;
export let codeTlb: usize = 0;

// Each context's key and the span of the superpages it holds: 32 bytes a context, in the hart's block.
const DATA_KEYS = 0x800;
const CODE_KEYS = 0x900;
const KEY_SIZE = 32;
const KEY_SATP = 0;
const KEY_MODE = 8;
const KEY_SUPER_FIRST = 16;
const KEY_SUPER_LAST = 24;
const UNUSED: u64 = 0xffff;

let nextData: i32 = 0;
let nextCode: i32 = 0;
let dataKey: usize = 0;
let codeKey: usize = 0;

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

export function resetMmu(hart: usize): void {
  for (let n = 0; n < CONTEXTS; n++) {
    store<u64>(hart + DATA_KEYS + n * KEY_SIZE, UNUSED, KEY_MODE);
    store<u64>(hart + CODE_KEYS + n * KEY_SIZE, UNUSED, KEY_MODE);
  }
  selectContexts(hart);
}

/** The privilege loads and stores are made with. */
@inline function dataPrivilege(hart: usize, status: u64): u32 {
  const p = privilege(hart);
  return p == MACHINE_MODE && status & MPRV ? <u32>(status >> 11) & 3 : p;
}

/** To be called when privilege, satp, or mstatus' MPRV, MPP, SUM or MXR may have changed. */
export function selectContexts(hart: usize): void {
  const satp = load<u64>(hart, H_SATP);
  const status = load<u64>(hart, H_MSTATUS);
  const p = privilege(hart);
  selectCode(hart, p == MACHINE_MODE ? 0 : satp, p);
  const dp = dataPrivilege(hart, status);
  const flags = status & (dp == SUPERVISOR ? SUM | MXR : MXR);
  selectData(hart, dp == MACHINE_MODE ? 0 : satp, dp == MACHINE_MODE ? dp : dp | flags);
}

@inline function isKey(key: usize, satp: u64, mode: u64): bool {
  return load<u64>(key, KEY_SATP) == satp && load<u64>(key, KEY_MODE) == mode;
}

@inline function setKey(key: usize, satp: u64, mode: u64): void {
  store<u64>(key, satp, KEY_SATP);
  store<u64>(key, mode, KEY_MODE);
}

function selectData(hart: usize, satp: u64, mode: u64): void {
  const keys = hart + DATA_KEYS;
  let n = 0;
  while (n < CONTEXTS && !isKey(keys + n * KEY_SIZE, satp, mode)) n++;
  const found = n < CONTEXTS;
  if (!found) {
    n = nextData;
    nextData = (nextData + 1) % CONTEXTS;
  }
  dataKey = keys + n * KEY_SIZE;
  dataTlb = hart + DATA_CONTEXTS + n * DATA_STRIDE;
  if (found) return;
  setKey(dataKey, satp, mode);
  flushData(dataKey, dataTlb);
}

function selectCode(hart: usize, satp: u64, mode: u64): void {
  const keys = hart + CODE_KEYS;
  let n = 0;
  while (n < CONTEXTS && !isKey(keys + n * KEY_SIZE, satp, mode)) n++;
  const found = n < CONTEXTS;
  if (!found) {
    n = nextCode;
    nextCode = (nextCode + 1) % CONTEXTS;
  }
  codeKey = keys + n * KEY_SIZE;
  codeTlb = hart + CODE_CONTEXTS + n * CODE_STRIDE;
  if (!found) {
    setKey(codeKey, satp, mode);
    flushCode(codeKey, codeTlb);
  } else dropCodeLinks(codeTlb);
}

function forgetSuperpages(key: usize): void {
  store<u64>(key, ~0, KEY_SUPER_FIRST);
  store<u64>(key, 0, KEY_SUPER_LAST);
}

function noteSuperpage(key: usize, first: u64, last: u64): void {
  if (first < load<u64>(key, KEY_SUPER_FIRST)) store<u64>(key, first, KEY_SUPER_FIRST);
  if (last > load<u64>(key, KEY_SUPER_LAST)) store<u64>(key, last, KEY_SUPER_LAST);
}

@inline function inSuperpage(key: usize, va: u64): bool {
  return va >= load<u64>(key, KEY_SUPER_FIRST) && va <= load<u64>(key, KEY_SUPER_LAST);
}

function flushData(key: usize, tlb: usize): void {
  memory.fill(tlb, EMPTY, DATA_STRIDE);
  forgetSuperpages(key);
}

function flushCode(key: usize, tlb: usize): void {
  memory.fill(tlb, EMPTY, CODE_SIZE);
  forgetSuperpages(key);
}

/** Empties every jump cache and page TLB: what they point to is gone. */
export function flushAllCode(hart: usize): void {
  for (let n = 0; n < CONTEXTS; n++) flushCode(hart + CODE_KEYS + n * KEY_SIZE, hart + CODE_CONTEXTS + n * CODE_STRIDE);
}

/** Empties the TLBs of all contexts that are in use. */
export function flushAll(hart: usize): void {
  for (let n = 0; n < CONTEXTS; n++) {
    const data = hart + DATA_KEYS + n * KEY_SIZE;
    const code = hart + CODE_KEYS + n * KEY_SIZE;
    if (load<u64>(data, KEY_MODE) != UNUSED) flushData(data, hart + DATA_CONTEXTS + n * DATA_STRIDE);
    if (load<u64>(code, KEY_MODE) != UNUSED) flushCode(code, hart + CODE_CONTEXTS + n * CODE_STRIDE);
  }
}

@inline function asid(satp: u64): u64 { return (satp >> 44) & 0xffff; }

/** sfence.vma of one address (or all) in one address space (or all); the latter when asid is -1. */
export function sfence(hart: usize, oneAddress: bool, va: u64, space: i64): void {
  for (let n = 0; n < CONTEXTS; n++) {
    const data = hart + DATA_KEYS + n * KEY_SIZE;
    if (covers(data, space)) {
      const tlb = hart + DATA_CONTEXTS + n * DATA_STRIDE;
      if (!oneAddress || inSuperpage(data, va)) flushData(data, tlb);
      else flushDataPage(tlb, va);
    }
    const code = hart + CODE_KEYS + n * KEY_SIZE;
    if (covers(code, space)) {
      const tlb = hart + CODE_CONTEXTS + n * CODE_STRIDE;
      if (!oneAddress || inSuperpage(code, va) || mayHoldPage(tlb, va)) flushCode(code, tlb);
    }
  }
}

@inline function covers(key: usize, space: i64): bool {
  if (load<u64>(key, KEY_MODE) == UNUSED) return false;
  const satp = load<u64>(key, KEY_SATP);
  return satp != 0 && (space < 0 || asid(satp) == <u64>space);
}

function flushDataPage(tlb: usize, va: u64): void {
  const entry = tlb + ((<u32>va >>> 8) & TLB_MASK);
  store<u64>(entry, ~0);
  store<u64>(entry, ~0, STORE_TLB);
}

/** What other harts asked of this one. */
export function serveRequests(hart: usize): void {
  const request = atomic.load<u32>(hart, H_REQUEST);
  if (request == 0) return;
  if (request & REQUEST_SFENCE) flushAll(hart);
  if (request & REQUEST_FENCE_I) fenceI(hart);
  atomic.and<u32>(hart, ~request, H_REQUEST);
  atomic.notify(hart + H_REQUEST, -1);
}

// ---- Page walk ----------------------------------------------------------------------------

/** Of the last translation: size of its page, and whether a store needs no further update. */
let pageBytes: u64 = 0;
let pageWritable: bool = false;
let pageUser: bool = false;

@inline function pageFault(access: i32): i32 {
  return access == Access.FETCH ? FETCH_PAGE_FAULT : access == Access.LOAD ? LOAD_PAGE_FAULT : STORE_PAGE_FAULT;
}
@inline function accessFault(access: i32): i32 {
  return access == Access.FETCH ? FETCH_ACCESS : access == Access.LOAD ? LOAD_ACCESS : STORE_ACCESS;
}

/** Whether a leaf PTE lets this access pass (4.3.2, steps 6 and 7). */
function permitted(pte: u64, access: i32, priv: u32, status: u64): bool {
  if (pte & U) {
    if (priv == SUPERVISOR && (access == Access.FETCH || !(status & SUM))) return false;
  } else if (priv == USER) return false;
  switch (access) {
    case Access.FETCH: return (pte & X) != 0;
    case Access.LOAD: return (pte & R) != 0 || ((status & MXR) != 0 && (pte & X) != 0);
    default: return (pte & W) != 0;
  }
}

/** The physical address of `va`, or sets the fault. */
function translate(hart: usize, va: u64, access: i32): u64 {
  const status = load<u64>(hart, H_MSTATUS);
  const priv = access == Access.FETCH ? privilege(hart) : dataPrivilege(hart, status);
  const satp = load<u64>(hart, H_SATP);
  if (priv == MACHINE_MODE || satp >> 60 == 0) {
    pageBytes = PAGE_SIZE;
    pageWritable = true;
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
    let pte = atomic.load<u64>(host);
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
      // Somebody else changed the entry meanwhile: walk again from the top.
      if (atomic.cmpxchg<u64>(host, pte, marked) != pte) {
        table = (satp & 0xfff_ffff_ffff) << 12;
        level = 3;
        continue;
      }
      markWritten(pa);
      pte = marked;
    }
    pageBytes = span;
    pageWritable = (pte & D) != 0;
    pageUser = (pte & U) != 0;
    return page | (va & (span - 1));
  }
  return fail(pageFault(access), va);
}

function fail(cause: i32, va: u64): u64 {
  setFault(cause, va);
  return 0;
}

/** False while the PMP lets everything pass, as it does under our own firmware. */
let pmpActive: bool = false;

/** To be called when a PMP register or the reset state changes. */
export function pmpChanged(hart: usize, firmware: bool): void {
  pmpActive = !firmware;
  flushAll(hart);
}

@inline function markWritten(pa: u64): void {
  store<u8>(load<u32>(M_PAGE_FLAGS) + <usize>((pa - RAM_START) >> 12), PAGE_WRITTEN);
}

// ---- Loads and stores that missed the TLB -------------------------------------------------

/** Physical address of [va, va + size), which lies in one page, checked by the PMP; fills the TLB. */
function resolve(hart: usize, va: u64, size: u64, access: i32): u64 {
  const pa = translate(hart, va, access);
  if (faultCode) return 0;
  let cacheable = inRam(pa & PAGE_MASK, PAGE_SIZE);
  if (pmpActive) {
    const priv = dataPrivilege(hart, load<u64>(hart, H_MSTATUS));
    let answer = pmpCheck(hart, pa & PAGE_MASK, PAGE_SIZE, access, priv);
    if (answer == PmpAnswer.MIXED) {
      cacheable = false;
      answer = pmpCheck(hart, pa, size, access, priv);
    }
    if (answer != PmpAnswer.ALLOWED) return fail(accessFault(access), va);
  }
  if (cacheable) fill(va, pa, access);
  return pa;
}

function fill(va: u64, pa: u64, access: i32): void {
  const page = va & PAGE_MASK;
  const addend = <u32>hostAddress(pa & PAGE_MASK) - <u32>page;
  const entry = dataTlb + ((<u32>va >>> 8) & TLB_MASK);
  if (access == Access.STORE) {
    markWritten(pa);
    if (isHtifPage(pa & PAGE_MASK)) return;
    store<u64>(entry, page, STORE_TLB);
    store<u32>(entry, addend, STORE_TLB + 8);
  } else {
    store<u64>(entry, page);
    store<u32>(entry, addend, 8);
  }
  if (pageBytes > PAGE_SIZE) noteSuperpage(dataKey, va & ~(pageBytes - 1), va | (pageBytes - 1));
}

@inline function crossesPage(va: u64, size: u64): bool { return (va & 0xfff) + size > PAGE_SIZE; }

/** Loads `size` bytes, zero-extended, the long way; sets the fault. */
export function loadSlow(hart: usize, va: u64, size: u32): u64 {
  clearFault();
  if (crossesPage(va, size)) {
    const head = PAGE_SIZE - (<u32>va & 0xfff);
    const low = loadPart(hart, va, head);
    if (faultCode) return 0;
    const high = loadPart(hart, va + head, size - head);
    return low | (high << (8 * head));
  }
  const pa = resolve(hart, va, size, Access.LOAD);
  if (faultCode) return 0;
  if (inRam(pa, size)) return loadRaw(hostAddress(pa), size);
  if (pa & (size - 1)) return fail(LOAD_MISALIGNED, va);
  const value = busRead(hart, pa, size);
  return busFault ? fail(LOAD_ACCESS, va) : value;
}

@inline function loadRaw(host: usize, size: u32): u64 {
  return size == 8 ? load<u64>(host) : size == 4 ? load<u32>(host) : size == 2 ? load<u16>(host) : load<u8>(host);
}

/** Up to seven bytes of one page, for an access that crosses into the next: RAM only. */
function loadPart(hart: usize, va: u64, count: u32): u64 {
  const pa = resolve(hart, va, count, Access.LOAD);
  if (faultCode) return 0;
  if (!inRam(pa, count)) return fail(LOAD_ACCESS, va);
  const host = hostAddress(pa);
  let value: u64 = 0;
  for (let n: u32 = 0; n < count; n++) value |= <u64>load<u8>(host + n) << (8 * n);
  return value;
}

/** Whether the last slow store went to a device, which may have changed what is to be done next. */
export let deviceStored: bool = false;

/** Stores the low `size` bytes of value the long way; sets the fault and then has stored nothing. */
export function storeSlow(hart: usize, va: u64, size: u32, value: u64): void {
  clearFault();
  deviceStored = false;
  if (crossesPage(va, size)) return storeAcross(hart, va, size, value);
  const pa = resolve(hart, va, size, Access.STORE);
  if (faultCode) return;
  if (inRam(pa, size)) {
    storeRaw(hostAddress(pa), size, value);
    markWritten(pa);
    if (isHtifPage(pa & PAGE_MASK)) deviceStored = htifStore(pa, size);
    return;
  }
  if (pa & (size - 1)) return setFault(STORE_MISALIGNED, va);
  busWrite(hart, pa, size, value);
  deviceStored = true;
  if (busFault) setFault(STORE_ACCESS, va);
}

@inline function storeRaw(host: usize, size: u32, value: u64): void {
  if (size == 8) store<u64>(host, value);
  else if (size == 4) store<u32>(host, <u32>value);
  else if (size == 2) store<u16>(host, <u16>value);
  else store<u8>(host, <u8>value);
}

function storeAcross(hart: usize, va: u64, size: u32, value: u64): void {
  const head = PAGE_SIZE - (<u32>va & 0xfff);
  const low = resolve(hart, va, head, Access.STORE);
  if (faultCode) return;
  const high = resolve(hart, va + head, size - head, Access.STORE);
  if (faultCode) return;
  if (!inRam(low, head)) return setFault(STORE_ACCESS, va);
  if (!inRam(high, size - head)) return setFault(STORE_ACCESS, va + head);
  for (let n: u32 = 0; n < size; n++) {
    store<u8>(n < head ? hostAddress(low) + n : hostAddress(high) + n - head, <u8>(value >> (8 * n)));
  }
  markWritten(low);
  markWritten(high);
}

/**
 * Host address for an atomic access of `size` bytes at `va`, which must be aligned and in RAM;
 * 0 with the fault set otherwise. A store TLB entry serves for reading too (AMOs need both rights).
 */
export function atomicAddress(hart: usize, va: u64, size: u32, access: i32): usize {
  clearFault();
  if (va & (size - 1)) {
    setFault(access == Access.LOAD ? LOAD_MISALIGNED : STORE_MISALIGNED, va);
    return 0;
  }
  const entry = dataTlb + ((<u32>va >>> 8) & TLB_MASK) + (access == Access.STORE ? STORE_TLB : 0);
  if (load<u64>(entry) == (va & PAGE_MASK)) return <u32>va + load<u32>(entry, 8);
  const pa = resolve(hart, va, size, access);
  if (faultCode) return 0;
  if (inRam(pa, size)) {
    if (access == Access.STORE) markWritten(pa);
    return hostAddress(pa);
  }
  setFault(accessFault(access), va);
  return 0;
}

// ---- Instruction fetch --------------------------------------------------------------------

@inline function filterByte(tlb: usize, va: u64): usize {
  return tlb + PAGE_FILTER + ((<u32>(va >> 12) >>> 3) & (PAGE_FILTER_BYTES - 1));
}
@inline function filterBit(va: u64): u32 { return 1 << (<u32>(va >> 12) & 7); }
function mayHoldPage(tlb: usize, va: u64): bool { return !(load<u8>(filterByte(tlb, va)) & filterBit(va)); }

/** Enters the record of a page of code at `va` into the running context. */
export function fillPageTlb(va: u64, record: usize): void {
  const entry = codeEntry(codeTlb, va);
  store<u64>(entry, va & PAGE_MASK);
  store<u32>(entry, record, 8);
  const filter = filterByte(codeTlb, va);
  store<u8>(filter, load<u8>(filter) & ~filterBit(va));
}

@inline export function codeEntry(tlb: usize, va: u64): usize {
  return tlb + PAGE_TLB + ((<u32>(va >> 12) & (PAGE_TLB_ENTRIES - 1)) << 4);
}

/** Physical address of the page with `va` for fetching, or sets the fault. All of it must be RAM. */
export function fetchPage(hart: usize, va: u64): u64 {
  clearFault();
  const pa = translate(hart, va, Access.FETCH);
  if (faultCode) return 0;
  const page = pa & PAGE_MASK;
  if (!inRam(page, PAGE_SIZE)) return fail(FETCH_ACCESS, va);
  if (pageBytes > PAGE_SIZE) noteSuperpage(codeKey, va & ~(pageBytes - 1), va | (pageBytes - 1));
  return page;
}

/** Whether the whole page may be executed; else each fetch must be checked by itself. */
export function mayExecutePage(hart: usize, page: u64): bool {
  return !pmpActive || pmpCheck(hart, page, PAGE_SIZE, Access.FETCH, privilege(hart)) == PmpAnswer.ALLOWED;
}

export function mayExecute(hart: usize, pa: u64, size: u64): bool {
  return !pmpActive || pmpCheck(hart, pa, size, Access.FETCH, privilege(hart)) == PmpAnswer.ALLOWED;
}

/** Store TLB entries of all contexts that point to this page are dropped. */
export function dropStoreEntries(hart: usize, page: u64): void {
  const host = <u32>hostAddress(page);
  for (let n = 0; n < CONTEXTS; n++) {
    const tlb = hart + DATA_CONTEXTS + n * DATA_STRIDE + STORE_TLB;
    for (let entry = tlb; entry < tlb + STORE_TLB; entry += 16) {
      if (<u32>load<u64>(entry) + load<u32>(entry, 8) == host) store<u64>(entry, ~0);
    }
  }
}
