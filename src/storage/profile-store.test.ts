import { expect, test, vi } from 'vitest';
import { MemoryStore } from './memory.ts';
import { ProfileStore } from './profile-store.ts';

const NONE = new Uint8Array();

test('keeps a profile for each image', async () => {
  const store = new ProfileStore(new MemoryStore());
  await store.put(['sha256:a', 'sha256:b'], Uint8Array.of(1));
  await store.put(['sha256:b', 'sha256:a'], Uint8Array.of(2));
  expect(await store.get(['sha256:a', 'sha256:b'])).toEqual(Uint8Array.of(1));
  expect(await store.get(['sha256:b', 'sha256:a'])).toEqual(Uint8Array.of(2));
  expect(await store.get(['sha256:a'])).toEqual(NONE);
});

test('keeps those of 32 images, and evicts what was stored longest ago', async () => {
  vi.useFakeTimers();
  const values = new MemoryStore();
  const store = new ProfileStore(values);
  for (let image = 0; image < 40; image++) {
    vi.setSystemTime(1e12 + image);
    await store.put([`sha256:${image}`], Uint8Array.of(image));
    if (image > 0) await store.put(['sha256:0'], Uint8Array.of(0));
  }
  vi.useRealTimers();
  expect((await values.keys('profile/')).length).toBe(32);
  expect(await store.get(['sha256:0'])).toEqual(Uint8Array.of(0));
  expect(await store.get(['sha256:8'])).toEqual(NONE);
  expect(await store.get(['sha256:9'])).toEqual(Uint8Array.of(9));
});

test('evicts damaged ones first, and those from the future', async () => {
  const values = new MemoryStore();
  const store = new ProfileStore(values);
  await values.set('profile/short', NONE);
  await values.set('profile/late', new Uint8Array(new Float64Array([1e300]).buffer));
  for (let image = 0; image < 32; image++) await store.put([`sha256:${image}`], Uint8Array.of(image));
  expect(await values.get('profile/short')).toBeUndefined();
  expect(await values.get('profile/late')).toBeUndefined();
  expect(await store.get(['sha256:0'])).toEqual(Uint8Array.of(0));
});
