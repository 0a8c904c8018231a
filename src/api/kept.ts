/** The records of kept containers, and how a container begins with one. */

import { storeLayer } from '../container/image.ts';
import type { KeptDisk } from '../container/image-machine.ts';
import { ownerOf } from '../container/image-owner.ts';
import { randomId } from '../docker/names.ts';
import type { Bytes } from '../oci/bytes.ts';
import { decompress } from '../oci/codec.ts';
import type { Digest } from '../oci/digest.ts';
import { parseConfigFile } from '../oci/image.ts';
import { extendConfig } from '../oci/image-writer.ts';
import { holdImage } from '../oci/pull.ts';
import { atDigest } from '../oci/reference.ts';
import { contentOf, writeTar } from '../oci/tar-stream.ts';
import { checkContainerName } from '../options/container-name.mjs';
import { normaliseMountPath } from '../options/mount-path.mjs';
import { architectureOf, platformOf } from '../options/platform.mjs';
import {
  ContainerExistsError,
  type ContainerRecord,
  type OpenContainer,
} from '../storage/container-store.ts';
import { StorageError } from '../storage/errors.ts';
import type { ImageRecord } from '../storage/image-store.ts';
import type { Store } from '../storage/store.ts';
import { containerHost } from './host.ts';
import { type KeptOptions, keptOptions, type LaunchOptions, toJson } from './kept-options.ts';
import {
  type ImageLocation,
  type LoadedImage,
  type LoadImageOptions,
  wantedArchitecture,
} from './load-image.ts';
import type { OpenedSession } from './opened-session.ts';
import type { FoundStart } from './starts.ts';

/** Where a container finds its files. */
export interface Source {
  readonly image: LoadedImage | Promise<LoadedImage>;
  /** Its kept disk. Without one, the container writes to memory. */
  readonly keptDisk?: KeptDisk | undefined;
  /** Opens its saved session, from which it goes on; it boots if there is none any more. */
  readonly openSession?: ((emulator: WebAssembly.Module) => Promise<OpenedSession | undefined>) | undefined;
  /** Its record, which is there when the image is. */
  readonly kept?: Keeping | Promise<Keeping> | undefined;
}

/** A new container. */
interface NewContainer {
  readonly name: string;
  readonly image: ImageLocation;
  readonly loading: LoadImageOptions;
  readonly launch: LaunchOptions;
  /** Files that are put over those of the image. */
  readonly files?: NewFiles | undefined;
  findStart(): Promise<FoundStart | undefined>;
}

/** Files for a new container. They belong to the user of its program. */
export interface NewFiles {
  /** Their folder in the container; absolute, and not its root. */
  readonly folder: string;
  readonly files: readonly NewFile[];
}

export interface NewFile {
  /** Below the folder. */
  readonly path: string;
  readonly content: Uint8Array;
  readonly isExecutable: boolean;
  /** Of a symbolic link, which has no content. */
  readonly target?: string | undefined;
}

/** The record of a container that runs, which belongs to this owner until it is closed. */
export class Keeping {
  readonly container: OpenContainer;
  #written: Promise<void> = Promise.resolve();

  constructor(container: OpenContainer) {
    this.container = container;
  }

  get name(): string {
    return this.container.record.name;
  }

  /** Notes how it is started. */
  begin(launch: LaunchOptions): Promise<void> {
    return this.#note({ launch });
  }

  /** Notes how it has ended. */
  end(status: number): void {
    const { launch } = keptOptions(this.container.record);
    // Without room, the container has ended all the same.
    this.#written = this.#note({ launch, status }).catch(() => {});
  }

  /** @throws OptionError, ContainerExistsError */
  async rename(name: string): Promise<void> {
    checkContainerName(name);
    await this.container.rename(name);
  }

  /** Leaves nothing of it in the store when it is closed, unless `rename` keeps it again. */
  forget(): Promise<void> {
    return this.container.forget();
  }

  /** Lets other owners have it. */
  async close(): Promise<void> {
    await this.#written;
    await this.container.close();
  }

  #note(options: KeptOptions): Promise<void> {
    const { session } = options.status === undefined ? this.container.record : {};
    // From now on it is older than the container.
    const saved = session && { ...session, isEnd: false };
    return this.container.update({ options: toJson(options), lastUsed: Date.now(), session: saved });
  }
}

