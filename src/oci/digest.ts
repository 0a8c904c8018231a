import { toHex } from '../text/hex.ts';
import { ImageError } from './errors.ts';

/** `algorithm:hex`, which has been checked. */
export type Digest = `sha256:${string}` | `sha512:${string}`;
export type Algorithm = 'sha256' | 'sha512';

const HEX_LENGTH: Record<Algorithm, number> = { sha256: 64, sha512: 128 };

export function isDigest(text: unknown): text is Digest {
  if (typeof text !== 'string') return false;
  const [algorithm = '', hex = '', ...rest] = text.split(':');
  if (rest.length > 0 || !Object.hasOwn(HEX_LENGTH, algorithm)) return false;
  return hex.length === HEX_LENGTH[algorithm as Algorithm] && /^[0-9a-f]*$/.test(hex);
}

export function algorithmOf(digest: Digest): Algorithm {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512';
}

export async function digestOf(bytes: Uint8Array, algorithm: Algorithm = 'sha256'): Promise<Digest> {
  const name = algorithm === 'sha256' ? 'SHA-256' : 'SHA-512';
  const hash = new Uint8Array(await crypto.subtle.digest(name, bytes as BufferSource));
  return `${algorithm}:${toHex(hash)}`;
}

/** @param what the name for the error, such as "the manifest" */
export async function verifyDigest(bytes: Uint8Array, expected: Digest, what: string): Promise<void> {
  const actual = await digestOf(bytes, algorithmOf(expected));
  if (actual !== expected) throw digestMismatch(what, expected, actual);
}

export function digestMismatch(what: string, expected: Digest, actual: string): ImageError {
  return new ImageError(`${what} is not what its digest says: expected ${expected}, got ${actual}`);
}
