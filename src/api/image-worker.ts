/** Loads images in a worker of a browser, because verifying and unpacking them takes a while. */
import { expose } from 'comlink';
import type { PullEvent } from '../oci/pull.ts';
import { borrowStore } from '../storage/browser.ts';
import { loadingHere, preloadImages } from './browser-images.ts';
import type { ImageLoader } from './image-loader.ts';
import type { LoadedImage } from './load-image.ts';
import { type PackedImageError, packImageError } from './packed-error.ts';

const requests = new Map<number, AbortController>();
const held = new Map<number, LoadedImage>();

async function answer<T>(
  id: number,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T | PackedImageError> {
  const abort = new AbortController();
  requests.set(id, abort);
  try {
    return await ask(abort.signal);
  } catch (error) {
    return packImageError(error);
  } finally {
    requests.delete(id);
  }
}

const loader: ImageLoader = {
  borrow: borrowStore,

  load: (id, { image, places, ...options }, onProgress) =>
    answer(id, async (signal) => {
      // Code for older browsers calls `onProgress.call`, which comlink would take for a name on the page.
      const report = (event: PullEvent) => onProgress(event);
      const loaded = await loadingHere(places).loadImage(image, { ...options, onProgress: report, signal });
      held.set(id, loaded);
      const { reference, digest, config, layers } = loaded;
      return { reference, digest, config, layers };
    }),

  inspect: (id, { image, places, ...options }) =>
    answer(id, (signal) => loadingHere(places).inspectSource(image, { ...options, signal })),

  cancel: (id) => requests.get(id)?.abort(new DOMException('cancelled', 'AbortError')),

  async release(id) {
    await held.get(id)?.release();
    held.delete(id);
  },
};

expose(loader);
preloadImages();
