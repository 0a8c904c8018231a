/**
 * `node scripts/run.cjs [ARGUMENT…]` is the program of run.sh. It starts the bundled command at once if that
 * is up to date. Otherwise, and for help, with-setup.mjs does. It is CommonJS because Node starts ES modules
 * 10 ms later. An old Node has to be able to read it, and finds no code that it has compiled.
 */
const { existsSync } = require('node:fs');
const { join } = require('node:path');

/** @param {string} name */
const bundleOf = (name) => join(__dirname, '../dist/node', `${name}.cjs`);
const COMMAND = bundleOf('run');
const CACHE = bundleOf('node-cache');
/** The workers of a machine with one CPU. They take as long to start as everything before they are needed. */
const WORKERS = ['node-machine', 'node-hart'].map(bundleOf);

/** @param {string} word */
const isQuestion = (word) => ['-h', '--help', '--version'].includes(word);

/**
 * The function that runs the command, if it is up to date.
 * @returns {((file: string) => void) | undefined}
 */
function findStart() {
  if (process.argv.slice(2).some(isQuestion)) return undefined;
  try {
    const { cacheOf, endEarly, runCached, startEarly } =
      /** @type {typeof import('../src/machine/platform/node-cache.ts')} */
      (require(CACHE));
    if (!existsSync(cacheOf(COMMAND))) return undefined;
    startEarly(CACHE, WORKERS);
    const { isReady } =
      /** @type {typeof import('./setup/ready.mjs')} */
      (require(bundleOf('ready')));
    if (isReady()) return runCached;
    endEarly();
  } catch {
    // They are not there yet, or this Node cannot read them.
  }
  return undefined;
}

const run = findStart();
if (run) {
  run(COMMAND);
} else {
  process.argv.splice(2, 0, 'run');
  import('./with-setup.mjs');
}
