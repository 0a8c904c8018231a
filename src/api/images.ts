/** The images in the store, which containers share, and those at their sources. */
import { parseConfigFile } from '../oci/image.ts';
import { platformNames } from '../oci/manifest.ts';
import { parsePlatform, platformOf } from '../options/platform.mjs';
import { StorageError } from '../storage/errors.ts';
import { emulated, preferred } from '../storage/image-store.ts';
import type { LayerUsage } from '../storage/layer-store.ts';
import { host, library } from './host.ts';
import {
  type ImageDescription,
  type ImageLocation,
  type LoadImageOptions,
  notStored,
  type SourceOptions,
  wantedArchitecture,
} from './load-image.ts';
import { endResting } from './resting.ts';

export { removeStart, type SavedStart, starts } from './start-list.ts';

/** An image with all of its layers in the store. */
export interface StoredImage {
  /** The canonical reference. */
  readonly reference: string;
  /**
   * What it is for: `linux/riscv64`, `linux/arm64` or `linux/amd64`. A reference may have an image for each.
   */
  readonly platform: string;
  /** Whether containers of the reference run this one, if they name no platform. */
  readonly isDefault: boolean;
  /** The digest of its manifest. */
  readonly digest: string;
  /** The digests of its layers' tars, the lowest first, each once. */
  readonly layers: readonly string[];
  /** The bytes of its layers. Other images may share some of them. */
  readonly size: number;
  /** The bytes that its removal frees. */
  readonly ownSize: number;
  /** When a container of it last started, or it was pulled. */
  readonly lastUsed: Date;
  /** Whether a container uses it, also one of another tab or process. */
  readonly inUse: boolean;
}

/** How `inspect` describes an image. */
export interface InspectOptions extends SourceOptions {
  /** By default `missing`. */
  readonly policy?: LoadImageOptions['policy'];
}

/** The room for images. */
export interface StorageUse {
  /** The bytes of all layers. */
  readonly usedBytes: number;
  /**
   * The bytes that are left on the disk, or about those that the browser still grants to this origin.
   * Undefined in a browser that does not say.
   */
  readonly freeBytes: number | undefined;
  /** Whether anything is stored. A browser may let a page keep nothing, and then images are in its memory. */
  readonly isKept: boolean;
  /** Whether images stay until they are removed. A browser may remove them when its disk gets full. */
  readonly isPersistent: boolean;
}

/**
 * Brings an image into the store, so that containers of it start at once. By default the source is asked even
 * if the image is stored, for a newer one.
 * @throws ImageError, StorageError, or the signal's reason
 */
export async function pull(image: ImageLocation, options: LoadImageOptions = {}): Promise<StoredImage> {
  const loaded = await host().loadImage(image, { policy: 'always', ...options });
  await loaded.release();
  const platform = platformOf(loaded.config.architecture);
  const stored = (await list()).find((image) => isNamed(image, loaded.reference, platform));
  if (!stored) throw notStored(loaded.reference);
  return stored;
}

/** Lists the images in the store, the most recently used first. @throws StorageError */
export async function list(): Promise<StoredImage[]> {
  const store = library().openStore();
  const [records, usage] = await Promise.all([store.images.list(), store.layers.usage()]);
  const layers = new Map(usage.map((layer) => [layer.diffId, layer]));
  const whole = records.filter((record) => record.layers.every((diffId) => layers.has(diffId)));
  const users = new Map<string, number>();
  for (const record of whole)
    for (const diffId of new Set(record.layers)) users.set(diffId, (users.get(diffId) ?? 0) + 1);
  return whole.map((record) => {
    const { reference, architecture, digest, lastUsed, layers: diffIds } = record;
    const own = [...new Set(diffIds)].map((diffId) => layers.get(diffId) as LayerUsage);
    return {
      reference,
      platform: platformOf(architecture ?? 'riscv64'),
      isDefault: preferred(whole.filter((other) => other.reference === reference)) === record,
      digest,
      lastUsed: new Date(lastUsed),
      layers: own.map(({ diffId }) => diffId),
      size: total(own),
      ownSize: total(own.filter(({ diffId }) => users.get(diffId) === 1)),
      // A container uses all layers of its image. Some may belong to others too.
      inUse: own.length > 0 && own.every(({ inUse }) => inUse),
    };
  });
}

/** Which images `remove` removes. */
export interface RemoveImageOptions {
  /** Only the image for this platform; by default those for all platforms. */
  readonly platform?: string | undefined;
}

/**
 * Removes an image from the store, with the layers that no other image needs.
 * @throws ImageError of kind `not-found`; StorageError if a container uses the image
 */
export async function remove(image: ImageLocation, { platform }: RemoveImageOptions = {}): Promise<void> {
  const name = library().nameOf(image);
  const wanted = platform === undefined ? undefined : platformOf(parsePlatform(platform));
  const find = async () => (await list()).filter((image) => isNamed(image, name, wanted));
  if ((await find()).some(({ inUse }) => inUse)) await endResting();
  const found = await find();
  if (found.length === 0) throw notStored(name);
  if (found.some(({ inUse }) => inUse))
    throw new StorageError(`${name} is in use by a container: stop that, or remove it if it is kept`);
  const store = library().openStore();
  for (const { reference, platform } of found)
    await store.images.remove({ reference, architecture: emulated(parsePlatform(platform)) });
  const needed = new Set((await store.images.list()).flatMap(({ layers }) => layers));
  for (const { diffId } of await store.layers.usage())
    if (!needed.has(diffId)) await store.layers.remove(diffId);
}

/**
 * Describes an image: by default from the store if it is there, or else by asking its source, without pulling
 * its layers.
 * @throws ImageError, StorageError, or the signal's reason
 */
export async function inspect(image: ImageLocation, options: InspectOptions = {}): Promise<ImageDescription> {
  const { policy = 'missing', ...asking } = options;
  const isStoredEnough = policy === 'never' || (policy === 'missing' && library().prefersStored(image));
  const { platform } = asking;
  const stored = isStoredEnough ? await describeStored(library().nameOf(image), platform) : undefined;
  if (stored) return stored;
  if (policy === 'never') throw notStored(library().nameOf(image));
  return host().inspectSource(image, asking);
}

/** Measures the store. */
export async function storage(): Promise<StorageUse> {
  const [layers, room] = await Promise.all([library().openStore().layers.usage(), library().measureRoom()]);
  return { usedBytes: total(layers), ...room };
}

/** Asks the browser to keep images until they are removed. @returns whether it will */
export function persist(): Promise<boolean> {
  return library().persist();
}

function isNamed(image: StoredImage, reference: string, platform: string | undefined): boolean {
  return image.reference === reference && (platform === undefined || image.platform === platform);
}

async function describeStored(reference: string, wanted?: string): Promise<ImageDescription | undefined> {
  const record = await library().openStore().images.get(reference, wantedArchitecture(wanted));
  const stored = record && (await list()).find(({ digest }) => digest === record.digest);
  if (!record || !stored) return undefined;
  const { config, platform } = parseConfigFile(new TextEncoder().encode(record.config));
  const { digest, layers } = record;
  const { size } = stored;
  return { reference, digest, config, layers, platforms: platformNames([platform]), size, isStored: true };
}

function total(layers: readonly LayerUsage[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}
