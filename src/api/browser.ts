/** The programming interface in a browser. */
import { proxy, type Remote, wrap } from 'comlink';
import { browserPlatform } from '../machine/platform/browser.ts';
import { OptionError } from '../options/option-error.mjs';
import { browserStore } from '../storage/browser.ts';
import { openConsole } from './browser-console.ts';
import type { Configuration } from './configuration.ts';
import { installHost, type LoadedImage, type LoadImageOptions } from './host.ts';
import type { ImageLoader } from './image-loader.ts';
import { unpackImageError } from './packed-error.ts';

export * from './public.ts';

const page = globalThis.document?.baseURI ?? globalThis.location.href;
// scripts/setup/package.mjs leads to the package's assets. The page says where its own are.
let assets = folder(new URL(/* @vite-ignore */ '../../public/', import.meta.url));
let server = folder(new URL('.', page));

/** Changes where later commands and containers find their files. */
export function configure(configuration: Configuration): void {
  if (configuration.assets !== undefined) assets = folder(new URL(configuration.assets, page));
  if (configuration.server !== undefined) server = folder(new URL(configuration.server, page));
}

/** The URL of a folder ends in a slash. */
function folder({ href }: URL): string {
  return href.endsWith('/') ? href : `${href}/`;
}

let loader: Remote<ImageLoader> | undefined;
let loads = 0;

function imageLoader(): Remote<ImageLoader> {
  // Bundlers find a worker's code by an expression of this form.
  loader ??= wrap<ImageLoader>(
    new Worker(new URL('./image-worker.ts', import.meta.url), { type: 'module', name: 'images' }),
  );
  return loader;
}

async function load(reference: string, options: LoadImageOptions): Promise<LoadedImage> {
  const { policy, credentials, onProgress = () => {}, signal } = options;
  signal?.throwIfAborted();
  const images = imageLoader();
  const id = loads++;
  const cancel = () => void images.cancel(id);
  signal?.addEventListener('abort', cancel, { once: true });
  const request = { reference, assets, server, policy, credentials };
  const answer = await images
    .load(id, request, proxy(onProgress))
    .finally(() => signal?.removeEventListener('abort', cancel));
  if (!('failure' in answer)) return { ...answer, release: () => images.release(id) };
  signal?.throwIfAborted();
  throw unpackImageError(answer);
}

installHost({
  createPlatform: () => browserPlatform(assets),
  commandImage: 'oci://images:busybox',
  storeFolder: '',
  openStore: browserStore,
  loadImage: load,
  get network() {
    return { relay: { kind: 'own', base: server } } as const;
  },
  openInput: () => new ReadableStream({ start: (controller) => controller.close() }),
  openOutput: openConsole,
  async publish() {
    throw new OptionError(
      'a page cannot open ports of this machine: use proxyRequest(), connect(), or publish ports in Node',
    );
  },
});
