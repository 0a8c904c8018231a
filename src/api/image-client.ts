import { proxy, type Remote, transfer, wrap } from 'comlink';
import { lendStore } from '../storage/browser.ts';
import type { Places } from './browser-images.ts';
import type { ImageLoading } from './host.ts';
import type { ImageLoader, ImageRequest } from './image-loader.ts';
import type { ImageLocation, SourceOptions } from './load-image.ts';
import { type PackedImageError, unpackImageError } from './packed-error.ts';

/** Loads images in a worker, which starts with the first. */
export function loadingInWorker(places: () => Places): ImageLoading {
  const client = new ImageClient(places);
  return {
    async loadImage(image, { onProgress = () => {}, ...options }) {
      const { id, answer } = await client.ask(image, options, (worker, id, request) =>
        worker.load(id, request, proxy(onProgress)),
      );
      return { ...answer, release: () => client.release(id) };
    },
    async inspectSource(image, options) {
      const asked = await client.ask(image, options, (worker, id, request) => worker.inspect(id, request));
      return asked.answer;
    },
  };
}

/** This thread's end of the worker that loads images. */
class ImageClient {
  readonly #places: () => Places;
  #worker: Remote<ImageLoader> | undefined;
  #requests = 0;

  constructor(places: () => Places) {
    this.#places = places;
  }

  /** @throws ImageError, StorageError, or the signal's reason */
  async ask<T extends object>(
    image: ImageLocation,
    options: SourceOptions & Pick<ImageRequest, 'policy'>,
    send: (worker: Remote<ImageLoader>, id: number, request: ImageRequest) => Promise<T | PackedImageError>,
  ): Promise<{ readonly id: number; readonly answer: T }> {
    const { policy, platform, credentials: given, signal } = options;
    signal?.throwIfAborted();
    const credentials = typeof given === 'function' ? await given() : given;
    const worker = this.#open();
    const id = this.#requests++;
    const cancel = () => void worker.cancel(id);
    signal?.addEventListener('abort', cancel, { once: true });
    const answer = await send(worker, id, {
      image,
      places: this.#places(),
      ...{ policy, platform, credentials },
    }).finally(() => signal?.removeEventListener('abort', cancel));
    if (!('failure' in answer)) return { id, answer };
    signal?.throwIfAborted();
    throw unpackImageError(answer);
  }

  release(id: number): Promise<void> {
    return this.#open().release(id);
  }

  #open(): Remote<ImageLoader> {
    // Bundlers find a worker's code by an expression of this form.
    if (this.#worker) return this.#worker;
    this.#worker = wrap<ImageLoader>(
      new Worker(new URL('./image-worker.ts', import.meta.url), { type: 'module', name: 'images' }),
    );
    const lent = lendStore();
    void this.#worker.borrow(transfer(lent, [lent]));
    return this.#worker;
  }
}
