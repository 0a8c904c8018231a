/**
 * The hart's index of compiled code. A region is a function in the table. It is compiled from the code of a
 * few pages of RAM with certain bytes, and can be entered at several offsets. The index has a place for each
 * of its pages, and finds it by page and hash of the bytes, so it can be used again whenever the page holds
 * them. Each entry has a micro-op PseudoOp.COMPILED.
 */
import { ENTRY_NUMBER_SHIFT, H_ENTRIES, M_DROPS } from '../layout';
import { PseudoOp, U_EXTRA, U_IMM, U_OFFSET, UOP_SIZE } from './opcodes';
import { DATA_CONTEXTS, REGIONS } from './state';

const R_PAGE = 0; // u64
const R_HASH = 8; // u64
const R_NEXT = 16; // u32 address of the next region in the bucket
const R_COUNT = 20; // u32
const R_ID = 24; // u32
/** The micro-ops, one per entry. The first entry is the code that was hot. */
export const R_ENTRIES = 32;

const BUCKETS = 4096;
const POOL = REGIONS + BUCKETS * 4;

let hartBlock: usize = 0;
let next: usize = 0;

export function forgetRegions(hart: usize): void {
  atomic.add<u32>(M_DROPS, 1);
  hartBlock = hart;
  memory.fill(hart + REGIONS, 0, BUCKETS * 4);
  next = hart + POOL;
}

@inline
function bucketOf(page: u64): usize {
  return hartBlock + REGIONS + ((<u32>(page >> 12) & (BUCKETS - 1)) << 2);
}

function matching(region: usize, page: u64, hash: u64): usize {
  while (region && (load<u64>(region, R_PAGE) != page || load<u64>(region, R_HASH) != hash))
    region = load<u32>(region, R_NEXT);
  return region;
}

/** Whether a region may have been compiled from this page. */
@inline
export function hasRegions(page: u64): bool {
  return load<u32>(bucketOf(page)) != 0;
}

/** The newest region compiled from this page with these bytes, or 0. */
export function firstRegion(page: u64, hash: u64): usize {
  return matching(load<u32>(bucketOf(page)), page, hash);
}

/** The next older region of the same page and bytes, or 0. */
export function nextRegion(region: usize): usize {
  return matching(load<u32>(region, R_NEXT), load<u64>(region, R_PAGE), load<u64>(region, R_HASH));
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
  const bucket = bucketOf(load<u64>(region, R_PAGE));
  store<u32>(region, load<u32>(bucket), R_NEXT);
  store<u32>(bucket, region);
}

/**
 * Stores the place of region `id` in a page, whose `count` entries are in H_ENTRIES; 0 if there is no room
 * for it and for `others` entries in `pages` more pages.
 */
export function newRegion(page: u64, hash: u64, id: u32, count: i32, pages: u32, others: u32): usize {
  const region = next;
  const end = region + R_ENTRIES + count * UOP_SIZE;
  if (end + pages * R_ENTRIES + others * UOP_SIZE > hartBlock + DATA_CONTEXTS) return 0;
  next = end;
  store<u64>(region, page, R_PAGE);
  store<u64>(region, hash, R_HASH);
  store<i32>(region, count, R_COUNT);
  store<u32>(region, id, R_ID);
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
