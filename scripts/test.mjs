/**
 * `npm test [-- --long]`: every check and test. The last line counts the tests of both runners; a check
 * or runner that fails by itself counts as one failure. `--long` makes the random tests run longer.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runMain } from './setup/failure.mjs';
import { inProject, PROJECT } from './setup/places.mjs';
import { setUpFor } from './setup/purposes.mjs';
import { readPlaywright, readVitest, total } from './setup/test-counts.mjs';

const REPORTS = inProject('dist/test-reports');
const BIN = inProject('node_modules/.bin');

/**
 * @param {string} tool of npm's
 * @param {readonly string[]} args
 * @param {Record<string, string>} [env]
 */
function passes(tool, args, env = {}) {
  console.log(`\n== ${tool} ${args.join(' ')}`);
  const options = { cwd: PROJECT, env: { ...process.env, ...env }, stdio: /** @type {const} */ ('inherit') };
  return spawnSync(join(BIN, tool), args, options).status === 0;
}

/** @param {string} name @returns {unknown} the report, if the runner came to write it */
function readReport(name) {
  try {
    return JSON.parse(readFileSync(join(REPORTS, name), 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param {Record<string, string>} env */
function runVitest(env) {
  const passed = passes(
    'vitest',
    ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${join(REPORTS, 'vitest.json')}`],
    env,
  );
  return readVitest(passed, readReport('vitest.json'));
}

/** @param {Record<string, string>} env */
function runPlaywright(env) {
  const report = { PLAYWRIGHT_JSON_OUTPUT_FILE: join(REPORTS, 'playwright.json') };
  const passed = passes('playwright', ['test', '--reporter=list,json'], { ...env, ...report });
  return readPlaywright(passed, readReport('playwright.json'));
}

/** @param {boolean} passed */
const check = (passed) => ({ passed: 0, failed: passed ? 0 : 1 });

await runMain(async () => {
  const { values } = parseArgs({ options: { long: { type: 'boolean', default: false } } });
  /** @type {Record<string, string>} */
  const env = values.long ? { LINUXRUN_TEST_LONG: '1' } : {};
  await setUpFor('test');
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
  const { passed, failed } = total([
    check(passes('biome', ['check', '.'])),
    check(passes('tsc', ['-p', '.'])),
    runVitest(env),
    runPlaywright(env),
  ]);
  console.log(`\n${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
});
