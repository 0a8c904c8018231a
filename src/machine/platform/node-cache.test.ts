import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { bundleCommands } from '../../../scripts/setup/bundle.mjs';

const folder = mkdtempSync(join(tmpdir(), 'node-cache-'));
const script = join(folder, 'script.cjs');
const cache = `${script}.${process.version}-${process.arch}.cache`;
const SCRIPT = "exports.greet = () => 'hello from ' + require('node:path').basename(__filename);";

beforeAll(() => bundleCommands({ 'node-cache': 'src/machine/platform/node-cache.ts' }, folder));
beforeEach(() => {
  rmSync(cache, { force: true });
  write(SCRIPT);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Code that was kept is newer. */
function write(text: string, time = new Date(0)): void {
  writeFileSync(script, text);
  utimesSync(script, time, time);
}

function run(program: string): string {
  return execFileSync(process.execPath, ['-e', program], { cwd: folder, encoding: 'utf8' });
}

const greet = () =>
  run("console.log(require('./node-cache.cjs').runCached(require('path').resolve('script.cjs')).greet())");

test('runs a script, and keeps its code', () => {
  expect(greet()).toBe('hello from script.cjs\n');
  const { ino, size } = statSync(cache);
  expect(size).toBeGreaterThan(100);
  expect(greet()).toBe('hello from script.cjs\n');
  expect(statSync(cache).ino, 'the file, as nothing was compiled').toBe(ino);
});

test('keeps nothing of a command that fails', () => {
  const program =
    "require('./node-cache.cjs').runCached(require('path').resolve('script.cjs')); process.exit(2)";
  expect(() => run(program)).toThrow();
  expect(existsSync(cache)).toBe(false);
  greet();
  expect(existsSync(cache)).toBe(true);
});

test('compiles a script that is newer than its code', () => {
  greet();
  write(SCRIPT.replace('hello', 'jello'), new Date(Date.now() + 5000));
  expect(greet()).toBe('jello from script.cjs\n');
});

test.each([
  ['empty', () => Buffer.alloc(0)],
  ['cut', (code: Buffer) => code.subarray(0, code.length >> 1)],
  ['of zeros', (code: Buffer) => Buffer.alloc(code.length)],
])('replaces code that is %s', (_, damage) => {
  greet();
  const whole = readFileSync(cache);
  writeFileSync(cache, damage(whole));
  expect(greet()).toBe('hello from script.cjs\n');
  expect(readFileSync(cache).length).toBe(whole.length);
});

test('runs a script whose folder takes no file', () => {
  const program = `const fs = require('fs'), { openSync } = fs;
    fs.openSync = (path, flags) => { if (flags === 'w') throw Object.assign(new Error(), { code: 'EROFS' }); return openSync(path, flags); };
    console.log(require('./node-cache.cjs').runCached(require('path').resolve('script.cjs')).greet())`;
  expect(run(program)).toBe('hello from script.cjs\n');
  expect(existsSync(cache)).toBe(false);
});

test('runs a script in a worker', () => {
  write('require("node:worker_threads").parentPort.postMessage("from a worker"); setTimeout(() => {}, 500);');
  const program = `const { Worker } = require('worker_threads');
    new Worker('./node-cache.cjs', { workerData: require('path').resolve('script.cjs') }).on('message', console.log)`;
  expect(run(program)).toBe('from a worker\n');
  expect(existsSync(cache)).toBe(true);
});
