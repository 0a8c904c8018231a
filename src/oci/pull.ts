import type { Architecture } from '../options/platform.mjs';
import { StorageFullError } from '../storage/errors.ts';
import type { ImageRecord } from '../storage/image-store.ts';
import type { LayerWriter, StoredLayer } from '../storage/layer-store.ts';
import type { Store } from '../storage/store.ts';
import { messageOf } from '../text/message.ts';
import type { Bytes } from './bytes.ts';
import { type Codec, decompress, type Hasher } from './codec.ts';
import type { Context } from './context.ts';
import { algorithmOf, type Digest, digestMismatch, isDigest } from './digest.ts';
import { ImageError } from './errors.ts';
import { emulatedIn, type Image, type ImageConfig, parseConfigFile } from './image.ts';
import type { ImageSource, SourceLayer } from './source.ts';

/** Reads a layer's tar as its bytes arrive. */
export interface Indexer {
  /** @throws when the bytes are no tar that can become a root file system */
  push(bytes: Uint8Array): void;
  /** The serialised index of the tar's entries. */
  finish(): Uint8Array;
}

/** A step of a pull. */
export type PullEvent =
  | {
      readonly type: 'resolved';
      readonly digest: Digest;
      /**
       * Each layer once. `size` is the size of its download in bytes; a `cached` layer is in the store
       * already, and may have the size of its tar.
       */
      readonly layers: readonly { diffId: Digest; size: number; cached: boolean }[];
    }
  /** `received` of its `size` bytes have arrived, and the tar has grown to `stored` bytes. */
  | { readonly type: 'progress'; readonly diffId: Digest; readonly received: number; readonly stored: number }
  /** A layer is verified and stored. */
  | { readonly type: 'stored'; readonly diffId: Digest }
  /** Something failed. The next attempt follows in `delay` ms. */
  | { readonly type: 'retry'; readonly reason: string; readonly delay: number }
  /** The source cannot be reached. The image that comes with LinuxRun is used instead. */
  | { readonly type: 'built-in'; readonly reason: string };

export interface PullLimits {
  /** The largest tar of a layer, in bytes. */
  readonly layer: number;
  /** A tar below this size may have any ratio, in bytes. */
  readonly unsuspicious: number;
  /** Above that size, the largest ratio of a tar to its compressed form. */
  readonly ratio: number;
}

export interface PullOptions {
  readonly codec: Codec;
  readonly createIndexer: () => Indexer;
  readonly signal: AbortSignal;
  /** The processor whose image is pulled; by default the best one of those that the image is for. */
  readonly architecture?: Architecture | undefined;
  readonly onEvent?: ((event: PullEvent) => void) | undefined;
  readonly limits?: Partial<PullLimits> | undefined;
}

const DEFAULT_LIMITS: PullLimits = { layer: 16 * 2 ** 30, unsuspicious: 256 << 20, ratio: 250 };

/** A stored image whose layers no other tab or process can evict until it is released. */
export class HeldImage implements Image {
  readonly reference: string;
  readonly digest: string;
  readonly config: ImageConfig;
  readonly layers: readonly Digest[];
  readonly #held: readonly StoredLayer[];
  readonly #noted: Promise<void>;

  /**
   * @param held its layers, each at least once
   * @param noted settles when its use is noted in the store, for which nobody waits before the end of it
   */
  constructor(
    { reference, digest, config, layers }: Image,
    held: readonly StoredLayer[],
    noted: Promise<void> = Promise.resolve(),
  ) {
    this.reference = reference;
    this.digest = digest;
    this.config = config;
    this.layers = layers;
    this.#held = held;
    this.#noted = noted;
    noted.catch(() => {});
  }

  async release(): Promise<void> {
    await this.#noted.finally(() => closeAll(this.#held));
  }
}

/**
 * Returns the image if all of it is stored.
 * @param architecture the processor of the image; by default the best one that the reference has
 * @throws StorageError
 */
export async function findImage(
  reference: string,
  store: Store,
  architecture?: Architecture,
): Promise<HeldImage | undefined> {
  return (await findStored(reference, store, architecture))?.image;
}

interface FoundImage {
  readonly image: HeldImage;
  readonly stored: readonly StoredLayer[];
}

async function findStored(
  reference: string,
  store: Store,
  architecture: Architecture | undefined,
): Promise<FoundImage | undefined> {
  const record = await store.images.get(reference, architecture);
  return record && hold(record, store, () => noteUse(record, store));
}

/** Returns the image of a record if all of its layers are stored. @throws StorageError */
export async function holdImage(record: HoldableImage, store: Store): Promise<HeldImage | undefined> {
  return (await hold(record, store))?.image;
}

type HoldableImage = Omit<ImageRecord, 'lastUsed'>;

