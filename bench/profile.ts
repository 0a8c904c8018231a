/** The stored profiles of a machine's translator. It works in Node and in a page. */
import type { KeyValueStore } from '../src/storage/key-value.ts';

/** Keys and bytes, as an array so that it goes to a page and back. */
export type Profile = readonly (readonly [key: string, bytes: readonly number[]])[];

const PREFIX = 'code/';

export async function readProfile(values: KeyValueStore): Promise<Profile> {
  const keys = await values.keys(PREFIX);
  return Promise.all(keys.map(async (key) => [key, [...((await values.get(key)) ?? [])]] as const));
}

/** Sets a profile in place of all that are stored. */
export async function replaceProfile(values: KeyValueStore, profile: Profile): Promise<void> {
  await values.delete(await values.keys(PREFIX));
  for (const [key, bytes] of profile) await values.set(key, Uint8Array.from(bytes));
}
