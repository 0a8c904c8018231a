import { expect, it } from 'vitest';
import { MemoryLocks, MemoryStore, memoryFiles } from './memory.ts';
import { Store } from './store.ts';

const image = (reference: string, layers: string[], lastUsed: number) => ({
  reference,
  digest: 'sha256:1',
  config: '{}',
  layers,
  lastUsed,
});

it('keeps images by reference, the most recently used first', async () => {
  const { images } = new Store(new MemoryStore(), new MemoryLocks(), memoryFiles());
  const long = `oci://${'/very-long'.repeat(400)}`;
  await images.put(image('docker.io/library/a:1', ['x'], 1));
  await images.put(image(long, ['x', 'y'], 2));
  await images.put(image('docker.io/library/a:1', ['z'], 3));
  expect(await images.get('docker.io/library/a:1')).toEqual(image('docker.io/library/a:1', ['z'], 3));
  expect((await images.list()).map(({ reference }) => reference)).toEqual(['docker.io/library/a:1', long]);
  await images.remove({ reference: long });
  expect(await images.get(long)).toBeUndefined();
});

it('keeps an image of each processor beside the others', async () => {
  const { images } = new Store(new MemoryStore(), new MemoryLocks(), memoryFiles());
  const own = image('app:1', ['own'], 1);
  const arm64 = { ...image('app:1', ['arm64'], 2), architecture: 'arm64' as const };
  const amd64 = { ...image('app:1', ['amd64'], 3), architecture: 'amd64' as const };
  for (const record of [amd64, own, arm64]) await images.put(record);
  expect(await images.list()).toEqual([amd64, arm64, own]);
  expect(await images.get('app:1')).toEqual(own);
  expect(await images.get('app:1', 'amd64')).toEqual(amd64);
  await images.remove(own);
  expect(await images.get('app:1', 'riscv64')).toBeUndefined();
  expect(await images.get('app:1')).toEqual(arm64);
});

it('evicts no layers of images that were made here', async () => {
  const { images, layers } = new Store(new MemoryStore(), new MemoryLocks(), memoryFiles());
  for (const diffId of ['sha256:local', 'sha256:pulled']) {
    const writer = await layers.write();
    await writer.append(new Uint8Array(5));
    await (await writer.commit(diffId, new Uint8Array(1))).layer.close();
  }
  await images.put({ ...image('made', ['sha256:local'], 1), isLocal: true });
  await images.put(image('other', ['sha256:pulled'], 2));
  expect(await layers.evict(100)).toBe(5);
  expect(await layers.has('sha256:local')).toBe(true);
  await images.remove({ reference: 'made' });
  expect(await layers.evict(100)).toBe(5);
});

it('sweeps images whose layers are gone', async () => {
  const store = new Store(new MemoryStore(), new MemoryLocks(), memoryFiles());
  const writer = await store.layers.write();
  await writer.append(new Uint8Array(5));
  await (await writer.commit('sha256:here', new Uint8Array(1))).layer.close();
  await store.images.put(image('whole', ['sha256:here'], 1));
  await store.images.put(image('broken', ['sha256:here', 'sha256:gone'], 2));
  await store.sweep();
  expect((await store.images.list()).map(({ reference }) => reference)).toEqual(['whole']);
});

it('treats unreadable entries as missing', async () => {
  const values = new MemoryStore();
  const { images } = new Store(values, new MemoryLocks(), memoryFiles());
  await images.put(image('a', [], 1));
  const [key = ''] = await values.keys('image/');
  for (const text of ['{"version":0,"reference":"a"}', '{"ver', '']) {
    await values.set(key, new TextEncoder().encode(text));
    expect(await images.get('a')).toBeUndefined();
    expect(await images.list()).toEqual([]);
  }
});
