import { ImageError } from '../../oci/errors.ts';
import { formatReference, parseReference, type Reference } from '../../oci/reference.ts';

/** Undefined of what is no reference. */
export function readReference(image: string): Reference | undefined {
  try {
    return parseReference(image);
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

/** The one spelling of a reference; undefined of what is none. */
export function canonicalName(image: string): string | undefined {
  const reference = readReference(image);
  return reference && formatReference(reference);
}

/** A canonical reference as people write it: without what Docker adds by itself, digests cut short. */
export function shortName(reference: string): string {
  return reference
    .replace(/^docker\.io\/(library\/)?/, '')
    .replace(/:latest(?=@|$)/, '')
    .replace(/^(?:oci|file):\/\/(?:images:(?=.))?/, '')
    .replace(/@(\w+:\w{12})\w+$/, '@$1…');
}

/** The last part of a path. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
