import { ImageError } from '../../oci/errors.ts';
import { formatReference, parseReference } from '../../oci/reference.ts';

/** The one spelling of a reference; undefined of what is none. */
export function canonicalName(image: string): string | undefined {
  try {
    return formatReference(parseReference(image));
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

/** A canonical reference as people write it: without what Docker adds by itself, digests cut short. */
export function shortName(reference: string): string {
  return reference
    .replace(/^docker\.io\/(library\/)?/, '')
    .replace(/:latest(?=@|$)/, '')
    .replace(/^(?:oci|file):\/\/(?:images:(?=.))?/, '')
    .replace(/@(\w+:\w{12})\w+$/, '@$1…');
}
