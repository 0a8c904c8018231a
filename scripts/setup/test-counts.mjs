/** Counts passed and failed tests from the runners' reports. */

/** @typedef {{ passed: number, failed: number }} Counts */

/**
 * Counts one failure for a runner that failed without a failed test, such as by a file that it could not
 * load.
 * @param {boolean} succeeded
 * @param {Counts} counts
 */
function counted(succeeded, { passed, failed }) {
  return { passed, failed: succeeded ? failed : Math.max(failed, 1) };
}

/**
 * @param {boolean} succeeded whether Vitest exited with 0
 * @param {any} report the output of its "json" reporter
 * @returns {Counts}
 */
export function readVitest(succeeded, report) {
  return counted(succeeded && report !== undefined, {
    passed: report?.numPassedTests ?? 0,
    failed: report?.numFailedTests ?? 0,
  });
}

/**
 * @param {boolean} succeeded whether Playwright exited with 0
 * @param {any} report the output of its "json" reporter
 * @returns {Counts} a test that passed only on a retry counts as failed
 */
export function readPlaywright(succeeded, report) {
  const { expected = 0, unexpected = 0, flaky = 0 } = report?.stats ?? {};
  return counted(succeeded && report !== undefined, { passed: expected, failed: unexpected + flaky });
}

/** @param {readonly Counts[]} all @returns {Counts} */
export function total(all) {
  return all.reduce((sum, { passed, failed }) => ({
    passed: sum.passed + passed,
    failed: sum.failed + failed,
  }));
}
