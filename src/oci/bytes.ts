import { concat } from '../streams/concat.ts';
import { ImageError } from './errors.ts';

/** A stream of bytes that its reader pulls, and that may fail. */
export type Bytes = AsyncIterable<Uint8Array>;

/** @param what the name for the error about more than `limit` bytes */
export async function collect(source: Bytes, limit: number, what: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const bytes of source) {
    size += bytes.length;
    if (size > limit) throw tooLarge(what, limit);
    parts.push(bytes);
  }
  return concat(parts);
}

export function tooLarge(what: string, limit: number): ImageError {
  return new ImageError(`${what} is larger than ${limit} bytes`);
}

/** Cuts a stream into pieces of at most `size` bytes. */
export async function* pieces(source: Bytes, size: number): AsyncGenerator<Uint8Array, void, void> {
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
}
