/** Images that are made here: of what a container has changed, and as archives for other programs. */
import { storeLayer } from '../container/image.ts';
import { changeConfig } from '../docker/config-change.ts';
import type { Bytes } from '../oci/bytes.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import { emulatedIn, parseConfigFile } from '../oci/image.ts';
import { extendConfig, localName, manifestOf, type WritableLayer, writeImage } from '../oci/image-writer.ts';
import { OptionError } from '../options/option-error.mjs';
import { StorageError } from '../storage/errors.ts';
import type { StoredLayer } from '../storage/layer-store.ts';
import type { Store } from '../storage/store.ts';
import type { JsonObject } from '../text/json.ts';
import { messageOf } from '../text/message.ts';
import { type KeptPlaces, library } from './host.ts';
import { notStored, wantedArchitecture } from './load-image.ts';

/** How an image is made of a container. */
export interface CommitOptions {
  /** Who makes it. */
  readonly author?: string | undefined;
  /** Why it is made. */
  readonly message?: string | undefined;
  /** Instructions of a Dockerfile that change how it runs, such as `CMD ["sh"]` and `ENV A=b`. */
  readonly changes?: readonly string[] | undefined;
}

/** The image of a container. */
export interface BaseImage {
  /** Its configuration, as published. */
  readonly config: string;
  /** The diffIDs of its layers, the lowest first. */
  readonly layers: readonly string[];
}

/** The bytes that are read at once. */
const READ_SIZE = 1 << 20;

/**
 * Stores an image with one more layer.
 * @param open reads the layer's tar
 * @returns the image's canonical reference
 * @throws ImageError, OptionError, StorageError
 */
export async function commitImage(
  open: () => Promise<Bytes>,
  base: BaseImage,
  name: string,
  options: CommitOptions,
  { store, loadCodec }: KeptPlaces,
): Promise<string> {
  const reference = localName(name);
  changed({}, options.changes ?? []);
  const layer = await storeLayer(await open(), store, await loadCodec());
  const layers = await HeldLayers.open(store, [...base.layers, layer.diffId]).finally(() => layer.close());
  try {
    const config = extendConfig(base.config, layer.diffId as Digest, Date.now(), {
      author: options.author,
      comment: options.message,
      change: (config) => changed(config, options.changes ?? []),
    });
    const { digest } = await manifestOf(config, layers.all);
    const diffIds = layers.all.map(({ diffId }) => diffId);
    const { config: parsed } = parseConfigFile(new TextEncoder().encode(config));
    const key = { reference, architecture: emulatedIn(parsed) };
    const record = { ...key, digest, config, layers: diffIds, lastUsed: Date.now(), isLocal: true };
    await store.layers.makeRoom(() => store.images.put(record));
    return reference;
  } finally {
    await layers.close();
  }
}

/**
 * Writes a stored image as an OCI image layout in a tar, which `docker load` reads, too.
 * @param reference canonical
 * @param platform by default the best one of those that the image is for
 * @throws ImageError of kind `not-found`, StorageError
 */
export async function* saveImage(reference: string, platform?: string): Bytes {
  const store = library().openStore();
  const image = await store.images.get(reference, wantedArchitecture(platform));
  if (!image) throw notStored(reference);
  const layers = await HeldLayers.open(store, image.layers);
  try {
    yield* writeImage(reference, image.config, layers.all, ({ diffId }) => layers.read(diffId));
  } finally {
    await layers.close();
  }
}

/** Layers that stay in the store until they are closed. */
class HeldLayers {
  /** The lowest first. */
  readonly all: readonly WritableLayer[];
  readonly #held: ReadonlyMap<Digest, StoredLayer>;

  private constructor(diffIds: readonly Digest[], held: ReadonlyMap<Digest, StoredLayer>) {
    this.#held = held;
    this.all = diffIds.map((diffId) => ({ diffId, size: this.#layer(diffId).size }));
  }

  /** @throws StorageError if one is gone */
  static async open(store: Store, layers: readonly string[]): Promise<HeldLayers> {
    const diffIds = layers.filter(isDigest);
    const held = new Map<Digest, StoredLayer>();
    for (const diffId of new Set(diffIds)) {
      const layer = await store.layers.open(diffId);
      if (layer) held.set(diffId, layer);
    }
    const opened = [...held.values()];
    if (opened.length === new Set(diffIds).size) return new HeldLayers(diffIds, held);
    await Promise.all(opened.map((layer) => layer.close()));
    throw new StorageError('a layer of the image is gone from the store: pull the image again');
  }

  async *read(diffId: Digest): Bytes {
    const layer = this.#layer(diffId);
    for (let at = 0; at < layer.size; at += READ_SIZE) {
      const bytes = new Uint8Array(Math.min(READ_SIZE, layer.size - at));
      await layer.read(at, bytes);
      yield bytes;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#held.values()].map((layer) => layer.close()));
  }

  #layer(diffId: Digest): StoredLayer {
    return this.#held.get(diffId) as StoredLayer;
  }
}

/** @throws OptionError */
function changed(config: JsonObject, changes: readonly string[]): JsonObject {
  try {
    return changes.reduce(changeConfig, config);
  } catch (error) {
    throw new OptionError(messageOf(error), { cause: error });
  }
}
