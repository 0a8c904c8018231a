import { expect, it } from 'vitest';
import { MemoryStore } from '../src/storage/memory.ts';
import { readStoredCode, replaceStoredCode } from './stored-code.ts';

it('replaces the stored code, and nothing else', async () => {
  const values = new MemoryStore();
  await values.set('code/a', Uint8Array.of(1, 2));
  await values.set('image/a', Uint8Array.of(3));
  const code = await readStoredCode(values);
  expect(code).toEqual([['code/a', [1, 2]]]);
  await values.set('code/b', Uint8Array.of(4));
  await replaceStoredCode(values, []);
  expect(await readStoredCode(values)).toEqual([]);
  await replaceStoredCode(values, code);
  expect(await readStoredCode(values)).toEqual(code);
  expect(await values.get('image/a')).toEqual(Uint8Array.of(3));
});
