import { proxy, type Remote, wrap } from 'comlink';
import { browserPlatform } from '../machine/platform/browser.ts';
import { OptionError } from '../options/option-error.mjs';
import { browserRoom, browserStore, requestPersistence } from '../storage/browser.ts';
import { openConsole } from './browser-console.ts';
import { browserImageNames } from './browser-image-names.ts';
import type { Places } from './browser-images.ts';
import type { Host } from './host.ts';
import type { ImageLoader, ImageRequest } from './image-loader.ts';
import type { ImageLocation, SourceOptions } from './load-image.ts';
import { type PackedImageError, unpackImageError } from './packed-error.ts';

/** What the interface needs from a browser. Images are loaded in a worker, which starts with the first. */
export function browserHost(places: () => Places): Host {
  const loader = new LoaderClient(places);
  return {
    ...browserImageNames,
    createPlatform: () => browserPlatform(places().assets),
    commandImage: 'oci://images:busybox',
    storeFolder: '',
    openStore: browserStore,
    async loadImage(image, { onProgress = () => {}, ...options }) {
      const { id, answer } = await loader.ask(image, options, (worker, id, request) =>
        worker.load(id, request, proxy(onProgress)),
      );
      return { ...answer, release: () => loader.release(id) };
    },
    async inspectSource(image, options) {
      const asked = await loader.ask(image, options, (worker, id, request) => worker.inspect(id, request));
      return asked.answer;
    },
    measureRoom: browserRoom,
    persist: requestPersistence,
    get network() {
      return { relay: { kind: 'own', base: places().server } } as const;
    },
    openInput: () => new ReadableStream({ start: (controller) => controller.close() }),
    openOutput: openConsole,
    async publish() {
      throw new OptionError(
        'a page cannot open ports of this machine: use proxyRequest(), connect(), or publish ports in Node',
      );
    },
  };
}

/** This thread's end of the worker that loads images. */
class LoaderClient {
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
    const { policy, credentials: given, signal } = options;
    signal?.throwIfAborted();
    const credentials = typeof given === 'function' ? await given() : given;
    const worker = this.#open();
    const id = this.#requests++;
    const cancel = () => void worker.cancel(id);
    signal?.addEventListener('abort', cancel, { once: true });
    const answer = await send(worker, id, { image, places: this.#places(), policy, credentials }).finally(
      () => signal?.removeEventListener('abort', cancel),
    );
    if (!('failure' in answer)) return { id, answer };
    signal?.throwIfAborted();
    throw unpackImageError(answer);
  }

  release(id: number): Promise<void> {
    return this.#open().release(id);
  }

  #open(): Remote<ImageLoader> {
    // Bundlers find a worker's code by an expression of this form.
    this.#worker ??= wrap<ImageLoader>(
      new Worker(new URL('./image-worker.ts', import.meta.url), { type: 'module', name: 'images' }),
    );
    return this.#worker;
  }
}
