import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
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
            specs: [spec('opens', 'unexpected', { error: { message: 'Error: no card\n\nCall log' } })],
          },
        ],
      },
    ],
  });
  const check = { passed: 0, failures: [{ name: 'tsc -p .', reason: 'see its output above' }], flaky: [] };
  const results = total([vitest, playwright, check]);
  expect(results).toEqual({
    passed: 13,
    failures: [
      { name: 'src/a.test.ts › a group › is 1', reason: 'AssertionError: expected 2' },
      { name: 'src/a.test.ts › a group › ends', reason: 'Error: timed out' },
      { name: 'e2e/run.spec.ts › a card › opens', reason: 'Error: no card' },
      { name: 'tsc -p .', reason: 'see its output above' },
    ],
    flaky: [],
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
      flaky: [],
    });
    const none = { passed: 0, flaky: [] };
    expect(readVitest(true, undefined)).toEqual({ ...none, failures: failures('vitest') });
    expect(readPlaywright(false, undefined)).toEqual({ ...none, failures: failures('playwright') });
  });
});

describe('a test that passes at its second attempt is told as flaky, with why it failed', () => {
  test('by Vitest', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'linuxrun-flaky-'));
    await writeFile(
      join(folder, 'a.test.js'),
      `let attempts = 0;
      test('passes', () => {});
      test('passes in the end', () => expect(++attempts).toBe(2));
      test('never passes', () => expect(1).toBe(2));
      test.fails('is expected to fail', () => expect(1).toBe(2));`,
    );
    const report = join(folder, 'report.json');
    const args = [
      'run',
      '--root',
      folder,
      '--globals',
      '--retry=1',
      '--reporter=json',
      '--outputFile',
      report,
    ];
    const { status } = spawnSync(join(PROJECT, 'node_modules/.bin/vitest'), args);
    const { passed, failures, flaky } = readVitest(status === 0, JSON.parse(await readFile(report, 'utf8')));
    await rm(folder, { recursive: true });
    expect(passed).toBe(2);
    expect(failures.map(({ name }) => basename(name))).toEqual(['a.test.js › never passes']);
    expect(flaky).toEqual([
      {
        name: expect.stringMatching(/a\.test\.js › passes in the end$/),
        reason: 'AssertionError: expected 1 to be 2 // Object.is equality',
      },
    ]);
  });

  test('by Playwright', () => {
    const results = [{ error: { message: 'Error: no card\n\nCall log' } }, {}];
    const tests = [
      { projectName: 'chromium', status: 'flaky', results },
      { projectName: 'firefox', status: 'flaky', results },
    ];
    const specs = [{ title: 'opens', tests }];
    const report = { stats: { expected: 3, flaky: 2 }, suites: [{ title: 'run.spec.ts', specs }] };
    expect(readPlaywright(true, report)).toEqual({
      passed: 3,
      failures: [],
      flaky: [
        { name: 'e2e/run.spec.ts › opens', reason: 'Error: no card' },
        { name: 'e2e/run.spec.ts › opens (firefox)', reason: 'Error: no card' },
      ],
    });
  });

  test('and on the last line', () => {
    const flaky = [{ name: 'src/a.test.ts › ends', reason: 'Error: timed out' }];
    expect(formatResults({ passed: 7, failures: [], flaky })).toBe(
      '\nflaky: src/a.test.ts › ends\n  Error: timed out\n7 passed, 0 failed; 1 flaky: src/a.test.ts › ends',
    );
    const failures = [{ name: 'src/b.test.ts › is 1', reason: 'Error: 2' }];
    expect(formatResults({ passed: 7, failures, flaky }).split('\n').at(-1)).toBe(
      '7 passed, 1 failed: src/b.test.ts › is 1; 1 flaky: src/a.test.ts › ends',
    );
  });
});

test('the last line is short: the counts alone if all passed, and a few names', () => {
  expect(formatResults({ passed: 7, failures: [], flaky: [] })).toBe('\n7 passed, 0 failed');
  const failures = Array.from({ length: 9 }, (_, index) => ({ name: `t${index}`, reason: 'r' }));
  const last = formatResults({ passed: 7, failures, flaky: [] }).split('\n').at(-1);
  expect(last).toBe('7 passed, 9 failed: t0, t1, t2, t3, t4, 4 more');
});
