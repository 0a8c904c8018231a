import { encodeIndex, TarIndexer } from '../disk/tar.ts';
import type { Bytes } from '../oci/bytes.ts';
import type { Codec } from '../oci/codec.ts';
import { findImage, type HeldImage, type Indexer, type PullEvent, pullImage } from '../oci/pull.ts';
import type { ImageSource } from '../oci/source.ts';
import type { Architecture } from '../options/platform.mjs';
import type { StoredLayer } from '../storage/layer-store.ts';
import type { Store } from '../storage/store.ts';

export interface LoadOptions {
  readonly codec: Codec;
  /** Whether an image stored under the same reference is used without asking the source for a newer one. */
  readonly preferStored: boolean;
  /** The processor whose image is wanted; by default the best one of those that the image is for. */
  readonly architecture?: Architecture | undefined;
  readonly signal: AbortSignal;
  readonly onEvent?: ((event: PullEvent) => void) | undefined;
}

/**
 * Returns an image with all its layers stored, ready for `startContainer`.
 * @throws ImageError, StorageError, or the signal's reason
 */
export async function loadImage(source: ImageSource, store: Store, options: LoadOptions): Promise<HeldImage> {
  const { codec, preferStored, architecture, signal, onEvent } = options;
  const stored = preferStored ? await findImage(source.reference, store, architecture) : undefined;
  return stored ?? pullImage(source, store, { codec, createIndexer, architecture, signal, onEvent });
}

/**
 * Stores a tar that was made here as a layer.
 * @returns the layer, which its user closes
 * @throws ImageError if it is no tar of a layer; StorageError
 */
export async function storeLayer(tar: Bytes, store: Store, codec: Codec): Promise<StoredLayer> {
  const writer = await store.layers.write();
  try {
    const hasher = await codec.createHasher('sha256');
    const indexer = createIndexer();
    for await (const bytes of tar) {
      hasher.update(bytes);
      indexer.push(bytes);
      await writer.append(bytes);
    }
    const { layer } = await writer.commit(`sha256:${hasher.digest()}`, indexer.finish());
    return layer;
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

function createIndexer(): Indexer {
  const indexer = new TarIndexer();
  return {
    push: (bytes) => indexer.push(bytes),
    finish: () => encodeIndex(indexer.finish()),
  };
}
