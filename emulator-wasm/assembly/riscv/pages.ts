/**
 * Pages of code. Each executed page of RAM has a record: a copy of the page's bytes, and a map from the
 * offset in the page to the block that starts there. Blocks are decoded from the copy, so the record holds
 * exactly the bytes of its blocks, even if other harts and devices write the page meanwhile.
 *
 * After a fence.i the first entry into a page compares the page with its copy, if the page may have been
 * written. Links between blocks never leave a page, so nothing stale is reached.
 */
import {
  M_HARTS,
  M_RAM_SIZE,
  PAGE_STORED,
  PAGE_WRITTEN,
  RAM_START,
  RECORD_HASH,
  RECORD_MAP,
  RECORD_PAGE,
} from '../../layout';
import { hashPage } from './hash';
import { PseudoOp, U_EXTRA, U_OFFSET, UOP_SIZE } from './opcodes';
import { firstRegion, hasRegions, isWaiting, nextRegion, noteUse, R_ENTRIES, regionEntries } from './regions';
import { hostAddress, pageFlags, PAGE_SIZE } from '../ram';
import { PAGE_INDEX, PAGE_RECORDS, REGIONS, UOP_POOL } from './state';
import { codeEpoch, dropChanged, dropStoreEntries, mayBeWritten } from './tlb';

const R_EPOCH = 8; // u32 when the page was last known to equal its copy
/** For heat.ts (u32 each): samples of the page's interpreted code, and the number at which it is reported. */
export const R_HEAT = 24;
export const R_PATIENCE = 28;
/** The window of time in which the page was sampled last (u32). */
export const R_WINDOW = 32;
/** How often the page was found to hold other bytes than its copy (u32). */
export const R_REWRITES = 36;
const R_RESTED = 40; // u32 how many comparisons in a row have found the page unchanged
/** For stored.ts (u32). */
export const R_STORED = 44;
const R_COPY = 48;
/** RECORD_MAP holds the address of a micro-op for each halfword (u32), 0 if no block starts there. */
const RECORD_SIZE = RECORD_MAP + (PAGE_SIZE / 2) * 4;
const MAX_RECORDS: u32 = (REGIONS - PAGE_RECORDS) / RECORD_SIZE;

/**
 * The number of comparisons that find a page unchanged before stores to it are watched again. Dropping the
 * page's store TLB entries takes about as long as this number of comparisons.
 */
const RESTED: u32 = 256;

let hartBlock: usize = 0;
let recordCount: u32 = 0;

export function resetPages(hart: usize): void {
  hartBlock = hart;
  recordCount = 0;
  memory.fill(hart + PAGE_INDEX, 0, (<usize>(load<u64>(M_RAM_SIZE) >> 12)) << 2);
}

/** Drops all records. */
export function forgetPages(): void {
  for (let n: u32 = 0; n < recordCount; n++) {
    store<u32>(indexSlot(pageOf(hartBlock + PAGE_RECORDS + n * RECORD_SIZE)), 0);
  }
  recordCount = 0;
}

@inline
function indexSlot(page: u64): usize {
  return hartBlock + PAGE_INDEX + ((<usize>((page - RAM_START) >> 12)) << 2);
}

/** The record of the page, or 0 if it has none. */
@inline
export function findRecord(page: u64): usize {
  return load<u32>(indexSlot(page));
}

/** A new record of the page; 0 if there is no room for it. */
export function newRecord(page: u64): usize {
  if (recordCount == MAX_RECORDS) return 0;
  const record = hartBlock + PAGE_RECORDS + recordCount++ * RECORD_SIZE;
  store<u64>(record, page, RECORD_PAGE);
  store<u32>(indexSlot(page), record);
  store<u32>(record, codeEpoch, R_EPOCH);
  store<u32>(record, 0, R_WINDOW);
  store<u32>(record, 0, R_REWRITES);
  store<u32>(record, 0, R_RESTED);
  clearWritten(record);
  copyPage(record);
  return record;
}

@inline
export function pageOf(record: usize): u64 {
  return load<u64>(record, RECORD_PAGE);
}

/** The host's address of the bytes that the record's blocks are decoded from. */
@inline
export function codeOf(record: usize): usize {
  return record + R_COPY;
}

/** Where the map keeps the block at this offset in the page. */
@inline
export function blockSlot(record: usize, offset: u32): usize {
  return record + RECORD_MAP + offset * 2;
}

/** The hash of the record's copy. */
export function hashOf(record: usize): u64 {
  const known = load<u64>(record, RECORD_HASH);
  if (known) return known;
  const hash = hashPage(codeOf(record));
  store<u64>(record, hash, RECORD_HASH);
  return hash;
}

