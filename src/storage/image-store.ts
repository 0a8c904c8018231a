import { toHex } from '../text/hex.ts';
import type { KeyValueStore } from './key-value.ts';

const VERSION = 1;

/** A pulled image: with its layers, all that a start without its source needs. */
export interface ImageRecord {
  /** The canonical reference. */
  readonly reference: string;
  /** The digest of its manifest. */
  readonly digest: string;
  /** Its configuration, as published JSON. */
  readonly config: string;
  /** The diffIDs of its layers, the lowest first. */
  readonly layers: readonly string[];
  /** The time in ms since 1970. */
  readonly lastUsed: number;
  /** Whether it was made here, so that no source has it. Its layers are not evicted. */
  readonly isLocal?: boolean | undefined;
}

/** Images by canonical reference. A new image replaces the one that its reference named before. */
export class ImageStore {
  readonly #store: KeyValueStore;

  constructor(store: KeyValueStore) {
    this.#store = store;
  }

  async get(reference: string): Promise<ImageRecord | undefined> {
    return decode(await this.#store.get(await keyOf(reference)));
  }

  /** @throws StorageFullError */
  async put(image: ImageRecord): Promise<void> {
    const bytes = new TextEncoder().encode(JSON.stringify({ version: VERSION, ...image }));
    await this.#store.set(await keyOf(image.reference), bytes);
  }

  /** Removes an image. Its layers stay, because other images may share them. */
  async remove(reference: string): Promise<void> {
    await this.#store.delete([await keyOf(reference)]);
  }

  /** Lists all images, the most recently used first. */
  async list(): Promise<ImageRecord[]> {
    return (await readRecords(this.#store)).sort((a, b) => b.lastUsed - a.lastUsed);
  }
}

/** The layers of images that were made here, which no source has. */
export async function localLayers(store: KeyValueStore): Promise<Set<string>> {
  const local = (await readRecords(store)).filter(({ isLocal }) => isLocal === true);
  return new Set(local.flatMap(({ layers }) => layers));
}

async function readRecords(store: KeyValueStore): Promise<ImageRecord[]> {
  const keys = await store.keys('image/');
  const images = await Promise.all(keys.map(async (key) => decode(await store.get(key))));
  return images.filter((image) => image !== undefined);
}

/** Hashes the reference, which can be longer than a file name. */
async function keyOf(reference: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(reference));
  return `image/${toHex(new Uint8Array(hash))}`;
}

function decode(bytes: Uint8Array | undefined): ImageRecord | undefined {
  if (!bytes) return undefined;
  try {
    const { version, ...image } = JSON.parse(new TextDecoder().decode(bytes));
    return version === VERSION ? (image as ImageRecord) : undefined;
  } catch {
    return undefined;
  }
}
