/** A worker that measures places for the file of a disk: OPFS, and IndexedDB with chunks of a size. */

import type { WorkerFileHandle } from '../../src/storage/opfs-disk-files.ts';

/** Times in ms. */
export interface Times {
  /** Of 64 MiB. */
  readonly write: number;
  readonly commit: number;
  /** Of a random block. */
  readonly read: number;
}

const MIB = 1 << 20;
const TOTAL = 64 * MIB;
const BLOCK = 4096;
const COMMITS = 200;
const READS = 300;

/** Offsets of blocks, the same in each run. */
const place = (index: number) => ((index * 7919) % (TOTAL / BLOCK)) * BLOCK;

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] as number;
}

/** The time of an action, in ms. */
async function time(action: () => void | Promise<void>): Promise<number> {
  const begin = performance.now();
  await action();
  return performance.now() - begin;
}

/** Runs an action for each of `count` numbers, and returns the median of their times. */
async function timeEach(count: number, action: (index: number) => void | Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) times.push(await time(() => action(index)));
  return median(times);
}

async function measureOpfs(): Promise<Times> {
  const root = await navigator.storage.getDirectory();
  const file = (await root.getFileHandle('bench', { create: true })) as WorkerFileHandle;
  const handle = await file.createSyncAccessHandle();
  const [chunk, block] = [new Uint8Array(64 << 10).fill(7), new Uint8Array(BLOCK).fill(3)];
  const write = await time(() => {
    for (let at = 0; at < TOTAL; at += chunk.length) handle.write(chunk, { at });
    handle.flush();
  });
  // What ext4 does for a commit: data and journal, then the commit block.
  const commit = await timeEach(COMMITS, (index) => {
    handle.write(block, { at: place(index) });
    handle.write(block, { at: index * BLOCK });
    handle.flush();
    handle.write(block, { at: (index + 1) * BLOCK });
    handle.flush();
  });
  const read = await time(() => {
    for (let index = 0; index < READS; index++) handle.read(block, { at: place(index) });
  });
  handle.close();
  await root.removeEntry('bench');
  return { write, commit, read: read / READS };
}

function answered<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

async function measureIndexedDb(size: number): Promise<Times> {
  const name = `bench-${size}`;
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('chunks');
  const database = await answered(opening);
  const chunk = new Uint8Array(size).fill(7);
  const put = (keys: readonly number[]): Promise<void> => {
    const transaction = database.transaction('chunks', 'readwrite', { durability: 'strict' });
    for (const key of keys) transaction.objectStore('chunks').put(chunk, key);
    return committed(transaction);
  };
  const get = (key: number): Promise<unknown> =>
    answered(database.transaction('chunks').objectStore('chunks').get(key));
  const [count, together] = [TOTAL / size, Math.max((8 * MIB) / size, 1)];
  const write = await time(async () => {
    for (let at = 0; at < count; at += together)
      await put(Array.from({ length: together }, (_, i) => at + i));
  });
  const chunkOf = (offset: number) => Math.floor(offset / size);
  const commit = await timeEach(COMMITS / 4, async (index) => {
    await put([chunkOf(place(index)), chunkOf(index * BLOCK)]);
    await put([chunkOf((index + 1) * BLOCK)]);
  });
  const read = await time(async () => {
    for (let index = 0; index < READS; index++) await get(chunkOf(place(index)));
  });
  database.close();
  await answered(indexedDB.deleteDatabase(name));
  return { write, commit, read: read / READS };
}

addEventListener('message', async ({ data }: MessageEvent<number>) => {
  postMessage(data === 0 ? await measureOpfs() : await measureIndexedDb(data));
});
