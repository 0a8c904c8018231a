import { resolve } from 'node:path';
import { ImageError } from '../oci/errors.ts';
import { formatReference, parseReference, type Reference } from '../oci/reference.ts';
import type { ImageLocation, ImageNames } from './load-image.ts';

/** The names of images in Node, apart from the code that reads images. */
export const nodeImageNames: ImageNames = {
  nameOf(image) {
    const reference = readReference(image);
    if (reference.scheme === 'docker') return formatReference(reference);
    return formatReference({ ...reference, path: resolve(reference.path) });
  },
  // The file at a path is cheap to check.
  prefersStored: (image) => readReference(image).scheme === 'docker',
};

/** @throws ImageError of kind `reference` */
export function readReference(image: ImageLocation): Reference {
  if (typeof image === 'string') return parseReference(image);
  throw new ImageError('only a browser picks files: name the path by oci:// or file://', 'reference');
}
