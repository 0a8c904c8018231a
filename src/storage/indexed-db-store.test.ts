import 'fake-indexeddb/auto';
import { expect, it, vi } from 'vitest';
import { StorageError, StorageFullError } from './errors.ts';
import { IndexedDbStore } from './indexed-db-store.ts';

it('sets, adds, lists by prefix and deletes', async () => {
  const store = new IndexedDbStore('test-basics');
  const buffer = new Uint8Array([0, 1, 2, 3]);
  await store.set('a/1', buffer.subarray(1, 3));
  expect(await store.add('a/1', buffer)).toBe(false);
  expect(await store.add('a/2', buffer)).toBe(true);
  await store.set('ab/1', buffer);
  const value = await store.get('a/1');
  expect(value).toEqual(new Uint8Array([1, 2]));
  // The whole buffer behind the view is not stored.
  expect(value?.buffer.byteLength).toBe(2);
  expect(await store.keys('a/')).toEqual(['a/1', 'a/2']);
  await store.delete(['a/1', 'none']);
  expect(await store.get('a/1')).toBeUndefined();
  const into = new Uint8Array(2);
  expect(await store.read('a/2', 2, into)).toBe(true);
  expect(into).toEqual(new Uint8Array([2, 3]));
  expect(await store.read('a/2', 3, into)).toBe(false);
});

it('lets one of many adders win', async () => {
  const store = new IndexedDbStore('test-add');
  const added = await Promise.all([0, 1, 2, 3].map((i) => store.add('x/y', new Uint8Array([i]))));
  expect(added.filter(Boolean)).toHaveLength(1);
  expect((await store.get('x/y'))?.[0]).toBe(added.indexOf(true));
});

it('distinguishes full storage from failing storage', async () => {
  const store = new IndexedDbStore('test-full');
  await store.set('a/1', new Uint8Array(1));
  const put = vi.spyOn(IDBObjectStore.prototype, 'put');
  put.mockImplementationOnce(() => {
    throw new DOMException('', 'QuotaExceededError');
  });
  await expect(store.set('a/2', new Uint8Array(1))).rejects.toThrow(StorageFullError);
  put.mockImplementationOnce(() => {
    throw new DOMException('the disk is on fire', 'UnknownError');
  });
  await expect(store.set('a/2', new Uint8Array(1))).rejects.toThrow(/cannot be used: the disk is on fire/);
  await expect(store.set('a/2', new Uint8Array(1))).resolves.toBeUndefined();
  put.mockRestore();
  expect(new StorageFullError('')).toBeInstanceOf(StorageError);
});

it('aborts its transactions when it is abandoned, so that others can write', async () => {
  const store = new IndexedDbStore('test-abandoned');
  await store.set('a/1', new Uint8Array([1]));
  const { put } = IDBObjectStore.prototype;
  vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementationOnce(function (this: IDBObjectStore, ...args) {
    const request = put.apply(this, args);
    store.abandon();
    return request;
  });
  await expect(store.set('a/1', new Uint8Array([2]))).rejects.toThrow(StorageError);
  await expect(store.get('a/1')).rejects.toThrow(StorageError);
  const other = new IndexedDbStore('test-abandoned');
  expect(await other.get('a/1')).toEqual(new Uint8Array([1]));
  await other.set('a/1', new Uint8Array([3]));
});
