import { encodeIndex, TarIndexer } from '../disk/tar.ts';
import type { Image } from '../oci/image.ts';
import { nodeCodec } from '../oci/node-codec.ts';
import { nodeSource } from '../oci/node-source.ts';
import { findImage, pullImage } from '../oci/pull.ts';
import { parseReference } from '../oci/reference.ts';
import type { Credentials } from '../oci/registry-auth.ts';
import { nodeStore } from '../storage/node.ts';
import { PullProgress } from './progress.ts';

export interface ImageOptions {
  readonly reference: string;
  readonly store: string;
  readonly credentials: Credentials | undefined;
  readonly signal: AbortSignal;
}

/**
 * The image, from the store when it came from a registry before, else from its source, with a report of the
 * progress on stderr. @throws ImageError, StorageError, or the signal's reason
 */
export async function loadImage(options: ImageOptions): Promise<Image> {
  const reference = parseReference(options.reference);
  const store = nodeStore(options.store);
  const source = nodeSource(reference, {
    createTarReader: () => new TarIndexer(),
    credentials: options.credentials,
  });
  // What a path leads to may have changed, and costs little to look at.
  const found = reference.scheme === 'docker' ? await findImage(source.reference, store) : undefined;
  if (found) return found;
  const progress = new PullProgress(source.reference, process.stderr);
  try {
    return await pullImage(source, store, {
      codec: nodeCodec,
      createIndexer,
      signal: options.signal,
      onEvent: (event) => progress.show(event),
    });
  } finally {
    progress.end();
  }
}

function createIndexer() {
  const indexer = new TarIndexer();
  return {
    push: (bytes: Uint8Array) => indexer.push(bytes),
    finish: () => encodeIndex(indexer.finish()),
  };
}
