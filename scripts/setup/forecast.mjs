/** Forecasts how long a set-up takes, from what its parts have taken before on this computer. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from './places.mjs';

/** With two processors, in ms, until the part has been measured here. */
const TYPICAL = new Map([
  ['Debian packages', 60_000],
  ['npm packages', 30_000],
  ['core', 10_000],
  ['kernel', 210_000],
  ['kernel-smp', 240_000],
  ['emulator-code', 60_000],
]);
const TYPICAL_OTHER = 3_000;
/** From this share on, the progress of a part says more about its duration than earlier ones do. */
const TELLING_SHARE = 0.05;

/** The expected durations of the parts that have not begun, in ms. @type {Map<string, number>} */
let waiting = new Map();
/** @type {{ start: number, expected: number } | undefined} */
let current;

const file = () => join(CACHE, 'durations.json');

/** @returns {Record<string, unknown>} in ms, by part */
function readDurations() {
  try {
    return Object(JSON.parse(readFileSync(file(), 'utf8')));
  } catch {
    return {};
  }
}

/** @param {string} part @param {number} duration in ms */
function noteDuration(part, duration) {
  mkdirSync(CACHE, { recursive: true });
  const temporary = `${file()}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify({ ...readDurations(), [part]: duration }));
  renameSync(temporary, file());
}

/** @param {readonly string[]} parts those that the set-up has to build */
export function plan(parts) {
  const durations = readDurations();
  waiting = new Map(
    parts.map((part) => {
      const known = durations[part];
      return [part, typeof known === 'number' ? known : (TYPICAL.get(part) ?? TYPICAL_OTHER)];
    }),
  );
}

/** Says that a part is ready, perhaps without having been built. @param {string} part */
export function settle(part) {
  waiting.delete(part);
}

/**
 * Builds a part, and remembers how long that takes.
 * @param {string} part
 * @param {() => Promise<void>} body
 * @returns {Promise<number>} its duration in ms
 */
export async function measure(part, body) {
  const start = Date.now();
  current = { start, expected: waiting.get(part) ?? 0 };
  waiting.delete(part);
  try {
    await body();
  } finally {
    current = undefined;
  }
  const duration = Date.now() - start;
  noteDuration(part, duration);
  return duration;
}

/** @param {number} [share] how much of the current part is done @returns {number} in ms */
export function timeLeft(share = 0) {
  const later = [...waiting.values()].reduce((sum, duration) => sum + duration, 0);
  if (!current) return later;
  const elapsed = Date.now() - current.start;
  const left = share >= TELLING_SHARE ? (elapsed * (1 - share)) / share : current.expected - elapsed;
  return later + Math.max(left, 0);
}

/** @param {number} milliseconds @returns {string} such as `about 3 min` */
export function formatForecast(milliseconds) {
  const minutes = Math.round(milliseconds / 60_000);
  return minutes < 1 ? 'less than a minute' : `about ${minutes} min`;
}
