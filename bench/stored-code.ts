/** The compiled code that is stored with images. It works in Node and in a page. */
import type { KeyValueStore } from '../src/storage/key-value.ts';

/** Keys and bytes, as an array so that it goes to a page and back. */
export type StoredCode = readonly (readonly [key: string, bytes: readonly number[]])[];

const PREFIX = 'code/';

export async function readStoredCode(values: KeyValueStore): Promise<StoredCode> {
  const keys = await values.keys(PREFIX);
  return Promise.all(keys.map(async (key) => [key, [...((await values.get(key)) ?? [])]] as const));
}

/** Stores this code in place of all that is stored. */
export async function replaceStoredCode(values: KeyValueStore, code: StoredCode): Promise<void> {
  await values.delete(await values.keys(PREFIX));
  for (const [key, bytes] of code) await values.set(key, Uint8Array.from(bytes));
}
