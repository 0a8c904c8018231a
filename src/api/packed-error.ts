import { ImageError, type ImageErrorKind } from '../oci/errors.ts';
import { StorageError, StorageFullError } from '../storage/errors.ts';

/** An error about an image as it crosses threads: structured clones lose the class. */
export interface PackedImageError {
  readonly failure: {
    readonly name: string;
    readonly message: string;
    readonly kind?: ImageErrorKind | undefined;
    readonly choices?: readonly string[] | undefined;
  };
}

export function packImageError(error: unknown): PackedImageError {
  if (!(error instanceof Error)) return { failure: { name: 'Error', message: String(error) } };
  const { kind, choices } = error instanceof ImageError ? error : { kind: undefined, choices: undefined };
  return { failure: { name: error.name, message: error.message, kind, choices } };
}

export function unpackImageError({ failure }: PackedImageError): Error {
  const { name, message, kind, choices } = failure;
  if (name === 'ImageError') return new ImageError(message, kind, choices && { choices });
  if (name === 'StorageFullError') return new StorageFullError(message);
  if (name === 'StorageError') return new StorageError(message);
  return new Error(`${name}: ${message}`);
}
