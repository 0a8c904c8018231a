/** Loads, stores, atomics and fetches that missed the TLB. */
import { H_MSTATUS, STORE_TLB, TLB_MASK } from '../../layout';
import { busFault, busRead, busWrite } from '../devices/bus';
import { htifStore, isHtifPage } from '../devices/htif';
import { Access, pmpCheck, PmpAnswer } from './pmp';
import { hostAddress, inRam, PAGE_MASK, PAGE_SIZE } from '../ram';
import {
  clearFault,
  dataPrivilege,
  faultCode,
  FETCH_ACCESS,
  LOAD_ACCESS,
  LOAD_MISALIGNED,
  privilege,
  setFault,
  STORE_ACCESS,
  STORE_MISALIGNED,
} from './state';
import { dataTlb, fillTlb, recall } from './tlb';
import { accessFault, fail, markWritten, pageBytes, pmpActive, translate } from './walk';

/** The physical address of [va, va + size), which lies in one page. Checks the PMP and fills the TLB. */
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
  if (cacheable) {
    const storing = access == Access.STORE;
    if (storing) markWritten(pa);
    if (!(storing && isHtifPage(pa & PAGE_MASK))) fillTlb(va, pa, storing, pageBytes);
  }
  return pa;
}

@inline
function crossesPage(va: u64, size: u64): bool {
  return (va & 0xfff) + size > PAGE_SIZE;
}

/** Loads `size` bytes, zero-extended, without the TLB. Sets the fault. */
export function loadSlow(hart: usize, va: u64, size: u32): u64 {
  clearFault();
  if (crossesPage(va, size)) {
    const head = PAGE_SIZE - (<u32>va & 0xfff);
    const low = loadPart(hart, va, head);
    if (faultCode) return 0;
    const high = loadPart(hart, va + head, size - head);
    return low | (high << (8 * head));
  }
  const entry = recall(va, false);
  if (entry) return loadRaw(<u32>va + load<u32>(entry, 8), size);
  const pa = resolve(hart, va, size, Access.LOAD);
  if (faultCode) return 0;
  if (inRam(pa, size)) return loadRaw(hostAddress(pa), size);
  if (pa & (size - 1)) return fail(LOAD_MISALIGNED, va);
  const value = busRead(hart, pa, size);
  return busFault ? fail(LOAD_ACCESS, va) : value;
}

@inline
function loadRaw(host: usize, size: u32): u64 {
  return size == 8
    ? load<u64>(host)
    : size == 4
      ? load<u32>(host)
      : size == 2
        ? load<u16>(host)
        : load<u8>(host);
}

/** Loads up to seven bytes of one page, for an access that crosses into the next. RAM only. */
function loadPart(hart: usize, va: u64, count: u32): u64 {
  const pa = resolve(hart, va, count, Access.LOAD);
  if (faultCode) return 0;
  if (!inRam(pa, count)) return fail(LOAD_ACCESS, va);
  const host = hostAddress(pa);
  let value: u64 = 0;
  for (let n: u32 = 0; n < count; n++) value |= (<u64>load<u8>(host + n)) << (8 * n);
  return value;
}

/** Whether the last slow store went to a device, which may have caused an interrupt or ended the machine. */
export let deviceStored: bool = false;

/** Stores the low `size` bytes of value without the TLB. If it sets the fault it has stored nothing. */
export function storeSlow(hart: usize, va: u64, size: u32, value: u64): void {
  clearFault();
  deviceStored = false;
  if (crossesPage(va, size)) return storeAcross(hart, va, size, value);
  const entry = recall(va, true);
  if (entry) return storeRaw(<u32>va + load<u32>(entry, 8), size, value);
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

@inline
function storeRaw(host: usize, size: u32, value: u64): void {
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
 * The host address for an atomic access of `size` bytes at `va`, which must be aligned and in RAM; otherwise
 * 0 with the fault set. A store TLB entry also serves for reading, because AMOs need both rights.
 */
export function atomicAddress(hart: usize, va: u64, size: u32, access: i32): usize {
  clearFault();
  if (va & (size - 1)) {
    setFault(access == Access.LOAD ? LOAD_MISALIGNED : STORE_MISALIGNED, va);
    return 0;
  }
  const entry = dataTlb + ((<u32>va >>> 8) & TLB_MASK) + (access == Access.STORE ? STORE_TLB : 0);
  if (load<u64>(entry) == (va & PAGE_MASK)) return <u32>va + load<u32>(entry, 8);
  const recalled = recall(va, access == Access.STORE);
  if (recalled) return <u32>va + load<u32>(recalled, 8);
  const pa = resolve(hart, va, size, access);
  if (faultCode) return 0;
  if (inRam(pa, size)) {
    if (access == Access.STORE) markWritten(pa);
    return hostAddress(pa);
  }
  setFault(accessFault(access), va);
  return 0;
}

/** The physical address of the page that contains `va`, for fetching. Sets the fault if it is not all RAM. */
export function fetchPage(hart: usize, va: u64): u64 {
  clearFault();
  const pa = translate(hart, va, Access.FETCH);
  if (faultCode) return 0;
  const page = pa & PAGE_MASK;
  if (!inRam(page, PAGE_SIZE)) return fail(FETCH_ACCESS, va);
  return page;
}

/** Whether the whole page may be executed. Otherwise each fetch must be checked. */
export function mayExecutePage(hart: usize, page: u64): bool {
  return !pmpActive || pmpCheck(hart, page, PAGE_SIZE, Access.FETCH, privilege(hart)) == PmpAnswer.ALLOWED;
}

export function mayExecute(hart: usize, pa: u64, size: u64): bool {
  return !pmpActive || pmpCheck(hart, pa, size, Access.FETCH, privilege(hart)) == PmpAnswer.ALLOWED;
}