/** Copies the page's current bytes to the record and drops its blocks. */
function copyPage(record: usize): void {
  const page = pageOf(record);
  memory.copy(codeOf(record), hostAddress(page), PAGE_SIZE);
  store<u64>(record, 0, RECORD_HASH);
  store<u32>(record, 0, R_RESTED);
  store<u32>(record, 0, R_HEAT);
  store<u32>(record, 0, R_PATIENCE);
  store<u32>(record, 0, R_STORED);
  memory.fill(record + RECORD_MAP, 0, RECORD_SIZE - RECORD_MAP);
  if (!hasRegions()) return;
  for (let region = firstRegion(hashOf(record)); region; region = nextRegion(region)) {
    if (!isWaiting(region)) enterRegion(record, region);
  }
}

/** Whether a page has regions, and whether some of them wait. */
export const NO_REGIONS: u32 = 0;
export const SOME_REGIONS: u32 = 1;
export const WAITING_REGIONS: u32 = 2;

export function stateOfRegions(record: usize): u32 {
  const first = firstRegion(hashOf(record));
  for (let region = first; region; region = nextRegion(region)) {
    if (isWaiting(region)) return WAITING_REGIONS;
  }
  return first ? SOME_REGIONS : NO_REGIONS;
}

/** Enters the page's regions that wait. */
export function enterWaiting(record: usize): void {
  for (let region = firstRegion(hashOf(record)); region; region = nextRegion(region)) {
    noteUse(region);
    enterRegion(record, region);
  }
}

/**
 * Clears the page's flag where that is exact: when no store TLB entry of any hart holds the page. With one
 * hart its entries can be dropped; with several the page is compared after every fence.i.
 */
function clearWritten(record: usize): void {
  if (load<u32>(M_HARTS) > 1) return;
  const page = pageOf(record);
  const flags = pageFlags(page);
  if (atomic.load<u8>(flags) & PAGE_STORED) {
    if (load<u32>(record, R_RESTED) < RESTED) return;
    dropStoreEntries(hartBlock, page);
  }
  atomic.and<u8>(flags, <u8>~(PAGE_WRITTEN | PAGE_STORED));
}

/** Once in each epoch: drops the record's blocks if the page's bytes have changed since. */
@inline
export function checkEpoch(record: usize): void {
  if (load<u32>(record, R_EPOCH) != codeEpoch) beginEpoch(record);
}

function beginEpoch(record: usize): void {
  if (mayBeWritten(pageFlags(pageOf(record)))) {
    // First, so that a write during the comparison sets the flag again.
    clearWritten(record);
    compare(record);
  }
  store<u32>(record, codeEpoch, R_EPOCH);
}

/** Drops the record's blocks if the page's bytes are no longer those of the copy. */
export function checkBytes(record: usize): void {
  if (mayBeWritten(pageFlags(pageOf(record)))) compare(record);
}

function compare(record: usize): void {
  const equal = equalPages(codeOf(record), hostAddress(pageOf(record)));
  const counter: usize = record + (equal ? R_RESTED : R_REWRITES);
  store<u32>(counter, load<u32>(counter) + 1);
  if (equal) return;
  dropChanged(hartBlock, record);
  copyPage(record);
}

function equalPages(a: usize, b: usize): bool {
  for (let at: usize = 0; at < PAGE_SIZE; at += 32) {
    const differences =
      (load<u64>(a + at) ^ load<u64>(b + at)) |
      (load<u64>(a + at, 8) ^ load<u64>(b + at, 8)) |
      (load<u64>(a + at, 16) ^ load<u64>(b + at, 16)) |
      (load<u64>(a + at, 24) ^ load<u64>(b + at, 24));
    if (differences) return false;
  }
  return true;
}

/**
 * Makes the region's entries the blocks at their offsets. Replaces an interpreted block in place, because
 * other blocks may be linked to it. The entry of another region stays as it is, because either region may be
 * evicted before the other.
 */
function enterRegion(record: usize, region: usize): void {
  const entries = regionEntries(region);
  for (let n = 0; n < entries; n++) {
    const entry = region + R_ENTRIES + n * UOP_SIZE;
    const slot = blockSlot(record, load<u16>(entry, U_OFFSET) & 0xffe);
    const before: usize = load<u32>(slot);
    const isFree = before == 0 || load<u16>(before) != PseudoOp.COMPILED;
    if (load<u16>(entry, U_EXTRA) > 0 && !isFree) continue;
    if (before >= hartBlock + UOP_POOL) memory.copy(before, entry, UOP_SIZE);
    else store<u32>(slot, entry);
  }
}

/** Makes a newly compiled region runnable if the page still has the bytes that it was compiled from. */
export function adoptRegion(page: u64, hash: u64, region: usize): void {
  const record = findRecord(page);
  if (record && hashOf(record) == hash) enterRegion(record, region);
}
