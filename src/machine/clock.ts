import { M_TIME_OFFSET, TIMEBASE } from '../../emulator-wasm/layout.ts';

const TICKS_PER_MS = TIMEBASE / 1000;
/** How far the clocks of two threads may differ, in ticks: 10 ms, far more than browsers blur them. */
const SKEW = 10 * TICKS_PER_MS;
/** How far browsers blur the clock of one thread, in ticks: 1 ms. */
const BLUR = TICKS_PER_MS;

/** Milliseconds since 1970 by the monotonic clock that all threads of a page or process share. */
export function monotonicNow(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * The guest's time in ticks of TIMEBASE since `epoch` (a `monotonicNow`), for one thread.
 * @param latest shared by the threads of all harts if there are several
 */
export function machineClock(epoch: number, latest: Int32Array | undefined): () => number {
  const origin = performance.timeOrigin - epoch;
  const read = () => Math.max(0, Math.floor((origin + performance.now()) * TICKS_PER_MS));
  return latest ? sharedClock(read, latest) : read;
}

/**
 * Browsers blur the clock separately in each thread, but Linux needs time that never runs backwards between
 * harts. Therefore `latest` holds the low 32 bits of the latest time that any thread has read, and no thread
 * returns an earlier one. A reading takes 84 ns in place of 51 (Node).
 */
function sharedClock(read: () => number, latest: Int32Array): () => number {
  return () => {
    const ticks = read();
    for (;;) {
      const shared = Atomics.load(latest, 0);
      const behind = (shared - ticks) | 0;
      // A difference larger than the skew means that `latest` is old and its 32 bits have wrapped.
      if (behind >= 0 && behind < SKEW) return ticks + behind;
      if (Atomics.compareExchange(latest, 0, shared, ticks | 0) === shared) return ticks;
    }
  };
}

/**
 * The guest's time, mtime, which stands still while the machine is suspended. Its offset to the machine's
 * clock then holds the time itself.
 */
export class GuestTime {
  readonly #offset: BigInt64Array;
  readonly #clock: () => number;

  constructor(memory: WebAssembly.Memory, epoch: number, latest: SharedArrayBuffer | undefined) {
    this.#offset = new BigInt64Array(memory.buffer, M_TIME_OFFSET, 1);
    this.#clock = machineClock(epoch, latest && new Int32Array(latest));
  }

  /** In ticks, while it runs. */
  now(): bigint {
    return BigInt.asUintN(64, Atomics.load(this.#offset, 0) + BigInt(this.#clock()));
  }

  /** Stops the time, at one that no hart has read yet. */
  stop(): void {
    Atomics.add(this.#offset, 0, BigInt(this.#clock() + BLUR));
  }

  /** Lets the time go on. @returns its value, in ticks */
  start(): bigint {
    const ticks = Atomics.load(this.#offset, 0);
    Atomics.sub(this.#offset, 0, BigInt(this.#clock()));
    return BigInt.asUintN(64, ticks);
  }
}

/** Between two looks at both clocks, in ms. */
const LOOK = 1000;
/** How far they part before it counts, in ms. Hosts correct less bit by bit. */
const APART = 1000;

/**
 * Calls back when the time of day parts from the monotonic clock, which stands still while the computer
 * sleeps (High Resolution Time, 3).
 * @returns the end of that
 */
export function watchTimeOfDay(onChange: () => void): () => void {
  const difference = () => Date.now() - monotonicNow();
  let known = difference();
  const timer = setInterval(() => {
    const now = difference();
    if (Math.abs(now - known) < APART) return;
    known = now;
    onChange();
  }, LOOK);
  return () => clearInterval(timer);
}
