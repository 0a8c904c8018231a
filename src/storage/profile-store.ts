import { toHex } from '../text/hex.ts';
import type { KeyValueStore } from './key-value.ts';

const PREFIX = 'profile/';
/** Of how many images profiles are kept. */
const MOST = 32;
/** A profile's first bytes: when it was stored, in ms since 1970 (f64). */
const HEAD = 8;

/** What was hot in containers of an image: only saves time, and is lost without harm. */
export class ProfileStore {
  readonly #store: KeyValueStore;

  constructor(store: KeyValueStore) {
    this.#store = store;
  }

  /**
   * Returns the profile of an image, empty if there is none.
   * @param layers diffIDs, the lowest first
   */
  async get(layers: readonly string[]): Promise<Uint8Array> {
    return (await this.#store.get(await keyOf(layers)))?.subarray(HEAD) ?? new Uint8Array();
  }

  /**
   * Stores the profile of an image, in place of the one that was stored longest ago if there are too many.
   */
  async put(layers: readonly string[], profile: Uint8Array): Promise<void> {
    const key = await keyOf(layers);
    const value = new Uint8Array(HEAD + profile.length);
    new DataView(value.buffer).setFloat64(0, Date.now(), true);
    value.set(profile, HEAD);
    await this.#store.set(key, value);
    await this.#evict();
  }

  async #evict(): Promise<void> {
    const keys = await this.#store.keys(PREFIX);
    if (keys.length <= MOST) return;
    const stored = await Promise.all(keys.map(async (key) => ({ key, time: await this.#timeOf(key) })));
    stored.sort((a, b) => b.time - a.time);
    await this.#store.delete(stored.slice(MOST).map(({ key }) => key));
  }

  async #timeOf(key: string): Promise<number> {
    const head = new Uint8Array(HEAD);
    const time = (await this.#store.read(key, 0, head)) ? new DataView(head.buffer).getFloat64(0, true) : 0;
    return time <= Date.now() ? time : 0;
  }
}

async function keyOf(layers: readonly string[]): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(layers.join(' ')));
  return PREFIX + toHex(new Uint8Array(hash));
}
