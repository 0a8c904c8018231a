/**
 * Reports the set-up's progress on standard error, because standard output belongs to the program that
 * follows.
 */

const INTERVAL_TERMINAL = 1_000;
const INTERVAL_LOG = 15_000;

let unfinishedLine = false;

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
 * Reports on a long step until the returned function is called. A terminal shows one line that is rewritten
 * every second; elsewhere a new line appears now and then.
 * @param {() => string} text
 */
export function report(text) {
  const { isTTY } = process.stderr;
  const show = () => {
    if (!isTTY) return say(text());
    process.stderr.write(`\r\x1b[K[set-up] ${text()}`);
    unfinishedLine = true;
  };
  const timer = setInterval(show, isTTY ? INTERVAL_TERMINAL : INTERVAL_LOG);
  return () => clearInterval(timer);
}
