/** The messages between the interface and the worker of a browser that loads images. */
import type { PullEvent } from '../oci/pull.ts';
import type { Credentials } from '../oci/registry-auth.ts';
import type { LoadedImage, PullPolicy } from './host.ts';
import type { PackedImageError } from './packed-error.ts';

export interface LoadRequest {
  readonly reference: string;
  /** URLs, ending in slashes: of the assets, and of the server that reaches registries. */
  readonly assets: string;
  readonly server: string;
  readonly policy: PullPolicy | undefined;
  readonly credentials: Credentials | undefined;
}

export type LoadedFacts = Omit<LoadedImage, 'release'>;

/** What the worker offers. The caller chooses the number of a load. */
export interface ImageLoader {
  load(
    id: number,
    request: LoadRequest,
    onProgress: (event: PullEvent) => void,
  ): Promise<LoadedFacts | PackedImageError>;
  /** Stops a load. */
  cancel(id: number): void;
  /** Releases the image of a load. */
  release(id: number): Promise<void>;
}
