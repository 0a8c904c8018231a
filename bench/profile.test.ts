import { expect, it } from 'vitest';
import { MemoryStore } from '../src/storage/memory.ts';
import { readProfile, replaceProfile } from './profile.ts';

it('replaces the profiles, and nothing else', async () => {
  const values = new MemoryStore();
  await values.set('code/a', Uint8Array.of(1, 2));
  await values.set('image/a', Uint8Array.of(3));
  const profile = await readProfile(values);
  expect(profile).toEqual([['code/a', [1, 2]]]);
  await values.set('code/b', Uint8Array.of(4));
  await replaceProfile(values, []);
  expect(await readProfile(values)).toEqual([]);
  await replaceProfile(values, profile);
  expect(await readProfile(values)).toEqual(profile);
  expect(await values.get('image/a')).toEqual(Uint8Array.of(3));
});