/**
 * Takes a name for a container: keeps a new one, or opens a stopped one of the same image.
 * @throws OptionError, ImageError, StorageError, ContainerInUseError, ContainerExistsError, or the signal's
 *   reason
 */
export async function claimName(wanted: NewContainer): Promise<Source> {
  const { name, image, launch, loading } = wanted;
  checkContainerName(name);
  const { store, nameOf } = await containerHost().openKept();
  const record = await store.containers.get(name);
  if (!record && wanted.files) {
    const { files } = wanted;
    await keepWith((image) => tarOf(files, launch.user ?? image.config.user, image.layers), wanted);
    return openKept(name, launch);
  }
  if (!record) return create(store, wanted);
  const reference = nameOf(image);
  if (record.reference !== reference)
    throw new ContainerExistsError(
      `the container "${name}" is kept already, of ${record.reference}: remove it, or choose another name`,
    );
  const { architecture } = parseConfigFile(new TextEncoder().encode(record.config)).config;
  if ((wantedArchitecture(loading.platform) ?? architecture) !== architecture)
    throw new ContainerExistsError(
      `the container "${name}" is kept already, for ${platformOf(architecture)}: remove it, or choose another name`,
    );
  if (record.session)
    throw new ContainerExistsError(`the container "${name}" is suspended: resume it, or choose another name`);
  return openKept(name, launch);
}

/** A kept container that belongs to the caller until its image is released. */
export interface HeldContainer extends Source {
  readonly image: LoadedImage;
  readonly kept: Keeping;
  readonly keptDisk: KeptDisk;
}

/** Takes a kept container. @throws StorageError, ContainerInUseError */
export async function holdKept(name: string): Promise<HeldContainer> {
  const { store } = await containerHost().openKept();
  const kept = new Keeping(await store.containers.open(name));
  try {
    const { record } = kept.container;
    return { image: releasing(await imageOf(record, store), kept), kept, keptDisk: { disk: record.id } };
  } catch (error) {
    await kept.close();
    throw error;
  }
}

/**
 * Takes a kept container in order to start it.
 * @param launch how it is started from now on; as before if it is undefined
 * @throws StorageError, ContainerInUseError
 */
export async function openKept(
  name: string,
  launch?: LaunchOptions,
): Promise<HeldContainer & { readonly launch: LaunchOptions }> {
  const held = await holdKept(name);
  try {
    const options = launch ?? keptOptions(held.kept.container.record).launch;
    await held.kept.begin(options);
    return { ...held, launch: options };
  } catch (error) {
    await held.image.release();
    throw error;
  }
}

/** The machine of a new container boots while its image is loaded. */
async function create(store: Store, wanted: NewContainer): Promise<Source> {
  const { name, image, loading, launch } = wanted;
  const disk = randomId();
  const start = await wanted.findStart();
  const loaded = start ? Promise.resolve(start.image) : containerHost().loadImage(image, loading);
  const kept = loaded.then((image) => keep(store, { name, disk, image, launch }));
  // The image tells the same error.
  kept.catch(() => {});
  const hold = async () => {
    const image = await loaded;
    try {
      return releasing(image, await kept);
    } catch (error) {
      await image.release();
      throw error;
    }
  };
  const openSession = start?.openSession;
  return { image: hold(), keptDisk: { disk, isDeferred: true }, kept, openSession };
}

/**
 * Keeps a new container of an image with a layer of its own.
 * @param tarFor returns the layer
 * @throws OptionError, ImageError, StorageError, ContainerExistsError, or the signal's reason
 */
export async function keepWith(
  tarFor: (image: LoadedImage) => Bytes,
  { name, image, loading, launch }: Pick<NewContainer, 'name' | 'image' | 'loading' | 'launch'>,
): Promise<void> {
  checkContainerName(name);
  const { store } = await containerHost().openKept();
  const loaded = await loadWith(tarFor, image, loading);
  try {
    const { layers } = loaded;
    const record = await recordOf(store, { name, disk: randomId(), image: loaded, launch });
    const config = extendConfig(record.config, layers.at(-1) as Digest, record.created, {});
    await new Keeping(await store.containers.create({ ...record, config, layers })).close();
  } finally {
    await loaded.release();
  }
}

