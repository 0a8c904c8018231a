/**
 * `node scripts/format-assembly.mjs [--check]` formats the core's AssemblyScript with Biome, or names the
 * files that are not formatted. Biome does not parse decorators of functions, so they are comments meanwhile.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runMain, SetupFailure } from '../setup/failure.mjs';
import { inProject, PROJECT } from '../setup/places.mjs';

const SOURCES = 'emulator-wasm/assembly';

/** @param {string} source */
const hideDecorators = (source) => source.replace(/^@(\w+(?:\(.*?\))?)\s*/gm, '//@$1\n');
/** @param {string} source */
const restoreDecorators = (source) => source.replace(/^\/\/@/gm, '@');

/** @param {string} folder @param {(source: string) => string} change applied to each file */
function rewrite(folder, change) {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const path = join(folder, name);
    writeFileSync(path, change(readFileSync(path, 'utf8')));
  }
}

/** @param {string} folder */
function format(folder) {
  rewrite(folder, hideDecorators);
  const args = ['format', '--write', '--vcs-enabled=false', folder];
  const { status, stderr } = spawnSync('node_modules/.bin/biome', args, { cwd: PROJECT, encoding: 'utf8' });
  if (status !== 0) throw new SetupFailure(`Biome cannot format ${SOURCES}:\n${stderr}`);
  rewrite(folder, restoreDecorators);
}

/** @param {string} formatted @returns {string[]} the sources that differ from their formatted copies */
function differing(formatted) {
  const names = readdirSync(formatted, { recursive: true, encoding: 'utf8' });
  const text = (/** @type {string} */ folder, /** @type {string} */ name) =>
    readFileSync(join(folder, name), 'utf8');
  return names.filter(
    (name) => name.endsWith('.ts') && text(formatted, name) !== text(inProject(SOURCES), name),
  );
}

await runMain(async () => {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  mkdirSync(inProject('dist'), { recursive: true });
  const copy = mkdtempSync(inProject('dist/format-'));
  try {
    cpSync(inProject(SOURCES), copy, { recursive: true });
    format(copy);
    for (const name of differing(copy)) {
      if (!values.check) cpSync(join(copy, name), inProject(join(SOURCES, name)));
      else {
        console.error(`${join(SOURCES, name)} is not formatted: run node scripts/format-assembly.mjs`);
        process.exitCode = 1;
      }
    }
  } finally {
    rmSync(copy, { recursive: true });
  }
});
