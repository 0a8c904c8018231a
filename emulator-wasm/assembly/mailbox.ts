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