async function hold(
  { reference, digest, config: text, layers: diffIds }: HoldableImage,
  store: Store,
  note?: () => Promise<void>,
): Promise<FoundImage | undefined> {
  const layers = diffIds.filter(isDigest);
  const stored = await openAll(store, [...new Set(layers)]);
  if (!stored) return undefined;
  try {
    const { config } = parseConfigFile(new TextEncoder().encode(text));
    return { image: new HeldImage({ reference, digest, config, layers }, stored, note?.()), stored };
  } catch (error) {
    await closeAll(stored);
    throw error;
  }
}

/** Opens all of these layers, or none. */
async function openAll(store: Store, diffIds: readonly Digest[]): Promise<StoredLayer[] | undefined> {
  const opening = await Promise.allSettled(diffIds.map((diffId) => store.layers.open(diffId)));
  const opened = opening.flatMap((layer) => (layer.status === 'fulfilled' ? (layer.value ?? []) : []));
  if (opened.length === diffIds.length) return opened;
  await closeAll(opened);
  for (const layer of opening) if (layer.status === 'rejected') throw layer.reason;
  return undefined;
}

/** A stored image must stay usable when the storage is full. */
async function noteUse(record: ImageRecord, store: Store): Promise<void> {
  await store.images.put({ ...record, lastUsed: Date.now() }).catch((error) => {
    if (!(error instanceof StorageFullError)) throw error;
  });
}

/**
 * Brings an image into the store, except for layers that are already there. An image whose source still has
 * the same manifest is not read again. A source that fails leaves the store unchanged. When the pull is
 * aborted, complete layers stay for the next pull.
 * @returns the image, which the caller releases
 * @throws ImageError, StorageError, or the reason of the signal
 */
export async function pullImage(source: ImageSource, store: Store, options: PullOptions): Promise<HeldImage> {
  return new Pull(store, options).run(source);
}

class Pull {
  readonly context: Context;
  readonly #store: Store;
  readonly #options: PullOptions;
  readonly #limits: PullLimits;
  readonly #stop = new AbortController();
  /** The image's stored layers. They are open, so that making room for the others cannot evict them. */
  readonly #stored: StoredLayer[] = [];
  readonly #added: Digest[] = [];

