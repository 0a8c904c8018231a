import { beforeAll, expect, test } from 'vitest';
import type { Bytes } from '../oci/bytes.ts';
import { nodeCodec } from '../oci/node-codec.ts';
import { writeTar } from '../oci/tar-stream.ts';
import { MemoryLocks, MemoryStore, memoryFiles } from '../storage/memory.ts';
import { Store } from '../storage/store.ts';
import { storeLayer } from './image.ts';
import { ownerOf } from './image-owner.ts';

const store = new Store(new MemoryStore(), new MemoryLocks(), memoryFiles());
const PASSWD = 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1001::/home/node:/bin/sh\nbad:x:x:1::/:\n';

async function* contentOf(text: string): Bytes {
  if (text) yield new TextEncoder().encode(text);
}

async function layerOf(files: Readonly<Record<string, string>>): Promise<string> {
  const entries = Object.entries(files).map(([name, text]) => ({
    name,
    size: text.length,
    content: contentOf(text),
  }));
  const layer = await storeLayer(writeTar(entries), store, nodeCodec);
  await layer.close();
  return layer.diffId;
}

let image: string[];
beforeAll(async () => {
  image = [
    await layerOf({ 'etc/passwd': 'node:x:1:1::/:\n', 'etc/group': 'staff:x:50:\n' }),
    await layerOf({ 'etc/passwd': PASSWD }),
    await layerOf({ 'etc/motd': 'hello\n' }),
  ];
});

test.each([
  ['', 0, 0],
  ['root', 0, 0],
  ['node', 1000, 1001],
  ['1000', 1000, 1001],
  ['node:staff', 1000, 50],
  ['node:7', 1000, 7],
  ['4000000', 4_000_000, 0],
  ['bad', 0, 0],
  ['nobody', 0, 0],
  ['99999999999', 0, 0],
])('files for the user "%s" belong to %i:%i', async (name, user, group) => {
  expect(await ownerOf(name, image, store)).toEqual({ user, group });
});

test('an image without the files has only numbers', async () => {
  const without = [...image, await layerOf({ 'etc/.wh.passwd': '' })];
  expect(await ownerOf('node', without, store)).toEqual({ user: 0, group: 0 });
  expect(await ownerOf('12:staff', without, store)).toEqual({ user: 12, group: 50 });
});
