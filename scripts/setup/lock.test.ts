import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { withLock } from './lock.mjs';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-lock-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('runs bodies with the same file one after the other', async () => {
  let inside = 0;
  let most = 0;
  const body = async () => {
    most = Math.max(most, ++inside);
    await setTimeout(20);
    inside--;
  };
  await Promise.all([1, 2, 3].map(() => withLock(join(folder, 'same'), 'counting', body)));
  expect(most).toBe(1);
});

test('returns the value of the body, and releases the lock when it throws', async () => {
  const file = join(folder, 'throws');
  await expect(withLock(file, 'failing', () => Promise.reject(new Error('oops')))).rejects.toThrow('oops');
  await expect(withLock(file, 'working', async () => 42)).resolves.toBe(42);
});

test('releases the lock of a killed owner, and names a living owner', async () => {
  const file = join(folder, 'killed');
  const script = `
    const { withLock } = await import(${JSON.stringify(join(import.meta.dirname, 'lock.mjs'))});
    await withLock(${JSON.stringify(file)}, 'sleeping', async () => {
      console.log('locked');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    });`;
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(owner.stdout, 'data');

  const written: string[] = [];
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  const taken = withLock(file, 'sleeping', async () => 'taken');
  await expect.poll(() => written.join('')).toContain(`another set-up (process ${owner.pid}): sleeping`);
  spy.mockRestore();

  owner.kill('SIGKILL');
  await expect(taken).resolves.toBe('taken');
});
