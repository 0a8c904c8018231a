import { beforeEach, expect, test } from 'vitest';
import { LayerStore } from '../storage/layer-store.ts';
import { MemoryLocks, MemoryStore } from '../storage/memory.ts';
import { ImageBackend } from './image-backend.ts';
import { encodeIndex, TarIndexer } from './tar.ts';
import { concat, end, file } from './testing/tar-writer.ts';

const TAR = concat(file({ name: 'a' }, new Uint8Array(3000).fill(1)), end());
const OTHER = concat(file({ name: 'b' }, new Uint8Array(9000).fill(2)), end());

let layers: LayerStore;
let values: MemoryStore;

beforeEach(() => {
  values = new MemoryStore();
  layers = new LayerStore(values, new MemoryLocks());
});

async function store(diffId: string, tar: Uint8Array): Promise<string> {
  const indexer = new TarIndexer();
  indexer.push(tar);
  const writer = await layers.write();
  await writer.append(tar);
  await (await writer.commit(diffId, encodeIndex(indexer.finish()))).layer.close();
  return diffId;
}

async function contentOf(disk: ImageBackend): Promise<string> {
  const content = new Uint8Array(disk.sizeBytes);
  await disk.read(0, [content]);
  return Buffer.from(content).toString('latin1');
}

const openDisk = () =>
  new ImageBackend(layers, (error) => {
    throw error;
  });

test('an image that is opened again is kept as it is', async () => {
  const disk = openDisk();
  const diffId = await store('sha256:a', TAR);
  await disk.open([diffId]);
  const before = await contentOf(disk);
  let resized = 0;
  disk.onResize = () => resized++;
  await disk.open([diffId]);
  expect(resized).toBe(0);
  // The file system would have another UUID.
  expect(await contentOf(disk)).toBe(before);
});

test('another image takes its place', async () => {
  const disk = openDisk();
  await disk.open([await store('sha256:a', TAR)]);
  const diffId = await store('sha256:b', OTHER);
  await disk.open([diffId]);
  expect(await contentOf(disk)).toContain('\x02'.repeat(9000));
  expect(disk.suspend()).toMatchObject({ layers: [diffId] });
});

test('an image that was removed and pulled again is read from its new place', async () => {
  const disk = openDisk();
  const diffId = await store('sha256:a', TAR);
  await disk.open([diffId]);
  expect(await layers.remove(diffId)).toBe(true);
  await expect(disk.open([diffId])).rejects.toThrow('not stored any more');
  await store(diffId, TAR);
  await disk.open([diffId]);
  expect(await contentOf(disk)).toContain('\x01'.repeat(3000));
});

test('a small layer is read when it is opened', async () => {
  const disk = openDisk();
  await disk.open([await store('sha256:a', TAR)]);
  await new Promise((resolve) => setImmediate(resolve));
  const into = new Uint8Array(512);
  // Nothing has to be waited for.
  expect(disk.read(disk.sizeBytes - 512, [into])).toBeUndefined();
});
