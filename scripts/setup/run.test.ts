import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';

const places = vi.hoisted(() => ({ CACHE: '' }));
vi.mock('./places.mjs', async (original) => ({
  ...(await original<typeof import('./places.mjs')>()),
  get CACHE() {
    return places.CACHE;
  },
}));

import { SetupFailure } from './failure.mjs';
import { run } from './run.mjs';

places.CACHE = mkdtempSync(join(tmpdir(), 'linuxrun-run-'));
afterAll(() => rmSync(places.CACHE, { recursive: true }));

const failure = (script: string) =>
  run('sh', ['-c', script]).then(
    () => expect.unreachable(),
    (error: unknown) => {
      expect(error).toBeInstanceOf(SetupFailure);
      return (error as SetupFailure).message;
    },
  );

test('passes on lines of output at once, and adds variables to the environment', async () => {
  const lines: string[] = [];
  await run('sh', ['-c', 'echo "$A"; printf b'], { env: { A: '1' }, onLine: (line) => lines.push(line) });
  expect(lines).toEqual(['1', 'b']);
});

test('shows the start and the end of both outputs of a failure, and where the log is', async () => {
  const message = await failure('seq 1 100; echo problem >&2; exit 3');
  expect(message).toMatch(/^sh failed with exit code 3; the whole log: /);
  const log = /log: (.*)$/m.exec(message)?.[1] ?? '';
  expect(existsSync(log)).toBe(true);
  expect(message.split('\n').slice(1, 16)).toEqual(Array.from({ length: 15 }, (_, i) => String(i + 1)));
  expect(message.split('\n').slice(-2)).toEqual(['100', 'problem']);
});

test('shows no colours of a failure', async () => {
  expect((await failure("printf '\\033[31mERROR\\033[0m here'; exit 1")).split('\n')[1]).toBe('ERROR here');
});

test('reports a missing command and a killed one', async () => {
  await expect(run('no-such-command', [])).rejects.toThrow('no-such-command cannot be started');
  expect(await failure('kill -9 $$')).toContain('sh was ended by SIGKILL');
});
