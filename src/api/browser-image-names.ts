import { formatReference, parseReference } from '../oci/reference.ts';
import type { ImageNames } from './load-image.ts';

/** The names of images in a browser, apart from the code that reads images. */
export const browserImageNames: ImageNames = {
  nameOf(image) {
    if (typeof image === 'string') return formatReference(parseReference(image));
    const path = 'files' in image ? image.name : image.file.name;
    return formatReference({ scheme: 'file', path, image: image.image ?? {} });
  },
  // A file was picked in an earlier visit, and cannot be read again.
  prefersStored: (image) =>
    typeof image === 'string' && (!navigator.onLine || parseReference(image).scheme !== 'oci'),
};
