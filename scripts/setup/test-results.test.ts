import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PROJECT } from './places.mjs';
import { formatResults, readPlaywright, readVitest, total } from './test-results.mjs';

const file = (name: string, status: string, message: string, ...assertionResults: object[]) => ({
  name: join(PROJECT, name),
  status,
  message,
  assertionResults,
});
const assertion = (status: string, title: string, ...failureMessages: string[]) => ({
  ancestorTitles: ['a group'],
  title,
  status,
  failureMessages,
});

test('counts the tests of both runners, and names those that failed with the first line of why', () => {
  const vitest = readVitest(false, {
    numPassedTests: 10,
    testResults: [
      file(
        'src/a.test.ts',
        'failed',
        '',
        assertion('passed', 'works'),
        assertion('failed', 'is 1', '\x1b[31mAssertionError: expected 2\x1b[39m\n    at a.test.ts:3'),
        assertion('failed', 'ends', 'Error: STACK_TRACE_ERROR\n    at b'),
      ),
      file('src/b.test.ts', 'passed', '', assertion('passed', 'works'), assertion('skipped', 'waits')),
    ],
  });
  const spec = (title: string, status: string, ...results: object[]) => ({
    title,
    tests: [{ status, results }],
  });
  const playwright = readPlaywright(false, {
    stats: { expected: 3 },
    suites: [
      {
        title: 'run.spec.ts',
        specs: [spec('runs', 'expected', {})],
        suites: [
          {
            title: 'a card',
            specs: [spec('opens', 'flaky', { error: { message: 'Error: no card\n\nCall log' } }, {})],
          },
        ],
      },
    ],
  });
  const check = { passed: 0, failures: [{ name: 'tsc -p .', reason: 'see its output above' }] };
  const results = total([vitest, playwright, check]);
  expect(results).toEqual({
    passed: 13,
    failures: [
      { name: 'src/a.test.ts › a group › is 1', reason: 'AssertionError: expected 2' },
      { name: 'src/a.test.ts › a group › ends', reason: 'Error: timed out' },
      { name: 'e2e/run.spec.ts › a card › opens', reason: 'Error: no card' },
      { name: 'tsc -p .', reason: 'see its output above' },
    ],
  });
  expect(formatResults(results)).toBe(`
failed: src/a.test.ts › a group › is 1
  AssertionError: expected 2
failed: src/a.test.ts › a group › ends
  Error: timed out
failed: e2e/run.spec.ts › a card › opens
  Error: no card
failed: tsc -p .
  see its output above
13 passed, 4 failed: src/a.test.ts › a group › is 1, src/a.test.ts › a group › ends, \
e2e/run.spec.ts › a card › opens, tsc -p .`);
});

describe('counts as a failure', () => {
  test('a file that does not load, or whose hook fails', () => {
    const report = {
      testResults: [
        file('src/a.test.ts', 'failed', "Cannot find module './b'"),
        file('src/b.test.ts', 'failed', '', assertion('skipped', 'waits')),
      ],
    };
    expect(readVitest(false, report).failures).toEqual([
      { name: 'src/a.test.ts', reason: "Cannot find module './b'" },
      { name: 'src/b.test.ts', reason: 'a hook failed: see its output' },
    ]);
  });

  test('a runner that fails without a failed test, or writes no report', () => {
    const failures = (name: string) => [{ name, reason: 'failed without a failed test: see its output' }];
    expect(readVitest(false, { numPassedTests: 10, testResults: [] })).toEqual({
      passed: 10,
      failures: failures('vitest'),
    });
    expect(readVitest(true, undefined)).toEqual({ passed: 0, failures: failures('vitest') });
    expect(readPlaywright(false, undefined)).toEqual({ passed: 0, failures: failures('playwright') });
  });
});

test('the last line is short: the counts alone if all passed, and a few names', () => {
  expect(formatResults({ passed: 7, failures: [] })).toBe('\n7 passed, 0 failed');
  const failures = Array.from({ length: 9 }, (_, index) => ({ name: `t${index}`, reason: 'r' }));
  const last = formatResults({ passed: 7, failures }).split('\n').at(-1);
  expect(last).toBe('7 passed, 9 failed: t0, t1, t2, t3, t4, 4 more');
});
