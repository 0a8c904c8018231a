import { H_WAKE, HART_STRIDE, HARTS, M_HARTS, TIMEBASE } from '../layout';
import * as host from './host';

const NANOSECONDS_PER_TICK: f64 = 1e9 / TIMEBASE;

/** Address of the block of hart `id`, which must be below M_HARTS. */
export function hartBlock(id: u32): usize {
  return HARTS + id * HART_STRIDE;
}

/** Ends the hart's sleep, if it sleeps, so that it looks at its mailbox and interrupts again. */
export function wake(hart: usize): void {
  atomic.add<u32>(hart, 1, H_WAKE);
  atomic.notify(hart + H_WAKE);
}

export function wakeAll(): void {
  const harts = load<u32>(M_HARTS);
  for (let id: u32 = 0; id < harts; id++) wake(hartBlock(id));
}

/**
 * Sleeps while `word` holds `value`, until it is notified or the host's clock reaches `deadline`
 * (ticks; Infinity for never). May return early.
 *
 * All waiting is done here: the baseline compiler of V8 11.3 (Node 20) overwrites the last local of
 * a function at memory.atomic.wait32, so none may be live across it. Asking for the time within
 * keeps this from being inlined where some are.
 */
export function sleepWhile(word: usize, value: i32, deadline: f64): void {
  const ticks = deadline - host.now();
  if (ticks > 0) atomic.wait<i32>(word, value, <i64>(ticks * NANOSECONDS_PER_TICK));
}
