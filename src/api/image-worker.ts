/** Loads images in a worker of a browser, because verifying and unpacking them takes a while. */
import { expose } from 'comlink';
import { browserCodec, preloadZlib } from '../oci/browser-codec.ts';
import { browserSource } from '../oci/browser-source.ts';
import type { HeldImage } from '../oci/pull.ts';
import { parseReference } from '../oci/reference.ts';
import { browserStore } from '../storage/browser.ts';
import type { ImageLoader } from './image-loader.ts';
import { loadByPolicy } from './load-image.ts';
import { packImageError } from './packed-error.ts';

const loads = new Map<number, AbortController>();
const held = new Map<number, HeldImage>();

const loader: ImageLoader = {
  async load(id, { reference: text, assets, server, policy, credentials }, onProgress) {
    const abort = new AbortController();
    loads.set(id, abort);
    try {
      const reference = parseReference(text);
      const base = new URL(reference.scheme === 'docker' ? server : assets);
      const image = await loadByPolicy({
        reference,
        openSource: () => browserSource(reference, { base, credentials }),
        store: browserStore(),
        codec: browserCodec,
        policy,
        onProgress,
        signal: abort.signal,
      });
      held.set(id, image);
      const { digest, config, layers } = image;
      return { reference: image.reference, digest, config, layers };
    } catch (error) {
      return packImageError(error);
    } finally {
      loads.delete(id);
    }
  },

  cancel: (id) => loads.get(id)?.abort(new DOMException('cancelled', 'AbortError')),

  async release(id) {
    await held.get(id)?.release();
    held.delete(id);
  },
};

expose(loader);
preloadZlib();
