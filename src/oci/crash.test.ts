/** Processes that are killed in the middle of a pull. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { nodeStore } from '../storage/node.ts';
import type { Store } from '../storage/store.ts';
import { FakeRegistry } from './testing/fake-registry.ts';
import { makeImage, makeLayer, makeTar, sha256 } from './testing/image.ts';
import { find } from './testing/pull.ts';

const KILLS = 10;

const image = makeImage(
  [7_000_000, 3_000_000, 100, 5_000_000].map((size, i) =>
    makeLayer(makeTar([{ path: `file${i}`, contents: new Uint8Array(randomBytes(size)) }])),
  ),
);
const blobs = new Set<string>(image.layers.map(({ blob }) => sha256(blob)));

let registry: FakeRegistry;
let folder: string;
let script: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-crash-'));
  script = join(folder, 'pull.mjs');
  const { build } = await import('esbuild');
  await build({
    entryPoints: [join(import.meta.dirname, 'testing/pull-in-child.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
  });
  registry = await FakeRegistry.start();
  registry.add('app:1', image);
  // Slow enough to kill a pull in the middle: the image takes about 1.5 s.
  registry.intercept = async (request, response) => {
    const digest = request.url?.split('/').at(-1) ?? '';
    const blob = registry.blobs.get(digest);
    if (!blob || !blobs.has(digest)) return false;
    response.writeHead(200, { 'Content-Length': blob.length });
    for (let at = 0; at < blob.length && !response.destroyed; at += 200_000) {
      response.write(blob.subarray(at, at + 200_000));
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    response.end();
    return true;
  };
});

afterAll(async () => {
  await registry.stop();
  await rm(folder, { recursive: true });
});

const reference = () => `${registry.host}/app:1`;

/** Resolves with the child once it has begun its pull. */
async function startPull(store: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [script, reference(), store], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return child;
}

const exitOf = (child: ChildProcess) =>
  new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));

/** Checks that every layer in the store is complete. */
async function checkLayers(store: Store): Promise<number> {
  const layers = await store.layers.usage();
  for (const { diffId, size, inUse } of layers) {
    expect(inUse).toBe(false);
    const layer = await store.layers.open(diffId);
    const tar = new Uint8Array(size);
    await layer?.read(0, tar);
    await layer?.close();
    expect(`sha256:${createHash('sha256').update(tar).digest('hex')}`).toBe(diffId);
  }
  return layers.length;
}

it('can be killed at any time, and the next pull completes', async () => {
  const path = join(folder, 'killed');
  let complete = 0;
  for (let i = 0; i < KILLS; i++) {
    const child = await startPull(path);
    const exit = exitOf(child);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 1200));
    child.kill('SIGKILL');
    await exit;
    const stored = await checkLayers(nodeStore(path));
    // Complete layers stay.
    expect(stored).toBeGreaterThanOrEqual(complete);
    complete = stored;
  }
  const store = nodeStore(path);
  await store.sweep();
  const groups = new Set((await store.values.keys('chunk/')).map((key) => key.split('/')[1]));
  expect(groups.size).toBe(await checkLayers(store));

  expect(await exitOf(await startPull(path))).toBe(0);
  expect(await checkLayers(store)).toBe(image.layers.length);
  expect((await find(reference(), store))?.digest).toBe(image.digest);
  expect(await readdir(join(path, 'values/chunk'))).toHaveLength(image.layers.length);
  expect(await readdir(join(path, 'unfinished'))).toEqual([]);
  expect(await readdir(join(path, 'locks'))).toEqual([]);
}, 120_000);

it('leaves the pulls of others alone when it starts', async () => {
  const path = join(folder, 'shared');
  const first = await startPull(path);
  const firstExit = exitOf(first);
  await new Promise((resolve) => setTimeout(resolve, 400));
  // Sweeps while the first pull is running, then pulls the same layers.
  const second = await startPull(path);
  const secondExit = exitOf(second);
  expect(await Promise.all([firstExit, secondExit])).toEqual([0, 0]);
  const store = nodeStore(path);
  expect(await checkLayers(store)).toBe(image.layers.length);
  expect(await readdir(join(path, 'values/chunk'))).toHaveLength(image.layers.length);
}, 60_000);
