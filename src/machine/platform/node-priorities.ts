/**
 * Lets the threads in which V8 compiles run behind the harts. There are four, which together with the
 * translator take a quarter of a hart's time on two cores while a program warms up. Of Node's systems only
 * Linux has a priority for each thread.
 */
import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import process from 'node:process';

/**
 * What is added to the threads' nice value. 10 is no better, and lowering the translator too makes programs
 * slower while other processes keep a core busy.
 */
const DIFFERENCE = 7;

/** The threads are noted in one bundle, and lowered in another. */
const KEY = Symbol.for('linuxrun.v8-threads');
const place = globalThis as { [KEY]?: readonly number[] };

/**
 * To be called by a process that starts its program: it has no threads but V8's and the one that runs this.
 */
export function noteV8Threads(): void {
  if (process.platform !== 'linux') return;
  place[KEY] = readdirSync('/proc/self/task')
    .map(Number)
    .filter((thread) => thread !== process.pid);
}

/** Lowers V8's threads if they were noted: a library does not change its user's process. */
export function lowerV8Threads(): void {
  try {
    for (const thread of place[KEY] ?? [])
      setPriority(thread, Math.min(getPriority(thread) + DIFFERENCE, 19));
  } catch {
    // A sandbox may forbid it, which only costs time.
  }
  delete place[KEY];
}
