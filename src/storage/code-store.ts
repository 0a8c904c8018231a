import { toHex } from '../text/hex.ts';
import type { KeyValueStore } from './key-value.ts';

const PREFIX = 'code/';
/** Of how many images code is kept, and the most bytes of all packs. */
const MOST = 32;
const MOST_BYTES = 64 << 20;
/** A value's first bytes: the time of storing, in ms since 1970 (f64), the size and SHA-256 of its pack. */
const SIZE = 8;
const DIGEST = 16;
const HEAD = 48;

const NONE = new Uint8Array();

/** The compiled code of containers of an image: only saves time, and is lost without harm. */
export class CodeStore {
  readonly #store: KeyValueStore;

  constructor(store: KeyValueStore) {
    this.#store = store;
  }

  /**
   * Returns the pack of an image, empty if there is none, or if it is damaged.
   * @param layers diffIDs, the lowest first
   * @param version of the compiler
   */
  async get(layers: readonly string[], version: string): Promise<Uint8Array> {
    const value = await this.#store.get(await keyOf(layers, version));
    if (!value) return NONE;
    const pack = value.subarray(HEAD);
    const digest = await sha256(pack);
    return digest.every((byte, n) => value[DIGEST + n] === byte) ? pack : NONE;
  }

  /** Stores the pack of an image, in place of those that were stored longest ago if there are too many. */
  async put(layers: readonly string[], version: string, pack: Uint8Array): Promise<void> {
    const value = new Uint8Array(HEAD + pack.length);
    const view = new DataView(value.buffer);
    view.setFloat64(0, Date.now(), true);
    view.setUint32(SIZE, pack.length, true);
    value.set(await sha256(pack), DIGEST);
    value.set(pack, HEAD);
    await this.#store.set(await keyOf(layers, version), value);
    await this.#evict();
  }

  async #evict(): Promise<void> {
    const keys = await this.#store.keys(PREFIX);
    const stored = await Promise.all(keys.map(async (key) => ({ key, ...(await this.#headOf(key)) })));
    stored.sort((a, b) => b.time - a.time);
    let bytes = 0;
    const isTooMuch = stored.map(({ size }, n) => {
      bytes += size;
      return n >= MOST || bytes > MOST_BYTES;
    });
    const evicted = stored.filter((_, n) => isTooMuch[n]).map(({ key }) => key);
    if (evicted.length > 0) await this.#store.delete(evicted);
  }

  async #headOf(key: string): Promise<{ time: number; size: number }> {
    const head = new Uint8Array(HEAD);
    if (!(await this.#store.read(key, 0, head))) return { time: 0, size: 0 };
    const view = new DataView(head.buffer);
    const time = view.getFloat64(0, true);
    return { time: time <= Date.now() ? time : 0, size: view.getUint32(SIZE, true) };
  }
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
}

async function keyOf(layers: readonly string[], version: string): Promise<string> {
  const hash = await sha256(new TextEncoder().encode([version, ...layers].join(' ')));
  return PREFIX + toHex(hash);
}
