/**
 * `npm test [-- --long]`: every check and test. The last line counts the tests of both runners and names
 * those that failed; a check or runner that fails by itself counts as one failure. A test that fails gets a
 * second attempt, and is named as flaky if it passes then. `--long` adds half an hour of random programs.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { runMain } from '../setup/failure.mjs';
import { inProject, PROJECT } from '../setup/places.mjs';
import { setUpFor } from '../setup/purposes.mjs';
import { formatResults, readPlaywright, readVitest, total } from '../setup/test-results.mjs';

const REPORTS = inProject('dist/test-reports');

/** @param {string} name of a program of an npm package */
const tool = (name) => inProject(join('node_modules/.bin', name));

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Record<string, string>} [env]
 */
function passes(command, args, env = {}) {
  console.log(`\n== ${basename(command)} ${args.join(' ')}`);
  const options = { cwd: PROJECT, env: { ...process.env, ...env }, stdio: /** @type {const} */ ('inherit') };
  return spawnSync(command, args, options).status === 0;
}

/** @param {string} command @param {readonly string[]} args */
function check(command, ...args) {
  const name = [basename(command), ...args].join(' ');
  const failures = passes(command, args) ? [] : [{ name, reason: 'see its output above' }];
  return { passed: 0, failures, flaky: [] };
}

/** @param {string} name @returns {unknown} the report, if the runner has written it */
function readReport(name) {
  try {
    return JSON.parse(readFileSync(join(REPORTS, name), 'utf8'));
  } catch {
    return undefined;
  }
}

function runVitest() {
  const report = `--outputFile.json=${join(REPORTS, 'vitest.json')}`;
  const passed = passes(tool('vitest'), [
    'run',
    '--retry=1',
    '--reporter=default',
    '--reporter=json',
    report,
  ]);
  return readVitest(passed, readReport('vitest.json'));
}

function runPlaywright() {
  const env = { PLAYWRIGHT_JSON_OUTPUT_FILE: join(REPORTS, 'playwright.json') };
  const passed = passes(
    tool('playwright'),
    ['test', '--retries=1', '--max-failures=20', '--reporter=list,json'],
    env,
  );
  return readPlaywright(passed, readReport('playwright.json'));
}

await runMain(async () => {
  const { values } = parseArgs({ options: { long: { type: 'boolean', default: false } } });
  await setUpFor('test');
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
  const results = total([
    check(tool('biome'), 'check', '.'),
    check('node', 'scripts/format-assembly.mjs', '--check'),
    check(tool('tsc'), '-p', '.'),
    runVitest(),
    runPlaywright(),
    ...(values.long ? [check('npm', 'run', 'fuzz', '--', '--long')] : []),
  ]);
  console.log(formatResults(results));
  if (results.failures.length > 0) process.exitCode = 1;
});
