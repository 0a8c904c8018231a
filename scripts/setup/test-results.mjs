/** Reads passed, failed and flaky tests from the runners' reports. */
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { PROJECT } from './places.mjs';

/**
 * @typedef {{ name: string, reason: string }} Failure the test with its file, and the first line of why
 * @typedef {object} Results
 * @property {number} passed at the first attempt
 * @property {readonly Failure[]} failures
 * @property {readonly Failure[]} flaky tests that passed at a later attempt, with why the first one failed
 */

const MAX_REASON = 300;
/** Names that the last line has room for. */
const MAX_NAMES = 5;

/** @param {string | undefined} message @returns {string} its first line, without colours */
function firstLine(message) {
  const [line = ''] = stripVTControlCharacters(message ?? '')
    .trim()
    .split('\n', 1);
  return line.slice(0, MAX_REASON);
}

/**
 * @param {string} runner
 * @param {boolean} succeeded whether the runner exited with 0
 * @param {Results} results
 * @returns {Results} with a failure of the runner itself if it failed without a failed test
 */
function ofRunner(runner, succeeded, results) {
  if (succeeded || results.failures.length > 0) return results;
  return { ...results, failures: [{ name: runner, reason: 'failed without a failed test: see its output' }] };
}

/**
 * @param {any} test of Vitest's report
 * @returns {string} Vitest replaces the message of a timeout by its mark of a stack trace
 */
function reasonOf({ failureMessages: [message] }) {
  return firstLine(message).replace('STACK_TRACE_ERROR', 'timed out');
}

/**
 * @param {any} file of Vitest's report
 * @param {(test: any) => boolean} isWanted
 * @returns {Failure[]}
 */
function testsOfFile({ name, assertionResults }, isWanted) {
  return assertionResults.filter(isWanted).map((/** @type {any} */ test) => ({
    name: [relative(PROJECT, name), ...test.ancestorTitles, test.title].join(' › '),
    reason: reasonOf(test),
  }));
}

/**
 * @param {any} file of Vitest's report
 * @returns {Failure[]} the file itself if it could not be loaded, or one of its hooks failed
 */
function failuresOfFile(file) {
  const failed = testsOfFile(file, ({ status }) => status === 'failed');
  if (failed.length > 0 || file.status !== 'failed') return failed;
  const reason = firstLine(file.message) || 'a hook failed: see its output';
  return [{ name: relative(PROJECT, file.name), reason }];
}

/**
 * @param {any} file of Vitest's report
 * @returns {Failure[]} tests that keep the messages of a failed attempt although they passed
 */
function flakyOfFile(file) {
  return testsOfFile(
    file,
    ({ status, failureMessages }) => status === 'passed' && failureMessages.length > 0,
  );
}

/**
 * @param {boolean} succeeded whether Vitest exited with 0
 * @param {any} report the output of its "json" reporter
 */
export function readVitest(succeeded, report) {
  const files = report?.testResults ?? [];
  const flaky = files.flatMap(flakyOfFile);
  return ofRunner('vitest', succeeded && report !== undefined, {
    passed: (report?.numPassedTests ?? 0) - flaky.length,
    failures: files.flatMap(failuresOfFile),
    flaky,
  });
}

/** @param {string | undefined} project of Playwright */
const browserOf = (project) => (project && project !== 'chromium' ? ` (${project})` : '');

/**
 * @param {any} suite of Playwright's report: a file, or a group within one
 * @param {'unexpected' | 'flaky'} wanted
 * @param {readonly string[]} above the titles of the suites that contain it
 * @returns {Failure[]}
 */
function testsOfSuite(suite, wanted, above = []) {
  const titles = [...above, suite.title];
  const specs = (suite.specs ?? []).flatMap((/** @type {any} */ { title, tests }) =>
    tests
      .filter((/** @type {any} */ { status }) => status === wanted)
      .map((/** @type {any} */ { results, projectName }) => ({
        name: `${['e2e', ...titles, title].join(' › ').replace(' › ', '/')}${browserOf(projectName)}`,
        reason: firstLine(results.find((/** @type {any} */ { error }) => error)?.error.message),
      })),
  );
  return [
    ...specs,
    ...(suite.suites ?? []).flatMap((/** @type {any} */ each) => testsOfSuite(each, wanted, titles)),
  ];
}

/**
 * @param {boolean} succeeded whether Playwright exited with 0
 * @param {any} report the output of its "json" reporter
 */
export function readPlaywright(succeeded, report) {
  /** @param {'unexpected' | 'flaky'} wanted */
  const tests = (wanted) =>
    (report?.suites ?? []).flatMap((/** @type {any} */ suite) => testsOfSuite(suite, wanted));
  return ofRunner('playwright', succeeded && report !== undefined, {
    passed: report?.stats?.expected ?? 0,
    failures: tests('unexpected'),
    flaky: tests('flaky'),
  });
}

/** @param {readonly Results[]} all @returns {Results} */
export function total(all) {
  return {
    passed: all.reduce((sum, { passed }) => sum + passed, 0),
    failures: all.flatMap(({ failures }) => failures),
    flaky: all.flatMap(({ flaky }) => flaky),
  };
}

/**
 * @param {string} kind
 * @param {readonly Failure[]} tests
 * @returns {string} the count of them, and the names of the first ones
 */
function summary(kind, tests) {
  const names = tests.slice(0, MAX_NAMES).map(({ name }) => name);
  if (tests.length > MAX_NAMES) names.push(`${tests.length - MAX_NAMES} more`);
  return [`${tests.length} ${kind}`, names.join(', ')].filter(Boolean).join(': ');
}

/**
 * The end of the output: each failure with its reason, then one line with the counts and the names, because
 * some readers see only the last lines.
 * @param {Results} results
 */
export function formatResults({ passed, failures, flaky }) {
  /** @param {string} kind @param {readonly Failure[]} tests */
  const reasons = (kind, tests) =>
    tests.map(({ name, reason }) => `${kind}: ${name}\n  ${reason}\n`).join('');
  const last = `${passed} passed, ${summary('failed', failures)}`;
  const told = flaky.length > 0 ? `; ${summary('flaky', flaky)}` : '';
  return `\n${reasons('flaky', flaky)}${reasons('failed', failures)}${last}${told}`;
}
