/** Reads passed and failed tests from the runners' reports. */
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { PROJECT } from './places.mjs';

/**
 * @typedef {{ name: string, reason: string }} Failure the test with its file, and the first line of why
 * @typedef {{ passed: number, failures: readonly Failure[] }} Results
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
function ofRunner(runner, succeeded, { passed, failures }) {
  if (succeeded || failures.length > 0) return { passed, failures };
  return { passed, failures: [{ name: runner, reason: 'failed without a failed test: see its output' }] };
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
 * @returns {Failure[]} the file itself if it could not be loaded, or one of its hooks failed
 */
function failuresOfFile({ name, status, message, assertionResults }) {
  const path = relative(PROJECT, name);
  const failed = assertionResults.filter((/** @type {any} */ test) => test.status === 'failed');
  if (failed.length === 0 && status === 'failed')
    return [{ name: path, reason: firstLine(message) || 'a hook failed: see its output' }];
  return failed.map((/** @type {any} */ test) => ({
    name: [path, ...test.ancestorTitles, test.title].join(' › '),
    reason: reasonOf(test),
  }));
}

/**
 * @param {boolean} succeeded whether Vitest exited with 0
 * @param {any} report the output of its "json" reporter
 */
export function readVitest(succeeded, report) {
  return ofRunner('vitest', succeeded && report !== undefined, {
    passed: report?.numPassedTests ?? 0,
    failures: (report?.testResults ?? []).flatMap(failuresOfFile),
  });
}

/**
 * @param {any} suite of Playwright's report: a file, or a group within one
 * @param {readonly string[]} above the titles of the suites that contain it
 * @returns {Failure[]} a test that passed only on a retry counts as failed
 */
function failuresOfSuite(suite, above = []) {
  const titles = [...above, suite.title];
  const specs = (suite.specs ?? []).flatMap((/** @type {any} */ { title, tests }) =>
    tests
      .filter((/** @type {any} */ { status }) => status === 'unexpected' || status === 'flaky')
      .map((/** @type {any} */ { results }) => ({
        name: ['e2e', ...titles, title].join(' › ').replace(' › ', '/'),
        reason: firstLine(results.find((/** @type {any} */ { error }) => error)?.error.message),
      })),
  );
  return [
    ...specs,
    ...(suite.suites ?? []).flatMap((/** @type {any} */ each) => failuresOfSuite(each, titles)),
  ];
}

/**
 * @param {boolean} succeeded whether Playwright exited with 0
 * @param {any} report the output of its "json" reporter
 */
export function readPlaywright(succeeded, report) {
  return ofRunner('playwright', succeeded && report !== undefined, {
    passed: report?.stats?.expected ?? 0,
    failures: (report?.suites ?? []).flatMap((/** @type {any} */ suite) => failuresOfSuite(suite)),
  });
}

/** @param {readonly Results[]} all @returns {Results} */
export function total(all) {
  return {
    passed: all.reduce((sum, { passed }) => sum + passed, 0),
    failures: all.flatMap(({ failures }) => failures),
  };
}

/**
 * The end of the output: each failure with its reason, then one line with the counts and the names, because
 * some readers see only the last lines.
 * @param {Results} results
 */
export function formatResults({ passed, failures }) {
  const reasons = failures.map(({ name, reason }) => `failed: ${name}\n  ${reason}\n`);
  const names = failures.slice(0, MAX_NAMES).map(({ name }) => name);
  if (failures.length > MAX_NAMES) names.push(`${failures.length - MAX_NAMES} more`);
  const list = names.length > 0 ? `: ${names.join(', ')}` : '';
  return `\n${reasons.join('')}${passed} passed, ${failures.length} failed${list}`;
}
