/** How a session reaches its image, the files of its machine, and its network. */
import { browserHost } from '../../api/browser-host.ts';
import { loadingHere } from '../../api/browser-images.ts';
import { ImageError } from '../../api/errors.ts';
import type { Host } from '../../api/host.ts';
import type { LoadedImage } from '../../api/load-image.ts';
import type { Preparation } from '../../api/machine-files.ts';
import type { Credentials, ImageLocation, LoadImageOptions } from '../../api/public.ts';
import { formatReference } from '../../api/references.ts';
import type { ImageRequest, SessionClient, SessionRequest } from './messages.ts';

interface SessionHostOptions {
  readonly prepared: Preparation | undefined;
  /** Called with the image, which arrives when all layers are stored. */
  readonly onImage: (image: Promise<LoadedImage>) => void;
}

/** The page loads the files of machines, once for all of its sessions. */
export function sessionHost(
  request: SessionRequest,
  client: SessionClient,
  { prepared, onImage }: SessionHostOptions,
): Host {
  const places = { assets: request.base, server: request.base };
  const loading = loadingHere(places);
  const host = browserHost(() => places, loading);
  // A save may come when the page's thread cannot answer any more.
  let emulator: Promise<WebAssembly.Module> | undefined;
  const loadEmulator = () => {
    emulator ??= client.emulator();
    return emulator;
  };
  return {
    ...host,
    createPlatform(cpus) {
      const loadFile = (path: string) => client.machineFile(path);
      if (prepared && cpus === 1) return { ...prepared.platform, loadFile };
      prepared?.platform.dismiss?.();
      return { ...host.createPlatform(cpus), loadEmulator, loadFile };
    },
    spare: prepared?.spare,
    network: networkOf(request),
    // The page shows previews in place of ports of this machine.
    publish: async (ports) => ({ ports, serve: () => {}, end: async () => {} }),
    loadImage(image, options) {
      const policy = navigator.onLine ? options.policy : 'missing';
      const loaded = orStored({ ...options, policy }, (options) => loading.loadImage(image, options));
      onImage(loaded);
      return loaded;
    },
  };
}

/** Takes the stored image when its source cannot be reached: an old image is better than none. */
async function orStored<T>(
  options: LoadImageOptions,
  load: (options: LoadImageOptions) => Promise<T>,
): Promise<T> {
  try {
    return await load(options);
  } catch (error) {
    if (!(error instanceof ImageError) || error.kind !== 'network') throw error;
    return load({ ...options, policy: 'never' }).catch(() => {
      throw error;
    });
  }
}

export function networkOf({ relay, base }: Pick<SessionRequest, 'relay' | 'base'>): Host['network'] {
  if (relay === 'on') return { relay: { kind: 'own', base } };
  const reason = 'The relay is off in the options: write on, or the address of one (wss://…)';
  return { relay: relay === 'off' ? { kind: 'off', reason } : { kind: 'foreign', url: relay } };
}

/** The image of a request: one that the user picked, or one that a reference names. */
export function locationOf({ reference, origin }: ImageRequest): ImageLocation {
  if (origin.kind === 'reference') return formatReference(reference);
  const { local, image } = origin;
  return local.kind === 'file' ? { file: local.file, image } : { ...local, image };
}

export function credentialsOf({ origin }: ImageRequest): Credentials | undefined {
  return origin.kind === 'reference' ? origin.credentials : undefined;
}
