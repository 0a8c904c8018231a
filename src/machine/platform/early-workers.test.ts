import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { endEarly, startEarly, takeEarly } from './early-workers.ts';

test('hands out each early worker once, and ends the others', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'early-workers-'));
  const cache = join(folder, 'cache.cjs');
  writeFileSync(
    cache,
    "const { parentPort, workerData } = require('worker_threads'); parentPort.postMessage(workerData); setInterval(() => {}, 1000);",
  );
  try {
    startEarly(cache, ['machine', 'hart', 'hart']);
    const machine = takeEarly('machine');
    expect(machine && (await once(machine, 'message'))).toEqual(['machine']);
    expect([takeEarly('machine'), takeEarly('translator')]).toEqual([undefined, undefined]);
    const [first, second] = [takeEarly('hart'), takeEarly('hart')];
    expect(first).not.toBe(second);
    startEarly(cache, ['saver']);
    endEarly();
    expect(takeEarly('saver')).toBeUndefined();
    await Promise.all([machine, first, second].map((worker) => worker?.terminate()));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
