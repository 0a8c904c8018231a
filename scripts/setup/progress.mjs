/** What the set-up says, on standard error: standard output belongs to the programs it prepares. */

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
 * Reports on a long step until the returned function is called: on one line rewritten every
 * second in a terminal, else as a new line now and then.
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
