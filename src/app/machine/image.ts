import { ImageError } from '../../api/errors.ts';
import { formatReference } from '../../api/references.ts';
import { loadImage } from '../../container/image.ts';
import { TarIndexer } from '../../disk/tar.ts';
import { browserCodec } from '../../oci/browser-codec.ts';
import { browserSource, pickedSource } from '../../oci/browser-source.ts';
import { pickedFolderSource } from '../../oci/picked-folder.ts';
import { findImage, type HeldImage, type PullEvent } from '../../oci/pull.ts';
import type { ImageSource } from '../../oci/source.ts';
import { browserStore } from '../../storage/browser.ts';
import type { ImageRequest, Inspection, SessionRequest } from './messages.ts';

/**
 * Returns the image for a session, with all of its layers in the store.
 * @throws ImageError, StorageError, or the signal's reason
 */
export async function sessionImage(
  request: SessionRequest,
  signal: AbortSignal,
  onEvent: (event: PullEvent) => void,
): Promise<HeldImage> {
  const { reference, origin, wantsNewest } = request;
  const store = browserStore();
  const preferStored = (reference.scheme === 'docker' && !wantsNewest) || !navigator.onLine;
  const options = { codec: browserCodec, preferStored, signal, onEvent };
  const stored = () => findImage(formatReference(reference), store);
  // The user picked the file in an earlier visit.
  if (origin.kind === 'reference' && reference.scheme === 'file') {
    const image = await stored();
    if (image) return image;
  }
  try {
    return await loadImage(sourceOf(request), store, options);
  } catch (error) {
    // The content of a path may have changed, so each run looks at it. An old image is better than none.
    const image = error instanceof ImageError && error.kind === 'network' ? await stored() : undefined;
    if (!image) throw error;
    return image;
  }
}

/** Asks the source of an image about it. @throws ImageError, or the signal's reason */
export async function inspectImage(request: ImageRequest, signal: AbortSignal): Promise<Inspection> {
  const { platforms, layers } = await sourceOf(request).resolve({ signal });
  return { platforms, size: layers.reduce((sum, { size }) => sum + size, 0) };
}

function sourceOf({ reference, origin, base }: ImageRequest): ImageSource {
  if (origin.kind === 'reference') {
    const builtIn = new URL('images/', base);
    return browserSource(reference, { base: new URL(base), credentials: origin.credentials, builtIn });
  }
  const { local, image } = origin;
  return local.kind === 'file'
    ? pickedSource(local.file, image, { codec: browserCodec, createTarReader: () => new TarIndexer() })
    : pickedFolderSource(local.name, local.files, image);
}
