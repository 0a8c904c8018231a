import 'fake-indexeddb/auto';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { StorageError, StorageFullError } from './errors.ts';
import { FileLocks } from './file-locks.ts';
import { FileStore } from './file-store.ts';
import { IndexedDbStore } from './indexed-db-store.ts';
import type { KeyValueStore, Locks } from './key-value.ts';
import { CHUNK_SIZE, LayerStore } from './layer-store.ts';
import { MemoryLocks, MemoryStore } from './memory.ts';

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'linuxrun-store-'));
  folders.push(folder);
  return folder;
}

const places: Record<string, () => Promise<{ values: KeyValueStore; locks: Locks }>> = {
  memory: async () => ({ values: new MemoryStore(), locks: new MemoryLocks() }),
  files: async () => {
    const folder = await makeFolder();
    return { values: new FileStore(folder), locks: new FileLocks(join(folder, 'locks')) };
  },
  IndexedDB: async () => ({
    values: new IndexedDbStore(`test-${randomBytes(8).toString('hex')}`),
    locks: new MemoryLocks(),
  }),
};

const diffIdOf = (tar: Uint8Array) => `sha256:${createHash('sha256').update(tar).digest('hex')}`;
const INDEX = new Uint8Array([1, 2, 3]);

async function store(layers: LayerStore, tar: Uint8Array): Promise<string> {
  const writer = await layers.write();
  await writer.append(tar);
  const { layer, isNew } = await writer.commit(diffIdOf(tar), INDEX);
  expect(isNew).toBe(true);
  await layer.close();
  return diffIdOf(tar);
}

const nextMillisecond = () => new Promise((resolve) => setTimeout(resolve, 3));

async function allKeys(values: KeyValueStore): Promise<string[]> {
  const keys = await Promise.all(['layer/', 'chunk/', 'used/'].map((prefix) => values.keys(prefix)));
  return keys.flat().sort();
}

