import { ImageError } from '../../api/errors.ts';
import { formatReference, parseReference, type Reference } from '../../api/references.ts';
import { OptionError } from '../../options/option-error.mjs';
import { type Architecture, parsePlatform } from '../../options/platform.mjs';
import { DEMOS } from './catalogue.ts';

/** Returns undefined for text that is no reference. */
export function readReference(image: string): Reference | undefined {
  try {
    return parseReference(image);
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

/** Returns undefined for an unknown platform. */
export function readPlatform(text: string): Architecture | undefined {
  try {
    return parsePlatform(text.trim());
  } catch (error) {
    if (error instanceof OptionError) return undefined;
    throw error;
  }
}

/** Returns the canonical spelling of a reference, or undefined for text that is none. */
export function canonicalName(image: string): string | undefined {
  const reference = readReference(image);
  return reference && formatReference(reference);
}

/** Returns the name of a demo image, or the text itself for any other image. */
export function shownImage(image: string): string {
  return DEMOS.find((demo) => demo.image === image.trim())?.name ?? image;
}

/** Returns the image that a text shows: the reverse of `shownImage`. */
export function imageShownAs(text: string): string {
  return DEMOS.find(({ name }) => name === text.trim())?.image ?? text;
}

/**
 * Shortens a canonical reference: a demo image to its name, others to the common form without Docker's
 * defaults and with a short digest.
 */
export function shortName(reference: string): string {
  return shownImage(reference)
    .replace(/^docker\.io\/(library\/)?/, '')
    .replace(/:latest(?=@|$)/, '')
    .replace(/^(?:oci|file):\/\/(?:images:(?=.))?/, '')
    .replace(/@(\w+:\w{12})\w+$/, '@$1…');
}

/** Names an image among others: in a file or folder by its name there. */
export function nameOfChoice(reference: string): string {
  const read = readReference(reference);
  if (!read || read.scheme === 'docker') return shortName(reference);
  const { name, digest } = read.image;
  return name ?? (digest ? shortName(`@${digest}`).slice(1) : shortName(reference));
}

/** Returns the last part of a path. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
