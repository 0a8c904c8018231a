import { expect, test } from 'vitest';
import { CrashFiles, Power } from '../snapshot/testing/crash-files.ts';
import { MemoryLocks, MemoryStore } from './memory.ts';
import { StartStore } from './start-store.ts';

const SESSION = '0f0e0d0c-0b0a-4908-8706-050403020100';

async function setUp() {
  const [values, locks, sessions] = [new MemoryStore(), new MemoryLocks(), new CrashFiles(new Power())];
  const starts = new StartStore(values, locks, sessions);
  const add = async (key: string, lastUsed: number, isComplete = true) => {
    (await sessions.open(`start-${key}-${SESSION}-0`)).write(0, new Uint8Array(100));
    await values.set(`session/start-${key}/${SESSION}`, new Uint8Array(1));
    const image = { reference: 'r', digest: 'd', config: '{}', layers: [] };
    if (isComplete)
      await starts.put({ key, ...image, options: null, session: SESSION, created: 1, lastUsed });
  };
  const left = async () => [...(await sessions.list()), ...(await values.keys('session/'))].length;
  return { starts, add, left };
}

test('saved starts are listed, measured and removed', async () => {
  const { starts, add, left } = await setUp();
  await add('aa', 1);
  await add('bb', 2);
  expect((await starts.list()).map(({ key }) => key)).toEqual(['bb', 'aa']);
  expect(await starts.usage('aa')).toBe(100);
  await starts.remove('bb');
  expect(await starts.get('bb')).toBeUndefined();
  expect(await left()).toBe(2);
});

test('the one that was used longest ago makes room first', async () => {
  const { starts, add } = await setUp();
  await add('aa', 2);
  await add('bb', 1);
  expect(await starts.evict()).toBe(true);
  expect((await starts.list()).map(({ key }) => key)).toEqual(['aa']);
  await starts.evict();
  expect(await starts.evict()).toBe(false);
});

test('what was not completed is swept, unless it is being saved', async () => {
  const { starts, add, left } = await setUp();
  await add('aa', 1, false);
  const release = await starts.hold('aa');
  await starts.sweep();
  expect(await left()).toBe(2);
  await release();
  await starts.sweep();
  expect(await left()).toBe(0);
});
