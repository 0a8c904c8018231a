/**
 * Pages that are known from earlier runs. Their code that was hot then is compiled as soon as it runs again,
 * without regard to credit, because that run has shown that it repays. A program that only starts runs much
 * of the same code, but also other code. So nearly all of the time must be spent in known pages first.
 */
import { KNOWN_DONE, KNOWN_MORE, KNOWN_SLOTS, KNOWN_TABLE, M_KNOWN_PAGES, RECORD_KNOWN } from '../layout';
import { digestPage } from './hash';
import { codeOf } from './pages';

/** A moving average of the share of quanta that end in known pages: the last weighs 1 / 2^SHIFT. */
const SHIFT: u32 = 10;
const ALWAYS: u32 = 1 << 20;
const FAMILIAR: u32 = (ALWAYS / 20) * 19;
const AT_FIRST: u32 = (ALWAYS / 4) * 3;

let familiarity: u32 = AT_FIRST;

export function resetKnown(): void {
  familiarity = AT_FIRST;
}

@inline
export function knowsPages(): bool {
  return atomic.load<u32>(M_KNOWN_PAGES) != 0;
}

/** Notes that a quantum ended in the page. */
export function noteQuantum(record: usize): void {
  const isKnown = stateOf(record) <= <u32>KNOWN_DONE;
  familiarity += ((isKnown ? ALWAYS : 0) >> SHIFT) - (familiarity >> SHIFT);
}

/** Whether a known region of the page is to be compiled now. */
export function isDue(record: usize): bool {
  return stateOf(record) == <u32>KNOWN_MORE && familiarity >= FAMILIAR;
}

/** RECORD_KNOWN; the number of all known pages << 2 if this page is none of them. */
function stateOf(record: usize): u32 {
  const state = atomic.load<u32>(record, RECORD_KNOWN);
  const unknown = atomic.load<u32>(M_KNOWN_PAGES) << 2;
  if (state == <u32>KNOWN_MORE || state == <u32>KNOWN_DONE || state == unknown) return state;
  const now = isInTable(digestPage(codeOf(record))) ? <u32>KNOWN_MORE : unknown;
  atomic.store<u32>(record, now, RECORD_KNOWN);
  return now;
}

function isInTable(digest: u64): bool {
  const tag = max<u32>(<u32>(digest >> 32), 1);
  let slot = <u32>digest;
  let found = tagAt(slot);
  while (found != 0 && found != tag) found = tagAt(++slot);
  return found != 0;
}

@inline
function tagAt(slot: u32): u32 {
  return atomic.load<u32>(KNOWN_TABLE + (slot & (KNOWN_SLOTS - 1)) * 4);
}