describe.each(Object.entries(places))('layers in %s', (_name, open) => {
  it.each([0, 1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 2 * CHUNK_SIZE + 12345])(
    'reads back %i bytes, whole and in parts',
    async (size) => {
      const { values, locks } = await open();
      const layers = new LayerStore(values, locks);
      const tar = new Uint8Array(randomBytes(size));
      const writer = await layers.write();
      for (let at = 0; at < size; at += 100_001) await writer.append(tar.subarray(at, at + 100_001));
      const diffId = diffIdOf(tar);
      expect(await layers.has(diffId)).toBe(false);
      await (await writer.commit(diffId, INDEX)).layer.close();

      const layer = await layers.open(diffId);
      const other = new LayerStore(values, new MemoryLocks());
      const shared = new Uint8Array(size);
      await (await other.openHeld(diffId))?.read(0, shared);
      expect(diffIdOf(shared)).toBe(diffId);
      expect(layer).toMatchObject({ diffId, size });
      expect(layer?.index).toEqual(INDEX);
      const whole = new Uint8Array(size);
      await layer?.read(0, whole);
      expect(diffIdOf(whole)).toBe(diffId);
      for (let i = 0; i < 20; i++) {
        const from = Math.floor(Math.random() * size);
        const to = from + Math.floor(Math.random() * (size - from));
        const part = new Uint8Array(to - from);
        await layer?.read(from, part);
        expect(Buffer.compare(part, tar.subarray(from, to))).toBe(0);
      }
      await expect(layer?.read(size, new Uint8Array(1))).rejects.toThrow(RangeError);
      await expect(layer?.read(-1, new Uint8Array(1))).rejects.toThrow(RangeError);
      await layer?.close();
    },
  );

  it('shows and keeps nothing of an aborted layer', async () => {
    const { values, locks } = await open();
    const layers = new LayerStore(values, locks);
    const writer = await layers.write();
    await writer.append(new Uint8Array(CHUNK_SIZE * 2 + 5));
    expect(await layers.usage()).toEqual([]);
    await writer.abort();
    await writer.abort();
    expect(await allKeys(values)).toEqual([]);
    expect(await locks.held()).toEqual(new Set());
  });

  it('stores a layer once when two pull it at the same time', async () => {
    const { values, locks } = await open();
    const [one, two] = [new LayerStore(values, locks), new LayerStore(values, locks)];
    const tar = new Uint8Array(randomBytes(CHUNK_SIZE + 1));
    const writers = await Promise.all([one.write(), two.write()]);
    for (const writer of writers) await writer.append(tar);
    const committed = await Promise.all(writers.map((writer) => writer.commit(diffIdOf(tar), INDEX)));
    expect(committed.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(await one.remove(diffIdOf(tar))).toBe(false);
    for (const { layer } of committed) {
      const whole = new Uint8Array(tar.length);
      await layer.read(0, whole);
      expect(diffIdOf(whole)).toBe(diffIdOf(tar));
      await layer.close();
    }
    expect(await values.keys('chunk/')).toHaveLength(3);
    expect(await locks.held()).toEqual(new Set());
  });

  it('replaces a record that cannot be read', async () => {
    const { values, locks } = await open();
    const layers = new LayerStore(values, locks);
    const tar = new Uint8Array(randomBytes(10));
    await values.set(`layer/${diffIdOf(tar)}`, new TextEncoder().encode('{"version":0}'));
    await store(layers, tar);
    expect(await layers.has(diffIdOf(tar))).toBe(true);
  });

  it('sweeps only layers that are no longer written', async () => {
    const { values, locks } = await open();
    const layers = new LayerStore(values, locks);
    const diffId = await store(layers, new Uint8Array(randomBytes(1000)));
    const before = await allKeys(values);
    const writer = await layers.write();
    await writer.append(new Uint8Array(CHUNK_SIZE));
    await values.set('chunk/dead/0', new Uint8Array(9));
    await values.set('chunk/dead/index', new Uint8Array(9));
    await values.set('used/dead', new Uint8Array(9));

    await layers.sweep();
    expect(await values.keys('chunk/dead/')).toEqual([]);
    expect(await layers.has(diffId)).toBe(true);
    // The writer continues undisturbed.
    await writer.append(new Uint8Array(3));
    const { layer } = await writer.commit('sha256:other', INDEX);
    await layer.read(CHUNK_SIZE, new Uint8Array(3));
    await layer.close();
    await layers.remove('sha256:other');
    expect(await allKeys(values)).toEqual(before);
  });

  it('sweeps layers of another version', async () => {
    const { values, locks } = await open();
    const layers = new LayerStore(values, locks);
    const old = { version: 0, diffId: 'sha256:old', size: 1, group: 'old' };
    await values.set('layer/sha256:old', new TextEncoder().encode(JSON.stringify(old)));
    await values.set('layer/sha256:cut', new TextEncoder().encode('{"versi'));
    await values.set('chunk/old/0', new Uint8Array(1));
    expect(await layers.has('sha256:old')).toBe(false);
    await layers.sweep();
    expect(await allKeys(values)).toEqual([]);
  });

  it('evicts the least recently used layers, but none that is open', async () => {
    const { values, locks } = await open();
    const layers = new LayerStore(values, locks);
    const diffIds: string[] = [];
    for (let i = 0; i < 4; i++) {
      diffIds.push(await store(layers, new Uint8Array(randomBytes(1000 + i))));
      await nextMillisecond();
    }
    const [first = '', second = '', third = '', fourth = ''] = diffIds;
    const used = await layers.open(first);
    await used?.close();
    await nextMillisecond();
    const open2 = await layers.open(second);

    expect((await layers.usage()).map(({ diffId, inUse }) => [diffId, inUse])).toEqual([
      [third, false],
      [fourth, false],
      [first, false],
      [second, true],
    ]);
    expect(await layers.evict(1)).toBe(1002);
    expect(await layers.has(third)).toBe(false);
    expect(await layers.remove(second)).toBe(false);
    expect(await layers.evict(1e9)).toBe(1003 + 1000);
    await open2?.read(0, new Uint8Array(1001));
    await open2?.close();
    expect(await layers.remove(second)).toBe(true);
    expect(await layers.remove(second)).toBe(false);
    expect(await allKeys(values)).toEqual([]);
  });

  it('forgets a layer with missing bytes, so that it is pulled again', async () => {
    const { values, locks } = await open();
    const layers = new LayerStore(values, locks);
    const tar = new Uint8Array(randomBytes(CHUNK_SIZE * 2));
    const diffId = await store(layers, tar);
    const layer = await layers.open(diffId);
    const chunks = (await values.keys('chunk/')).filter((key) => key.endsWith('/1'));
    await values.set(chunks[0] ?? '', new Uint8Array(5));
    await layer?.read(0, new Uint8Array(CHUNK_SIZE));
    await expect(layer?.read(CHUNK_SIZE - 1, new Uint8Array(9))).rejects.toThrow(StorageError);
    await layer?.close();
    expect(await layers.open(diffId)).toBeUndefined();
    await layers.sweep();
    expect(await allKeys(values)).toEqual([]);
    await store(layers, tar);
  });
});

it('keeps a layer that is opened during its removal', async () => {
  const values = new MemoryStore();
  const locks = new MemoryLocks();
  const layers = new LayerStore(values, locks);
  const tar = new Uint8Array(randomBytes(10));
  const diffId = await store(layers, tar);
  // A reader that reads the record just before its deletion already holds the lock.
  const slow = new LayerStore(
    Object.assign(Object.create(values) as MemoryStore, {
      get: values.get.bind(values),
      add: values.add.bind(values),
      keys: values.keys.bind(values),
      delete: async (keys: string[]) => {
        if (keys[0]?.startsWith('layer/')) opened = await layers.open(diffId);
        await values.delete(keys);
      },
    }),
    locks,
  );
  let opened = await layers.open('sha256:none');
  expect(await slow.remove(diffId)).toBe(false);
  const bytes = new Uint8Array(10);
  await opened?.read(0, bytes);
  expect(diffIdOf(bytes)).toBe(diffId);
  expect(await layers.has(diffId)).toBe(true);
});

describe('when there is no room', () => {
  it('evicts old layers for a new one', async () => {
    const values = new MemoryStore(5 * CHUNK_SIZE);
    const layers = new LayerStore(values, new MemoryLocks());
    const old = await store(layers, new Uint8Array(randomBytes(2 * CHUNK_SIZE)));
    const fresh = await store(layers, new Uint8Array(randomBytes(4 * CHUNK_SIZE)));
    expect(await layers.has(old)).toBe(false);
    expect(await layers.has(fresh)).toBe(true);
  });

  it('fails and changes nothing if everything is in use', async () => {
    const values = new MemoryStore(5 * CHUNK_SIZE);
    const layers = new LayerStore(values, new MemoryLocks());
    const layer = await layers.open(await store(layers, new Uint8Array(randomBytes(2 * CHUNK_SIZE))));
    const before = await allKeys(values);
    const writer = await layers.write();
    const append = async () => {
      for (let i = 0; i < 8; i++) await writer.append(new Uint8Array(CHUNK_SIZE));
    };
    await expect(append()).rejects.toThrow(StorageFullError);
    await writer.abort();
    expect(await allKeys(values)).toEqual(before);
    await layer?.read(0, new Uint8Array(2 * CHUNK_SIZE));
  });

  it('can still open existing layers', async () => {
    const values = new MemoryStore(3000);
    const layers = new LayerStore(values, new MemoryLocks());
    const diffId = await store(layers, new Uint8Array(randomBytes(100)));
    const filler = new Uint8Array(3000 - 100 - 300);
    await values.set('filler/1', filler);
    const key = (await values.keys('used/'))[0] ?? '';
    await values.delete([key]);
    while (
      await values.add(`filler/${Math.random()}`, new Uint8Array(1)).then(
        () => true,
        () => false,
      )
    );
    const layer = await layers.open(diffId);
    await layer?.read(0, new Uint8Array(100));
    expect(layer).toBeDefined();
  });
});
