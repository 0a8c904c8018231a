/**
 * The hart's index of compiled code. A region is a function in the table. It is compiled from the code of a
 * few pages with certain bytes, and can be entered at several offsets. The index has a place for each of its
 * pages, and finds it by the hash of the bytes, so it is used wherever a page holds them. Each entry has a
 * micro-op PseudoOp.COMPILED.
 */
import { ENTRY_NUMBER_SHIFT, H_ENTRIES, M_DROPS, M_STORED_REGIONS, STORED_USES } from '../../layout';
import { PseudoOp, U_EXTRA, U_IMM, U_OFFSET, UOP_SIZE } from './opcodes';
import { DATA_CONTEXTS, REGIONS } from './state';

const R_HASH = 0; // u64
const R_NEXT = 8; // u32 address of the next region in the bucket
const R_COUNT = 12; // u32
const R_ID = 16; // u32
/** While the region waits: its number among the stored ones, plus 1 (u32). */
const R_WAITING = 20;
/** The micro-ops, one per entry. The first entry is the code that was hot. */
export const R_ENTRIES = 32;

const BUCKETS = 4096;
const POOL = REGIONS + BUCKETS * 4;

let hartBlock: usize = 0;
let next: usize = 0;
/** How often a place of a stored region was added to the index. */
export let storedInstalls: u32 = 0;

export function forgetRegions(hart: usize): void {
  atomic.add<u32>(M_DROPS, 1);
  hartBlock = hart;
  storedInstalls = 0;
  memory.fill(hart + REGIONS, 0, BUCKETS * 4);
  next = hart + POOL;
}

@inline
function bucketOf(hash: u64): usize {
  return hartBlock + REGIONS + ((<u32>hash & (BUCKETS - 1)) << 2);
}

function matching(region: usize, hash: u64): usize {
  while (region && load<u64>(region, R_HASH) != hash) region = load<u32>(region, R_NEXT);
  return region;
}

@inline
export function hasRegions(): bool {
  return next != hartBlock + POOL;
}

/** The newest region compiled from a page with these bytes, or 0. */
export function firstRegion(hash: u64): usize {
  return matching(load<u32>(bucketOf(hash)), hash);
}

/** The next older region of the same bytes, or 0. */
export function nextRegion(region: usize): usize {
  return matching(load<u32>(region, R_NEXT), load<u64>(region, R_HASH));
}

/** Whether the region is a stored one that is not used yet. */
@inline
export function isWaiting(region: usize): bool {
  return load<u32>(region, R_WAITING) != 0;
}

/** Notes that a stored region is used, unless that is known. */
export function noteUse(region: usize): void {
  const waiting = load<u32>(region, R_WAITING);
  if (waiting == 0) return;
  store<u32>(region, 0, R_WAITING);
  if (atomic.xchg<u8>(STORED_USES + waiting - 1, 1) == 0) atomic.add<u32>(M_STORED_REGIONS, 1);
}

@inline
export function regionEntries(region: usize): i32 {
  return load<i32>(region, R_COUNT);
}

/** Drops region `last` and all older ones, and moves the others up; drops none if there is no such region. */
export function dropRegionsUpTo(last: u32): void {
  const pool = hartBlock + POOL;
  let kept = pool;
  while (kept < next && idOf(kept) != last) kept += sizeOf(kept);
  if (kept == next) return;
  atomic.add<u32>(M_DROPS, 1);
  while (kept < next && idOf(kept) == last) kept += sizeOf(kept);
  const bytes = next - kept;
  memory.copy(pool, kept, bytes);
  next = pool + bytes;
  memory.fill(hartBlock + REGIONS, 0, BUCKETS * 4);
  for (let region = pool; region < next; region += sizeOf(region)) enterIndex(region);
}

@inline
function idOf(region: usize): u32 {
  return load<u32>(region, R_ID);
}

function sizeOf(region: usize): usize {
  return R_ENTRIES + regionEntries(region) * UOP_SIZE;
}

function enterIndex(region: usize): void {
  const bucket = bucketOf(load<u64>(region, R_HASH));
  store<u32>(region, load<u32>(bucket), R_NEXT);
  store<u32>(bucket, region);
}

/**
 * Stores the place of region `id` in a page, whose `count` entries are in H_ENTRIES; 0 if there is no room
 * for it and for `others` entries in `pages` more pages.
 * @param stored the number of a stored region plus 1, or 0
 */
export function newRegion(hash: u64, id: u32, count: i32, pages: u32, others: u32, stored: u32): usize {
  const region = next;
  const end = region + R_ENTRIES + count * UOP_SIZE;
  if (end + pages * R_ENTRIES + others * UOP_SIZE > hartBlock + DATA_CONTEXTS) return 0;
  next = end;
  store<u64>(region, hash, R_HASH);
  store<i32>(region, count, R_COUNT);
  store<u32>(region, id, R_ID);
  store<u32>(region, stored, R_WAITING);
  if (stored) storedInstalls++;
  for (let n = 0; n < count; n++) {
    const uop = region + R_ENTRIES + n * UOP_SIZE;
    store<u64>(uop, PseudoOp.COMPILED);
    store<u32>(uop, id, U_IMM);
    const entry = load<u32>(hartBlock + H_ENTRIES + n * 4);
    store<u16>(uop, <u16>entry, U_OFFSET);
    store<u16>(uop, <u16>(entry >>> ENTRY_NUMBER_SHIFT), U_EXTRA);
  }
  enterIndex(region);
  return region;
}
