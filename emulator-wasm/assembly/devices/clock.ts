import { H_INSTRET, ICOUNT_PER_TICK, M_MODE, M_TIME_OFFSET, MODE_ICOUNT, TIMEBASE } from '../../layout';
import * as host from '../host';

const NANOSECONDS_PER_TICK: u64 = 1_000_000_000 / TIMEBASE;

function countsInstructions(): bool {
  return (load<u32>(M_MODE) & MODE_ICOUNT) != 0;
}

function ticksSinceStart(hart: usize): u64 {
  return countsInstructions() ? load<u64>(hart, H_INSTRET) / ICOUNT_PER_TICK : <u64>host.now();
}

/** This hart's view of the machine's timer, in ticks of TIMEBASE. */
export function mtime(hart: usize): u64 {
  return ticksSinceStart(hart) + atomic.load<u64>(M_TIME_OFFSET);
}

export function setMtime(hart: usize, ticks: u64): void {
  atomic.store<u64>(M_TIME_OFFSET, ticks - ticksSinceStart(hart));
}

/** Advances the time to `tick` at once. Does nothing if that is in the past. */
export function skipTo(hart: usize, tick: u64): void {
  const now = mtime(hart);
  if (tick > now) atomic.add<u64>(M_TIME_OFFSET, tick - now);
}

/**
 * Nanoseconds since 1970-01-01 UTC. If time is the instruction count, the machine starts at the epoch, so
 * that every run reads the same dates.
 */
export function wallTime(hart: usize): u64 {
  return countsInstructions() ? mtime(hart) * NANOSECONDS_PER_TICK : <u64>host.wallClock();
}

/** The value of mtime `nanoseconds` from now, rounded up. */
export function mtimeAfter(hart: usize, nanoseconds: u64): u64 {
  const ticks = nanoseconds / NANOSECONDS_PER_TICK + u64(nanoseconds % NANOSECONDS_PER_TICK != 0);
  return mtime(hart) + ticks;
}
