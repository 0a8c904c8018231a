import { ARCHITECTURES, type Architecture } from '../options/platform.mjs';
import { toHex } from '../text/hex.ts';
import type { KeyValueStore } from './key-value.ts';

const VERSION = 1;

type Emulated = Exclude<Architecture, 'riscv64'>;

/** What names an image: each processor has its own. */
export interface ImageKey {
  /** The canonical reference. */
  readonly reference: string;
  /** The processor that its programs are for; the machine's own if it is undefined. */
  readonly architecture?: Emulated | undefined;
}

/** A pulled image: with its layers, all that a start without its source needs. */
export interface ImageRecord extends ImageKey {
  /** Whether its reference has no image for a better processor; undefined stands for true. */
  readonly isBest?: boolean | undefined;
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

/**
 * Images by canonical reference and processor. A new image replaces the one that both named before.
 */
export class ImageStore {
  readonly #store: KeyValueStore;

  constructor(store: KeyValueStore) {
    this.#store = store;
  }

  /**
   * Returns the image for a processor. Without one, it is the image that would be taken of all those that the
   * reference has.
   */
  async get(reference: string, architecture?: Architecture): Promise<ImageRecord | undefined> {
    if (architecture !== undefined) return this.#read(reference, architecture);
    const all = await Promise.all(ARCHITECTURES.map((known) => this.#read(reference, known)));
    return preferred(all.filter((image) => image !== undefined));
  }

  /** @throws StorageFullError */
  async put(image: ImageRecord): Promise<void> {
    const bytes = new TextEncoder().encode(JSON.stringify({ version: VERSION, ...image }));
    await this.#store.set(await keyOf(image), bytes);
  }

  /** Removes an image. Its layers stay, because other images may share them. */
  async remove(image: ImageKey): Promise<void> {
    await this.#store.delete([await keyOf(image)]);
  }

  /** Lists all images, the most recently used first. */
  async list(): Promise<ImageRecord[]> {
    return (await readRecords(this.#store)).sort((a, b) => b.lastUsed - a.lastUsed);
  }

  async #read(reference: string, architecture: Architecture): Promise<ImageRecord | undefined> {
    return decode(await this.#store.get(await keyOf({ reference, architecture: emulated(architecture) })));
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

/** Hashes what names the image, which can be longer than a file name. */
async function keyOf({ reference, architecture }: ImageKey): Promise<string> {
  // No reference has a blank.
  const name = architecture === undefined ? reference : `${reference} ${architecture}`;
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(name));
  return `image/${toHex(new Uint8Array(hash))}`;
}

/** The image that would be taken of all those that a reference has, if it is among these. */
export function preferred<T extends ImageKey & Pick<ImageRecord, 'isBest'>>(
  images: readonly T[],
): T | undefined {
  const best = images.filter(({ isBest }) => isBest !== false);
  return ARCHITECTURES.map((known) => best.find(({ architecture }) => architecture === emulated(known))).find(
    (image) => image !== undefined,
  );
}

/** The name of a processor in a record. */
export function emulated(architecture: Architecture): Emulated | undefined {
  return architecture === 'riscv64' ? undefined : architecture;
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