  constructor(store: Store, options: PullOptions) {
    this.#store = store;
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.context = {
      signal: AbortSignal.any([options.signal, this.#stop.signal]),
      architecture: options.architecture,
      onRetry: (reason, delay) => options.onEvent?.({ type: 'retry', reason, delay }),
      onBuiltIn: (reason) => options.onEvent?.({ type: 'built-in', reason }),
    };
  }

  async run(source: ImageSource): Promise<HeldImage> {
    const { reference } = source;
    try {
      const current = await this.#findCurrent(source);
      if (current) return current;
      const { digest, config, configText, isBest, layers, parallel } = await source.resolve(this.context);
      const missing = await this.#openStored(digest, layers);
      if (missing.length > 0) await this.#store.sweep();
      await this.#fetchAll(missing, parallel);
      const diffIds = layers.map(({ diffId }) => diffId);
      const key = { reference, architecture: emulatedIn(config.config) };
      const record = { ...key, isBest, digest, config: configText, layers: diffIds, lastUsed: Date.now() };
      await this.#store.layers.makeRoom(() => this.#store.images.put(record));
      return new HeldImage({ reference, digest, config: config.config, layers: diffIds }, this.#stored);
    } catch (error) {
      await closeAll(this.#stored);
      if (error instanceof ImageError) {
        for (const diffId of this.#added) await this.#store.layers.remove(diffId);
      }
      throw error;
    } finally {
      // Ends the requests that the source still has open.
      this.#stop.abort();
    }
  }

  /** Returns the stored image if its source still has it. */
  async #findCurrent(source: ImageSource): Promise<HeldImage | undefined> {
    if (!source.current) return undefined;
    const [asked, finding] = await Promise.allSettled([
      source.current(this.context),
      findStored(source.reference, this.#store, this.#options.architecture),
    ]);
    const found = finding.status === 'fulfilled' ? finding.value : undefined;
    if (found && asked.status === 'fulfilled' && asked.value === found.image.digest) {
      const layers = found.stored.map(({ diffId, size }) => ({
        diffId: diffId as Digest,
        size,
        cached: true,
      }));
      this.#options.onEvent?.({ type: 'resolved', digest: asked.value, layers });
      return found.image;
    }
    await found?.image.release();
    if (finding.status === 'rejected') throw finding.reason;
    if (asked.status === 'rejected') throw asked.reason;
    return undefined;
  }

  /** @returns the layers to fetch, each once, in the order that suits the source */
  async #openStored(digest: Digest, layers: readonly SourceLayer[]): Promise<SourceLayer[]> {
    const unique = [...new Map(layers.map((layer) => [layer.diffId, layer])).values()];
    const missing: SourceLayer[] = [];
    for (const layer of unique) {
      const stored = await this.#store.layers.open(layer.diffId);
      if (stored) this.#stored.push(stored);
      else missing.push(layer);
    }
    const described = unique.map((layer) => {
      const { diffId, size } = layer;
      return { diffId, size, cached: !missing.includes(layer) };
    });
    this.#options.onEvent?.({ type: 'resolved', digest, layers: described });
    return missing.sort((a, b) => a.position - b.position);
  }

  /** Fetches several layers at the same time. The first failure stops all. */
  async #fetchAll(layers: SourceLayer[], parallel: number): Promise<void> {
    const failures: unknown[] = [];
    const work = async () => {
      try {
        for (let layer = layers.shift(); layer; layer = layers.shift()) await this.#fetch(layer);
      } catch (error) {
        failures.push(error);
        this.#stop.abort(error);
      }
    };
    await Promise.all(Array.from({ length: parallel }, work));
    this.#options.signal.throwIfAborted();
    if (failures.length > 0) throw failures[0];
  }

  async #fetch(layer: SourceLayer): Promise<void> {
    const { signal } = this.context;
    signal.throwIfAborted();
    const { diffId } = layer;
    const writer = await this.#store.layers.write();
    try {
      const index = await this.#stream(layer, writer);
      signal.throwIfAborted();
      const { layer: stored, isNew } = await writer.commit(diffId, index);
      this.#stored.push(stored);
      if (isNew) this.#added.push(diffId);
      this.#options.onEvent?.({ type: 'stored', diffId });
    } catch (error) {
      await writer.abort();
      if (!(error instanceof ImageError)) throw error;
      throw named(error, diffId);
    }
  }

  /** Verifies, decompresses, indexes and stores a layer in one pass. @returns the index */
  async #stream(layer: SourceLayer, writer: LayerWriter): Promise<Uint8Array> {
    const { codec, createIndexer, onEvent } = this.#options;
    const { diffId } = layer;
    const input = await VerifiedInput.create(layer, codec, this.context);
    const hasher = await codec.createHasher(algorithmOf(diffId));
    const indexer = createIndexer();
    let stored = 0;
    for await (const bytes of decompress(input.bytes(), codec)) {
      this.context.signal.throwIfAborted();
      stored += bytes.length;
      this.#checkSize(stored, input.received);
      hasher.update(bytes);
      index(() => indexer.push(bytes));
      await writer.append(bytes);
      onEvent?.({ type: 'progress', diffId, received: input.received, stored });
    }
    if (!input.ended) throw new ImageError('there is more after the end of the compressed data');
    const actual = `${diffId.split(':')[0]}:${hasher.digest()}`;
    if (actual !== diffId) throw digestMismatch('its tar', diffId, actual);
    return index(() => indexer.finish());
  }

  #checkSize(size: number, received: number): void {
    const { layer, unsuspicious, ratio } = this.#limits;
    if (size > layer) throw new ImageError(`its tar is larger than ${layer} bytes`);
    if (size > unsuspicious && size > ratio * received)
      throw new ImageError(`it expands to more than ${ratio} times its size, as only a malicious one would`);
  }
}

/** The bytes of a layer from its source. A wrong digest or size is an error. */
class VerifiedInput {
  received = 0;
  /** Whether all bytes have been read and verified. */
  ended = false;
  readonly #layer: SourceLayer;
  readonly #hasher: Hasher | undefined;
  readonly #context: Context;

  private constructor(layer: SourceLayer, hasher: Hasher | undefined, context: Context) {
    this.#layer = layer;
    this.#hasher = hasher;
    this.#context = context;
  }

  static async create(layer: SourceLayer, codec: Codec, context: Context): Promise<VerifiedInput> {
    const { digest } = layer;
    const hasher = digest && (await codec.createHasher(algorithmOf(digest)));
    return new VerifiedInput(layer, hasher, context);
  }

  async *bytes(): Bytes {
    const { size, digest } = this.#layer;
    for await (const bytes of this.#layer.open(this.#context)) {
      this.received += bytes.length;
      if (this.received > size) throw new ImageError(`it is larger than the ${size} bytes it should have`);
      this.#hasher?.update(bytes);
      yield bytes;
    }
    if (this.received < size)
      throw new ImageError(`it has ${this.received} bytes, not the ${size} that it should have`);
    if (digest && this.#hasher) {
      const actual = `${algorithmOf(digest)}:${this.#hasher.digest()}`;
      if (actual !== digest) throw digestMismatch('it', digest, actual);
    }
    this.ended = true;
  }
}

async function closeAll(layers: readonly StoredLayer[]): Promise<void> {
  await Promise.all(layers.map((layer) => layer.close()));
}

/** Makes every error of the indexer an error of the image. */
function index<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new ImageError(messageOf(error), 'invalid', { cause: error });
  }
}

function named(error: ImageError, diffId: Digest): ImageError {
  const short = diffId.slice(0, diffId.indexOf(':') + 13);
  return new ImageError(`layer ${short}: ${error.message}`, error.kind, { cause: error });
}
