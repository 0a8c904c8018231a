import { expect, test, vi } from 'vitest';
import { CodeStore } from './code-store.ts';
import { MemoryStore } from './memory.ts';

const NONE = new Uint8Array();
const VERSION = 'a';

test('keeps a pack for each image and version', async () => {
  const store = new CodeStore(new MemoryStore());
  await store.put(['sha256:a', 'sha256:b'], VERSION, Uint8Array.of(1));
  await store.put(['sha256:b', 'sha256:a'], VERSION, Uint8Array.of(2));
  await store.put(['sha256:b', 'sha256:a'], 'b', Uint8Array.of(3));
  expect(await store.get(['sha256:a', 'sha256:b'], VERSION)).toEqual(Uint8Array.of(1));
  expect(await store.get(['sha256:b', 'sha256:a'], VERSION)).toEqual(Uint8Array.of(2));
  expect(await store.get(['sha256:b', 'sha256:a'], 'b')).toEqual(Uint8Array.of(3));
  expect(await store.get(['sha256:a'], VERSION)).toEqual(NONE);
});

test('takes a pack with any damage for none', async () => {
  const values = new MemoryStore();
  const store = new CodeStore(values);
  await store.put(['sha256:a'], VERSION, Uint8Array.of(1, 2, 3));
  const [key = ''] = await values.keys('code/');
  const whole = (await values.get(key)) as Uint8Array;
  for (let at = 16; at < whole.length; at++) {
    for (const damaged of [whole.subarray(0, at), whole.with(at, (whole[at] as number) ^ 1)]) {
      await values.set(key, damaged);
      expect(await store.get(['sha256:a'], VERSION)).toEqual(NONE);
    }
  }
  await values.set(key, whole);
  expect(await store.get(['sha256:a'], VERSION)).toEqual(Uint8Array.of(1, 2, 3));
});

test('keeps those of 32 images, and evicts what was stored longest ago', async () => {
  vi.useFakeTimers();
  const values = new MemoryStore();
  const store = new CodeStore(values);
  for (let image = 0; image < 40; image++) {
    vi.setSystemTime(1e12 + image);
    await store.put([`sha256:${image}`], VERSION, Uint8Array.of(image));
    if (image > 0) await store.put(['sha256:0'], VERSION, Uint8Array.of(0));
  }
  vi.useRealTimers();
  expect((await values.keys('code/')).length).toBe(32);
  expect(await store.get(['sha256:0'], VERSION)).toEqual(Uint8Array.of(0));
  expect(await store.get(['sha256:8'], VERSION)).toEqual(NONE);
  expect(await store.get(['sha256:9'], VERSION)).toEqual(Uint8Array.of(9));
});

test('keeps 64 MiB at most', async () => {
  vi.useFakeTimers();
  const values = new MemoryStore();
  const store = new CodeStore(values);
  for (let image = 0; image < 12; image++) {
    vi.setSystemTime(1e12 + image);
    await store.put([`sha256:${image}`], VERSION, new Uint8Array(6 << 20));
  }
  vi.useRealTimers();
  expect((await values.keys('code/')).length).toBe(10);
  expect((await store.get(['sha256:11'], VERSION)).length).toBe(6 << 20);
});

test('evicts damaged ones first, and those from the future', async () => {
  const values = new MemoryStore();
  const store = new CodeStore(values);
  await values.set('code/short', NONE);
  const late = new Uint8Array(48);
  new DataView(late.buffer).setFloat64(0, 1e300, true);
  await values.set('code/late', late);
  for (let image = 0; image < 32; image++)
    await store.put([`sha256:${image}`], VERSION, Uint8Array.of(image));
  expect(await values.get('code/short')).toBeUndefined();
  expect(await values.get('code/late')).toBeUndefined();
  expect(await store.get(['sha256:0'], VERSION)).toEqual(Uint8Array.of(0));
});
