/** Loads images for machines: from the store, or from their sources, from which they are pulled. */
import { loadImage as loadFrom } from '../container/image.ts';
import type { Codec } from '../oci/codec.ts';
import { ImageError } from '../oci/errors.ts';
import type { ImageConfig } from '../oci/image.ts';
import { findImage, type HeldImage, type PullEvent } from '../oci/pull.ts';
import type { ImageName } from '../oci/reference.ts';
import type { Credentials, FindCredentials } from '../oci/registry-auth.ts';
import type { ImageSource } from '../oci/source.ts';
import { type Architecture, parsePlatform } from '../options/platform.mjs';
import type { PullPolicy } from '../options/pull-policy.ts';
import type { Store } from '../storage/store.ts';

export type { PullPolicy } from '../options/pull-policy.ts';

/** An archive that the user of a page picked or dropped, or the files of an OCI image layout by path. */
export type PickedImage = (
  | { readonly file: File }
  | { readonly name: string; readonly files: ReadonlyMap<string, File> }
) & {
  /** Chooses one of several images. */
  readonly image?: ImageName | undefined;
};

/** The reference of an image, or in a browser a picked one. */
export type ImageLocation = string | PickedImage;

/** How a source is asked. */
export interface SourceOptions {
  /**
   * The platform whose image is wanted, such as `linux/arm64`. By default it is the first of `linux/riscv64`,
   * `linux/arm64` and `linux/amd64` that the image is published for. Programs of the last two are emulated.
   */
  readonly platform?: string | undefined;
  /** The user's account at the registry, or how to find it. */
  readonly credentials?: Credentials | FindCredentials | undefined;
  /** Ends the request. */
  readonly signal?: AbortSignal | undefined;
}

/** How an image is brought into the store. */
export interface LoadImageOptions extends SourceOptions {
  /** By default `missing`. */
  readonly policy?: PullPolicy | undefined;
  /** Called while the image is pulled. */
  readonly onProgress?: ((event: PullEvent) => void) | undefined;
}

/** An image whose layers stay in the store until it is released. */
export type LoadedImage = Pick<HeldImage, 'reference' | 'digest' | 'config' | 'layers' | 'release'>;

/** What is known about an image. */
export interface ImageDescription {
  /** The canonical reference. */
  readonly reference: string;
  /** The digest of its manifest. */
  readonly digest: string;
  /** How to run its program. */
  readonly config: ImageConfig;
  /** The digests of its layers' tars, the lowest first. */
  readonly layers: readonly string[];
  /** The platforms for which the image is published. */
  readonly platforms: readonly string[];
  /** The bytes of its layers: of the download, or of their tars in the store. */
  readonly size: number;
  /** Whether all of it is in the store, from which it was read. */
  readonly isStored: boolean;
}

/** Names of images, which need no source. */
export interface ImageNames {
  /** The canonical reference. @throws ImageError of kind `reference` */
  nameOf(image: ImageLocation): string;
  /** Whether a stored image is as good as its source. The content of a path may have changed. */
  prefersStored(image: ImageLocation): boolean;
}

/** How a browser or Node reaches images. */
export interface ImageAccess extends ImageNames {
  readonly codec: Codec;
  openStore(): Store;
  /** @throws ImageError */
  openSource(image: ImageLocation, credentials: SourceOptions['credentials']): ImageSource;
}

/**
 * Returns an image with all of its layers in the store, which its user releases. With the policy `missing`, a
 * stored image also stands in for a source that cannot be reached.
 * @throws ImageError, StorageError, or the signal's reason
 */
export async function loadImage(
  access: ImageAccess,
  image: ImageLocation,
  { policy = 'missing', platform, credentials, onProgress, signal = NEVER }: LoadImageOptions = {},
): Promise<HeldImage> {
  const architecture = wantedArchitecture(platform);
  const reference = access.nameOf(image);
  const store = access.openStore();
  const isStoredEnough = policy === 'never' || (policy === 'missing' && access.prefersStored(image));
  const stored = isStoredEnough ? await findImage(reference, store, architecture) : undefined;
  if (stored) return stored;
  if (policy === 'never') throw notStored(reference);
  try {
    const options = {
      codec: access.codec,
      preferStored: false,
      architecture,
      signal,
      onEvent: onProgress,
    };
    return await loadFrom(access.openSource(image, credentials), store, options);
  } catch (error) {
    const isUnreachable = error instanceof ImageError && error.kind === 'network';
    const old =
      policy === 'missing' && isUnreachable ? await findImage(reference, store, architecture) : undefined;
    if (!old) throw error;
    return old;
  }
}

/** Asks the source of an image about it. @throws ImageError, or the signal's reason */
export async function inspectSource(
  access: ImageAccess,
  image: ImageLocation,
  { platform, credentials, signal = NEVER }: SourceOptions = {},
): Promise<ImageDescription> {
  const architecture = wantedArchitecture(platform);
  const source = access.openSource(image, credentials);
  const { digest, config, layers, platforms } = await source.resolve({ signal, architecture });
  return {
    reference: source.reference,
    digest,
    config: config.config,
    layers: layers.map(({ diffId }) => diffId),
    platforms,
    size: layers.reduce((sum, { size }) => sum + size, 0),
    isStored: false,
  };
}

/** @throws OptionError for an unknown platform */
export function wantedArchitecture(platform: string | undefined): Architecture | undefined {
  return platform === undefined ? undefined : parsePlatform(platform);
}

/** The error about an image that only the store may give. */
export function notStored(reference: string): ImageError {
  return new ImageError(`${reference} is not stored: pull it first`, 'not-found');
}

const NEVER = new AbortController().signal;
