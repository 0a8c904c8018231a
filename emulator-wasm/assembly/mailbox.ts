import { H_WAKE, HART_STRIDE, HARTS, M_HARTS, TIMEBASE } from '../layout';
import * as host from './host';

const NANOSECONDS_PER_TICK: f64 = 1e9 / TIMEBASE;

/** The address of the block of hart `id`, which must be below M_HARTS. */
export function hartBlock(id: u32): usize {
  return HARTS + id * HART_STRIDE;
}

/** Ends the hart's sleep, if it sleeps, so that it checks its mailbox and interrupts again. */
export function wake(hart: usize): void {
  atomic.add<u32>(hart, 1, H_WAKE);
  atomic.notify(hart + H_WAKE);
}

export function wakeAll(): void {
  const harts = load<u32>(M_HARTS);
  for (let id: u32 = 0; id < harts; id++) wake(hartBlock(id));
}

/**
 * Sleeps while `word` holds `value`, until it is notified or the host's clock reaches `deadline` (in ticks;
 * Infinity for never). May return early.
 *
 * All waiting happens here, because the baseline compiler of V8 11.3 (Node 20) overwrites the last local of a
 * function at memory.atomic.wait32, so no local may be live across it. The call that reads the time prevents
 * inlining into functions that have live locals.
 */
export function sleepWhile(word: usize, value: i32, deadline: f64): void {
  const ticks = deadline - host.now();
  if (ticks > 0) atomic.wait<i32>(word, value, <i64>(ticks * NANOSECONDS_PER_TICK));
}

/** A hart looks at its word before it sleeps while its waits are shorter than this, in ticks: 200 µs. */
const LONGEST_POLL: f64 = 2000;
const SHORTEST_POLL: f64 = 100;
/** Looks between two readings of the clock, which take about as long. */
const LOOKS = 128;

/** How long this hart looks before it sleeps, in ticks. */
let poll: f64 = 0;
let pollStart: f64 = 0;

/**
 * As `sleepWhile`, for a hart that may soon be woken. Being woken takes a thread 50 to 100 µs, so after short
 * waits the hart looks at the word for some time first, and after a long one it does not.
 */
export function pollWhile(word: usize, value: i32, deadline: f64): void {
  pollStart = host.now();
  if (changesUntil(word, value, min(pollStart + poll, deadline))) return;
  sleepWhile(word, value, deadline);
  if (host.now() - pollStart > LONGEST_POLL) poll = 0;
  else poll = min(max(2 * poll, SHORTEST_POLL), LONGEST_POLL);
}

function changesUntil(word: usize, value: i32, end: f64): bool {
  do {
    for (let looks = 0; looks < LOOKS; looks++) if (atomic.load<i32>(word) != value) return true;
  } while (host.now() < end);
  return false;
}
