import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { transform } from 'esbuild';
import { afterAll, describe, expect, test } from 'vitest';
import { isNewEnough, OLDEST_NODE } from './node-version.mjs';

const PROJECT = join(import.meta.dirname, '..');
const PACKAGE = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
const ENTRIES = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.mjs'));
const MESSAGE = /^linuxrun: Node 20\.19 or later is needed.*: install one from https:\S+\n$/;

const folder = mkdtempSync(join(tmpdir(), 'linuxrun-node-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a program in a Node that says it is old. */
function runOld(program: string) {
  const versions = '{...process.versions, node: "18.20.4"}';
  const preload = `data:text/javascript,Object.defineProperty(process, 'versions', {value: ${versions}})`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', preload, program], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test.each([
  ['20.19.0', true],
  ['20.20.2', true],
  ['22.0.0', true],
  ['100.1.0', true],
  ['20.18.3', false],
  ['18.20.4', false],
  ['9.20.0', false],
])('Node %s will do: %s', (version, enough) => {
  expect(isNewEnough(version)).toBe(enough);
});

test('the oldest Node is that of package.json', () => {
  expect(PACKAGE.engines.node).toBe(`>=${OLDEST_NODE}`);
});

describe.each(ENTRIES)('%s', (name) => {
  test('says in one line that Node is too old', () => {
    const result = runOld(join(import.meta.dirname, name));
    expect(result).toMatchObject({ status: 125, stdout: '', stderr: expect.stringMatching(MESSAGE) });
    expect(result.stderr).toContain('this is 18.20.4');
  });

  test('has no syntax that an old Node cannot read, and imports nothing else at once', async () => {
    const source = readFileSync(join(import.meta.dirname, name), 'utf8');
    const [old, current] = await Promise.all(
      ['es2018', 'esnext'].map((target) =>
        transform(source, { target, supported: { 'dynamic-import': true } }),
      ),
    );
    expect(old?.code).toBe(current?.code);
    expect(source.match(/^import .*/gm) ?? []).toEqual(
      name === 'node-version.mjs' ? [] : ["import './node-version.mjs';"],
    );
  });
});

test('the server for production says so too', () => {
  const { status, stderr } = runOld(join(PROJECT, 'dist/release/server.mjs'));
  expect([status, stderr]).toEqual([125, expect.stringMatching(MESSAGE)]);
});

test('every npm script is one of these entries', () => {
  const entries = Object.values<string>(PACKAGE.scripts).map(
    (script) => /^node (?:-- )?(\S+)/.exec(script)?.[1] ?? script,
  );
  expect(entries.map((path) => basename(path)).filter((name) => !ENTRIES.includes(name))).toEqual([]);
});

test('run.sh says in one line that there is no Node', () => {
  symlinkSync('/bin/sh', join(folder, 'sh'));
  const { status, stderr } = spawnSync(join(folder, 'sh'), [join(PROJECT, 'run.sh')], {
    encoding: 'utf8',
    env: { PATH: folder },
  });
  expect([status, stderr]).toEqual([125, expect.stringMatching(MESSAGE)]);
});
