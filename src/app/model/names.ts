import { ImageError } from '../../oci/errors.ts';
import { formatReference, parseReference, type Reference } from '../../oci/reference.ts';

/** Returns undefined for text that is no reference. */
export function readReference(image: string): Reference | undefined {
  try {
    return parseReference(image);
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

/** Returns the canonical spelling of a reference, or undefined for text that is none. */
export function canonicalName(image: string): string | undefined {
  const reference = readReference(image);
  return reference && formatReference(reference);
}

/** Shortens a canonical reference to the common form: without Docker's defaults, and with a short digest. */
export function shortName(reference: string): string {
  return reference
    .replace(/^docker\.io\/(library\/)?/, '')
    .replace(/:latest(?=@|$)/, '')
    .replace(/^(?:oci|file):\/\/(?:images:(?=.))?/, '')
    .replace(/@(\w+:\w{12})\w+$/, '@$1…');
}

/** Returns the last part of a path. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
