import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ContainerExistsError,
  ContainerInUseError,
  type ContainerRecord,
  checkContainerName,
} from './container-store.ts';
import { StorageError } from './errors.ts';
import { MemoryLocks, MemoryStore, memoryFiles } from './memory.ts';
import { nodeStore } from './node.ts';
import { Store } from './store.ts';

function record(name: string, changes: Partial<ContainerRecord> = {}): ContainerRecord {
  return {
    name,
    id: crypto.randomUUID(),
    reference: 'docker.io/library/busybox:latest',
    digest: 'sha256:1',
    config: '{}',
    layers: [],
    options: { env: ['A=b'] },
    created: 1,
    lastUsed: 1,
    diskBytes: 1 << 24,
    ...changes,
  };
}

async function fill(store: Store, id: string, byte: number): Promise<void> {
  await store.disks.create(id, (write) => write(0, new Uint8Array(3 << 20).fill(byte)));
}

async function content(store: Store, id: string): Promise<Uint8Array | undefined> {
  const file = await store.disks.openReadOnly(id);
  const bytes = await file?.read(0, file.size);
  await file?.close();
  return bytes;
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-containers-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe.each([
  ['in memory', () => new Store(new MemoryStore(), new MemoryLocks(), memoryFiles())],
  ['in files', () => nodeStore(folder)],
])('kept containers %s', (_, open) => {
  let store: Store;
  beforeEach(() => {
    store = open();
  });

  it('are listed, the most recently used first, and opened by one owner at a time', async () => {
    const { containers } = store;
    const a = await containers.create(record('a', { lastUsed: 5 }));
    await (await containers.create(record('b', { lastUsed: 9 }))).close();
    expect((await containers.list()).map(({ name }) => name)).toEqual(['b', 'a']);
    expect(await containers.get('a')).toEqual(a.record);
    expect(await containers.running()).toEqual(new Set([a.record.id]));
    const refused = containers.open('a');
    await expect(refused).rejects.toThrow(ContainerInUseError);
    await expect(refused).rejects.toThrow(/"a" is running .*here|"a" is running in this or another process/);
    await a.close();
    const again = await containers.open('a');
    expect(again.record).toEqual(a.record);
    await again.close();
    expect(await containers.running()).toEqual(new Set());
    await expect(containers.open('none')).rejects.toThrow(/no container "none" is kept here/);
  });

  it('have names that are given once', async () => {
    const { containers } = store;
    const made = await Promise.allSettled(Array.from({ length: 5 }, () => containers.create(record('a'))));
    const failures = made.filter(({ status }) => status === 'rejected');
    expect(failures).toHaveLength(4);
    for (const failure of failures)
      expect((failure as PromiseRejectedResult).reason).toBeInstanceOf(ContainerExistsError);
    expect(await containers.list()).toHaveLength(1);
    for (const result of made) if (result.status === 'fulfilled') await result.value.close();
    await (await containers.create(record('b'))).close();
    await expect(containers.rename('a', 'b')).rejects.toThrow(ContainerExistsError);
    await expect(containers.duplicate('a', 'b')).rejects.toThrow(ContainerExistsError);
    await containers.rename('a', 'c');
    expect((await containers.list()).map(({ name }) => name).sort()).toEqual(['b', 'c']);
  });

  it('change in one write', async () => {
    const { containers } = store;
    const a = await containers.create(record('a'));
    await a.update({ lastUsed: 7, session: { id: 's', checkpoint: 3, saved: 1, isEnd: true } });
    await a.rename('z');
    expect(await containers.get('z')).toEqual({
      ...a.record,
      name: 'z',
      lastUsed: 7,
      session: { id: 's', checkpoint: 3, saved: 1, isEnd: true },
    });
    await a.update({ session: undefined });
    expect((await containers.get('z'))?.session).toBeUndefined();
    await a.close();
  });

  it('are duplicated with their disk, and removed with it', async () => {
    const { containers } = store;
    const a = await containers.create(
      record('a', { session: { id: 's', checkpoint: 1, saved: 1, isEnd: true } }),
    );
    await fill(store, a.record.id, 1);
    await expect(containers.duplicate('a', 'b')).rejects.toThrow(ContainerInUseError);
    await expect(containers.remove('a')).rejects.toThrow(ContainerInUseError);
    await a.close();
    const b = await containers.duplicate('a', 'b');
    expect(b).toMatchObject({ name: 'b', layers: a.record.layers, options: a.record.options });
    expect(b.session).toBeUndefined();
    await fill(store, a.record.id, 2);
    expect((await content(store, b.id))?.every((byte) => byte === 1)).toBe(true);
    expect(await containers.usage('b')).toBe(3 << 20);
    await containers.remove('a');
    expect(await containers.get('a')).toBeUndefined();
    expect(await store.disks.list()).toEqual([b.id]);
  });

  it('lose to a sweep only disks that have neither record nor owner', async () => {
    const { containers } = store;
    const running = await containers.create(record('running'));
    const stopped = await containers.create(record('stopped'));
    await stopped.close();
    for (const id of [running.record.id, stopped.record.id, 'garbage']) await fill(store, id, 1);
    await store.sweep();
    expect((await store.disks.list()).sort()).toEqual([running.record.id, stopped.record.id].sort());
    await running.close();
  });

  it('leave nothing behind when they were forgotten, unless they are kept again', async () => {
    const { containers, disks } = store;
    const made = record('a');
    const a = await containers.create(made);
    await fill(store, made.id, 1);
    await a.forget();
    await a.update({ lastUsed: 9 });
    expect(await containers.list()).toEqual([]);
    const other = await containers.create(record('a'));
    await expect(a.rename('a')).rejects.toThrow(ContainerExistsError);
    await a.rename('b');
    expect(await containers.get('b')).toEqual({ ...made, name: 'b', lastUsed: 9 });
    expect((await content(store, made.id))?.[0]).toBe(1);
    await a.forget();
    await a.close();
    expect(await disks.list()).toEqual([]);
    expect((await containers.list()).map(({ name }) => name)).toEqual(['a']);
    await other.close();
  });

  it('keep their layers in the store', async () => {
    const { layers, containers } = store;
    for (const diffId of ['sha256:kept', 'sha256:other']) {
      const writer = await layers.write();
      await writer.append(new Uint8Array(1000));
      await (await writer.commit(diffId, new Uint8Array(1))).layer.close();
    }
    await (await containers.create(record('a', { layers: ['sha256:kept'] }))).close();
    expect((await layers.usage()).filter(({ inUse }) => inUse).map(({ diffId }) => diffId)).toEqual([
      'sha256:kept',
    ]);
    expect(await layers.remove('sha256:kept')).toBe(false);
    expect(await layers.evict(1 << 30)).toBe(1000);
    await store.sweep();
    expect(await layers.has('sha256:kept')).toBe(true);
    await containers.remove('a');
    expect(await layers.evict(1 << 30)).toBe(1000);
  });
});

it('asks for persistence when the first container is kept', async () => {
  let asked = 0;
  const { containers } = new Store(new MemoryStore(), new MemoryLocks(), memoryFiles(), () => asked++);
  for (const name of ['a', 'b']) await (await containers.create(record(name))).close();
  expect(asked).toBe(1);
});

it('refuses names that are none', () => {
  for (const name of ['', '.', '..', '-a', '_a', 'a/b', 'a b', 'ä', 'a'.repeat(129), 'a\n'])
    expect(() => checkContainerName(name)).toThrow(StorageError);
  for (const name of ['a', '0', 'A.b_c-9', 'a'.repeat(128)])
    expect(() => checkContainerName(name)).not.toThrow();
});
