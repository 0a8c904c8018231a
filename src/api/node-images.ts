/** How Node reaches images: it asks registries directly, and paths are on this computer. */
import { join } from 'node:path';
import { TarIndexer } from '../disk/tar.ts';
import { nodeCodec } from '../oci/node-codec.ts';
import { nodeSource } from '../oci/node-source.ts';
import { nodeStore } from '../storage/node.ts';
import type { ImageAccess } from './load-image.ts';
import { nodeImageNames, readReference } from './node-image-names.ts';

interface Places {
  /** The folder of the stored images. */
  readonly store: string;
  /** The folder with images/, those that come with LinuxRun. */
  readonly assets: string;
  /** The origin of a mirror of Docker Hub. */
  readonly mirror: string | undefined;
}

export function nodeImages({ store, assets, mirror }: Places): ImageAccess {
  return {
    ...nodeImageNames,
    codec: nodeCodec,
    openStore: () => nodeStore(store),
    openSource: (image, credentials) =>
      nodeSource(readReference(image), {
        createTarReader: () => new TarIndexer(),
        credentials,
        mirror,
        builtIn: join(assets, 'images'),
      }),
  };
}
