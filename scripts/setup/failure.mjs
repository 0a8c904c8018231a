/** A failure the user can act on: its message is all there is to show. */
export class SetupFailure extends Error {}

/**
 * Runs a program's main function, and ends it with one clear message should the set-up fail.
 * @param {() => Promise<void>} main
 * @param {number} [status] the exit status then
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
