import { OptionError } from '../../src/container/option-error.mjs';

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
    if (error instanceof OptionError) process.stderr.write(`linuxrun: ${error.message}\n`);
    else if (error instanceof SetupFailure) process.stderr.write(`[set-up] ${error.message}\n`);
    // A folder that cannot be written, a full disk: the message names the call and the path.
    else if (error instanceof Error && 'syscall' in error)
      process.stderr.write(`[set-up] ${error.message}\n`);
    else throw error;
    process.exitCode = status;
  }
}
