/** The messages between the interface and the worker of a browser that loads images. */
import type { PullEvent } from '../oci/pull.ts';
import type { Credentials } from '../oci/registry-auth.ts';
import type { Places } from './browser-images.ts';
import type { ImageDescription, ImageLocation, LoadedImage, PullPolicy } from './load-image.ts';
import type { PackedImageError } from './packed-error.ts';

export interface ImageRequest {
  readonly image: ImageLocation;
  readonly places: Places;
  readonly policy?: PullPolicy | undefined;
  readonly platform?: string | undefined;
  readonly credentials: Credentials | undefined;
}

export type LoadedFacts = Omit<LoadedImage, 'release'>;

/** What the worker offers. The caller chooses the number of a request. */
export interface ImageLoader {
  /** Takes the store of the caller, for browsers that keep nothing. */
  borrow(store: MessagePort): void;
  load(
    id: number,
    request: ImageRequest,
    onProgress: (event: PullEvent) => void,
  ): Promise<LoadedFacts | PackedImageError>;
  inspect(id: number, request: ImageRequest): Promise<ImageDescription | PackedImageError>;
  /** Ends a request. */
  cancel(id: number): void;
  /** Releases the image of a load. */
  release(id: number): Promise<void>;
}
