/** How Node reaches images: it asks registries directly, and paths are on this computer. */
import { TarIndexer } from '../disk/tar.ts';
import { nodeCodec } from '../oci/node-codec.ts';
import { nodeSource } from '../oci/node-source.ts';
import { nodeStore } from '../storage/node.ts';
import type { ImageAccess } from './load-image.ts';
import { nodeImageNames, readReference } from './node-image-names.ts';

/** @param store a folder */
export function nodeImages(store: string): ImageAccess {
  return {
    ...nodeImageNames,
    codec: nodeCodec,
    openStore: () => nodeStore(store),
    openSource: (image, credentials) =>
      nodeSource(readReference(image), { createTarReader: () => new TarIndexer(), credentials }),
  };
}
