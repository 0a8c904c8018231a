/**
 * Regions of earlier runs, which are stored with the image. They are in the index from the start, but wait:
 * the hart enters a page's regions into its map when it finds that the page is hot. Entering a region is
 * cheap, but the browser compiles it then. A program that only starts runs much of the code of a long run,
 * but also other code. So while only a part of the time is spent in pages with regions, they have to be as
 * hot as if their code had to be translated first.
 */
import { enterWaiting, NO_REGIONS, R_STORED, SOME_REGIONS, stateOfRegions, WAITING_REGIONS } from './pages';
import { storedInstalls } from './regions';

/** A moving average of the share of quanta that end in pages with regions: the last weighs 1 / 2^SHIFT. */
const SHIFT: u32 = 10;
const ALWAYS: u32 = 1 << 20;
const FAMILIAR: u32 = (ALWAYS / 20) * 19;
const AT_FIRST: u32 = (ALWAYS / 4) * 3;

/** The bits of R_STORED with the state of a page's regions. */
const STATE_BITS: u32 = 2;

let familiarity: u32 = AT_FIRST;

export function resetStored(): void {
  familiarity = AT_FIRST;
}

@inline
export function hasStored(): bool {
  return storedInstalls != 0;
}

/** Notes that a quantum ended in the page. */
export function noteQuantum(record: usize): void {
  familiarity += ((stateOf(record) != NO_REGIONS ? ALWAYS : 0) >> SHIFT) - (familiarity >> SHIFT);
}

/** Whether the page's waiting regions are to be entered now. */
@inline
export function isDue(record: usize): bool {
  return familiarity >= FAMILIAR && stateOf(record) == WAITING_REGIONS;
}

/** Enters the page's waiting regions; false if it has none. */
export function enterStored(record: usize): bool {
  if (!hasStored() || stateOf(record) != WAITING_REGIONS) return false;
  enterWaiting(record);
  store<u32>(record, (storedInstalls << STATE_BITS) | SOME_REGIONS, R_STORED);
  return true;
}

/** R_STORED has the state, and above it how many stored regions were installed when that was found. */
function stateOf(record: usize): u32 {
  const known = load<u32>(record, R_STORED);
  if (known >> STATE_BITS == storedInstalls) return known & ((1 << STATE_BITS) - 1);
  const state = stateOfRegions(record);
  store<u32>(record, (storedInstalls << STATE_BITS) | state, R_STORED);
  return state;
}
