import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleCommands } from '../../../scripts/setup/bundle.mjs';

const folder = mkdtempSync(join(tmpdir(), 'node-priorities-'));
const SOURCES = {
  'node-cache': 'src/machine/platform/node-cache.ts',
  'node-priorities': 'src/machine/platform/node-priorities.ts',
};

beforeAll(() => bundleCommands(SOURCES, folder));
afterAll(() => rmSync(folder, { recursive: true }));

/** How much lower than before the threads of a process are once its machine has a translator. */
function lowered(start: string): { v8: number[]; main: number; hart: number } {
  const program = `
    ${start}
    const { readdirSync } = require('fs'), { getPriority } = require('os'), { Worker } = require('worker_threads');
    const v8 = readdirSync('/proc/self/task').map(Number).filter((thread) => thread !== process.pid);
    const before = getPriority(process.pid);
    const hart = new Worker("const { parentPort } = require('worker_threads'); parentPort.on('message', () =>"
      + "parentPort.postMessage(require('os').getPriority(0)))", { eval: true });
    hart.once('online', () => {
      require('./node-priorities.cjs').lowerV8Threads();
      hart.postMessage('report');
    });
    hart.once('message', (niceness) => {
      const by = (thread) => getPriority(thread) - before;
      console.log(JSON.stringify({ v8: v8.map(by), main: by(process.pid), hart: niceness - before }));
      process.exit();
    });`;
  return JSON.parse(execFileSync(process.execPath, ['-e', program], { cwd: folder, encoding: 'utf8' }));
}

const onLinux = test.runIf(process.platform === 'linux');

onLinux('puts the threads of V8 behind the harts', () => {
  const { v8, main, hart } = lowered("require('./node-cache.cjs');");
  expect({ main, hart }).toEqual({ main: 0, hart: 0 });
  expect(v8.length).toBeGreaterThan(1);
  expect(Math.min(...v8)).toBeGreaterThan(0);
});

onLinux('leaves the threads of a process alone that uses a machine as a library', () => {
  expect(Math.max(...lowered('').v8)).toBe(0);
});
