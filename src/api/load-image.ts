import { loadImage } from '../container/image.ts';
import type { Codec } from '../oci/codec.ts';
import { ImageError } from '../oci/errors.ts';
import { findImage, type HeldImage, type PullEvent } from '../oci/pull.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import type { ImageSource } from '../oci/source.ts';
import type { Store } from '../storage/store.ts';
import type { PullPolicy } from './host.ts';

export interface Loading {
  readonly reference: Reference;
  readonly openSource: () => ImageSource;
  readonly store: Store;
  readonly codec: Codec;
  readonly policy: PullPolicy | undefined;
  readonly onProgress: ((event: PullEvent) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * The image, from the store or its source, as the policy says.
 * @throws ImageError, StorageError, or the signal's reason
 */
export async function loadByPolicy(loading: Loading): Promise<HeldImage> {
  const { reference, openSource, store, codec, policy = 'missing', onProgress, signal } = loading;
  if (policy === 'never') {
    const name = formatReference(reference);
    const image = await findImage(name, store);
    if (image) return image;
    throw new ImageError(`${name} is not stored, and may not be pulled: pull it first`, 'not-found');
  }
  return loadImage(openSource(), store, {
    codec,
    // What is at a path may have changed, and is cheap to check.
    preferStored: policy === 'missing' && reference.scheme === 'docker',
    signal: signal ?? new AbortController().signal,
    onEvent: onProgress,
  });
}
