/** How a browser reaches images: by the server of the page, and in files that the user picked. */
import { TarIndexer } from '../disk/tar.ts';
import { browserCodec, preloadZlib } from '../oci/browser-codec.ts';
import { browserSource, pickedSource } from '../oci/browser-source.ts';
import { pickedFolderSource } from '../oci/picked-folder.ts';
import { parseReference } from '../oci/reference.ts';
import { preloadStore } from '../storage/browser.ts';
import { browserLibrary } from './browser-library.ts';
import type { ImageLoading } from './host.ts';
import { type ImageAccess, inspectSource, loadImage } from './load-image.ts';

/** URLs that end in slashes. */
export interface Places {
  /** The folder with images/ and what a machine needs. */
  readonly assets: string;
  /** Our server, which reaches registries and the network. */
  readonly server: string;
  /** The origin of a mirror of Docker Hub. */
  readonly mirror?: string | undefined;
}

export function browserImages({ assets, server, mirror }: Places): ImageAccess {
  return {
    ...browserLibrary,
    codec: browserCodec,
    openSource(image, credentials) {
      if (typeof image === 'string') {
        const reference = parseReference(image);
        const base = new URL(reference.scheme === 'docker' ? server : assets);
        const builtIn = new URL('images/', assets);
        return browserSource(reference, { base, credentials, mirror, builtIn });
      }
      if ('files' in image) return pickedFolderSource(image.name, image.files, image.image ?? {});
      const options = { codec: browserCodec, createTarReader: () => new TarIndexer() };
      return pickedSource(image.file, image.image ?? {}, options);
    },
  };
}

/** Loads images in this thread. */
export function loadingHere(places: Places): ImageLoading {
  const access = browserImages(places);
  return {
    loadImage: (image, options) => loadImage(access, image, options),
    inspectSource: (image, options) => inspectSource(access, image, options),
  };
}

/** Loads early what every image needs. */
export function preloadImages(): void {
  preloadStore();
  preloadZlib();
}
