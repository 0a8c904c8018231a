/** A failure that the user can act on. Its message is shown without a stack trace. */
export class SetupFailure extends Error {}

/**
 * Runs a program's main function. If the set-up fails, shows its message and ends the program.
 * @param {() => Promise<void>} main
 * @param {number} [status] the exit status after a failure
 */
export async function runMain(main, status = 1) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    process.stderr.write(`[set-up] ${error.message}\n`);
    process.exitCode = status;
  }
}
