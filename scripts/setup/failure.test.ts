import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OptionError } from '../../src/options/option-error.mjs';
import { runMain, SetupFailure } from './failure.mjs';

let written: string;
beforeEach(() => {
  written = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written += text;
    return true;
  });
});
afterEach(() => {
  process.exitCode = undefined;
  vi.restoreAllMocks();
});

test.each<[string, () => Promise<unknown>, RegExp]>([
  ['a failure of the set-up', () => Promise.reject(new SetupFailure('no room')), /^\[set-up\] no room\n$/],
  ['a wrong option', () => Promise.reject(new OptionError('no port')), /^linuxrun: no port\n$/],
  ['an unknown option', async () => parseArgs({ args: ['--x'] }), /^linuxrun: Unknown option '--x'.*\n$/],
  [
    'a folder that cannot be made',
    () => mkdir('/proc/none'),
    /^\[set-up\] ENOENT: .* mkdir '\/proc\/none'\n$/,
  ],
])('%s is one line, and the status', async (_, fail, line) => {
  await runMain(async () => void (await fail()), 125);
  expect(written).toMatch(line);
  expect(process.exitCode).toBe(125);
});

test('a fault of our own keeps its stack trace', async () => {
  await expect(runMain(() => Promise.reject(new TypeError('oops')))).rejects.toThrow('oops');
});

test('has the status of success only after the end', async () => {
  const statuses: unknown[] = [];
  await runMain(async () => void statuses.push(process.exitCode));
  statuses.push(process.exitCode);
  await runMain(async () => {
    process.exitCode = 1;
  });
  statuses.push(process.exitCode);
  expect(statuses).toEqual([13, 0, 1]);
});
