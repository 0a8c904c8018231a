/**
 * Reports the set-up's progress on standard error, because standard output belongs to the program that
 * follows.
 */

import { formatForecast, measure, timeLeft } from './forecast.mjs';

const INTERVAL_TERMINAL = 1_000;
const INTERVAL_LOG = 15_000;
/** The width of a terminal that does not say it. */
const COLUMNS = 80;

let unfinishedLine = false;
/** The running reports. Only the innermost is shown. @type {symbol[]} */
const reports = [];

/** @param {string} text */
export function say(text) {
  process.stderr.write(`${unfinishedLine ? '\r\x1b[K' : ''}[set-up] ${text}\n`);
  unfinishedLine = false;
}

/** @param {number} milliseconds @returns {string} minutes and seconds, `1:05` */
export function formatDuration(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/**
 * Reports on a long step, and how long the set-up still takes, until the returned function is called. A
 * terminal shows one line that is rewritten every second; elsewhere a new line appears now and then.
 * @param {() => string} text
 * @param {() => number} [share] how much of the step is done
 */
export function report(text, share) {
  const { isTTY } = process.stderr;
  const own = Symbol();
  reports.push(own);
  const show = () => {
    if (reports.at(-1) !== own) return;
    const line = `${text()}; ${formatForecast(timeLeft(share?.()))} left`;
    if (!isTTY) return say(line);
    // A line that wraps could not be rewritten.
    const room = (process.stderr.columns || COLUMNS) - '[set-up] '.length - 1;
    process.stderr.write(`\r\x1b[K[set-up] ${line.slice(0, room)}`);
    unfinishedLine = true;
  };
  const timer = setInterval(show, isTTY ? INTERVAL_TERMINAL : INTERVAL_LOG);
  return () => {
    clearInterval(timer);
    reports.splice(reports.indexOf(own), 1);
  };
}

/**
 * Builds a part of the set-up, and tells the user.
 * @param {string} part its name in forecasts
 * @param {string} title
 * @param {string} doing such as `building`
 * @param {() => Promise<void>} body
 */
export async function showBuilding(part, title, doing, body) {
  say(`${title}: ${doing}`);
  const start = Date.now();
  const end = report(() => `${title}: ${doing} for ${formatDuration(Date.now() - start)}`);
  const duration = await measure(part, body).finally(end);
  say(`${title}: ready after ${formatDuration(duration)}`);
}