/** Loads an image and puts a layer above its own. @throws ImageError, StorageError, or the signal's reason */
async function loadWith(
  tarFor: (image: LoadedImage) => Bytes,
  image: ImageLocation,
  loading: LoadImageOptions,
): Promise<LoadedImage> {
  const { store, loadCodec } = await containerHost().openKept();
  const loaded = await containerHost().loadImage(image, loading);
  try {
    const codec = await loadCodec();
    const layer = await storeLayer(decompress(tarFor(loaded), codec), store, codec);
    const release = async () => {
      await layer.close();
      await loaded.release();
    };
    const { reference, digest, config } = loaded;
    return { reference, digest, config, layers: [...loaded.layers, layer.diffId as Digest], release };
  } catch (error) {
    await loaded.release();
    throw error;
  }
}

/** Loads an image for a container with files of its own, of which nothing is kept. */
export function loadWithFiles(
  files: NewFiles,
  user: string | undefined,
  image: ImageLocation,
  loading: LoadImageOptions,
): Promise<LoadedImage> {
  return loadWith(({ config, layers }) => tarOf(files, user ?? config.user, layers), image, loading);
}

/** @throws OptionError for a folder in which the container can have no files of its own */
async function* tarOf({ folder, files }: NewFiles, user: string, layers: LoadedImage['layers']): Bytes {
  const place = normaliseMountPath(folder, 'files').slice(1);
  const { store } = await containerHost().openKept();
  const owner = await ownerOf(user, layers, store);
  const common = { owner, mtime: Math.floor(Date.now() / 1000) };
  const folders = new Set(files.flatMap(({ path }) => foldersOf(`${place}/${path}`, place)));
  // Those of root are like the folders that no layer mentions, and may be there already.
  const owned = owner.user === 0 ? [] : [...folders];
  yield* writeTar([
    ...owned.map((name) => ({ ...common, name: `${name}/`, mode: 0o755, ...contentOf(EMPTY) })),
    ...files.map(({ path, content, isExecutable, target }) => ({
      ...common,
      target,
      name: `${place}/${path}`,
      mode: isExecutable ? 0o755 : 0o644,
      ...contentOf(content),
    })),
  ]);
}

/** The folders of a path from a first one on, which is the first. */
function foldersOf(path: string, first: string): string[] {
  const names = path.slice(first.length).split('/').slice(1, -1);
  return [first, ...names.map((_, index) => [first, ...names.slice(0, index + 1)].join('/'))];
}

const EMPTY = new Uint8Array();

/** What the record of a new container says. */
export interface Kept {
  readonly name: string;
  readonly disk: string;
  readonly image: LoadedImage;
  readonly launch: LaunchOptions;
}

/** Makes the record of a container. @throws ContainerExistsError, StorageError */
export async function keep(store: Store, kept: Kept): Promise<Keeping> {
  return new Keeping(await store.containers.create(await recordOf(store, kept)));
}

/** The record of an image that has been loaded. @throws StorageError */
export async function recordOfImage(
  store: Store,
  { reference, digest, config }: Pick<LoadedImage, 'reference' | 'digest' | 'config'>,
): Promise<ImageRecord> {
  const image = await store.images.get(reference, architectureOf(config.architecture));
  if (image?.digest === digest) return image;
  throw new StorageError(`${reference} has another image by now: start the container again`);
}

/** The record of a new container. @throws StorageError */
export async function recordOf(
  store: Store,
  { name, disk, image: used, launch }: Kept,
): Promise<ContainerRecord> {
  const { reference, digest, layers, config } = await recordOfImage(store, used);
  const now = Date.now();
  return {
    ...{ name, reference, digest, layers, config },
    id: disk,
    options: toJson({ launch }),
    created: now,
    lastUsed: now,
    diskBytes: launch.diskBytes,
  };
}

/** @throws StorageError */
async function imageOf(record: ContainerRecord, store: Store): Promise<LoadedImage> {
  const { name, reference, digest } = record;
  const held = await holdImage(record, store);
  if (held) return held;
  throw new StorageError(
    `the image of the container "${name}" is damaged in the store: pull ${atDigest(reference, digest)}`,
  );
}

/** An image whose release also lets other owners have the container. */
export function releasing(image: LoadedImage, kept: Keeping): LoadedImage {
  const { reference, digest, config, layers } = image;
  return {
    ...{ reference, digest, config, layers },
    release: async () => {
      await kept.close();
      await image.release();
    },
  };
}
