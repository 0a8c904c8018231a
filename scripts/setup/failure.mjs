import { OptionError } from '../../src/options/option-error.mjs';

/** A failure that the user can act on. Its message is shown without a stack trace. */
export class SetupFailure extends Error {}

/** Node's own status of a program that has nothing left to wait for, but has not finished. */
const STATUS_UNFINISHED = 13;

/**
 * Runs a program's main function. If the set-up fails or an option is wrong, shows the message and ends the
 * program.
 * @param {() => Promise<void>} main
 * @param {number} [status] the exit status after a failure
 */
export async function runMain(main, status = 1) {
  process.exitCode = STATUS_UNFINISHED;
  try {
    await main();
    if (process.exitCode === STATUS_UNFINISHED) process.exitCode = 0;
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exitCode = status;
  }
}

/** @param {unknown} error @returns {string} @throws the error itself if it is a fault of ours */
function explain(error) {
  if (!(error instanceof Error)) throw error;
  const code = 'code' in error ? String(error.code) : '';
  if (error instanceof OptionError || code.startsWith('ERR_PARSE_ARGS')) return `linuxrun: ${error.message}`;
  // A folder that cannot be written, a full disk: the message names the call and the path.
  if (error instanceof SetupFailure || 'syscall' in error) return `[set-up] ${error.message}`;
  throw error;
}
