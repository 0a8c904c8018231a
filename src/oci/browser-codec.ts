import { createSHA256, createSHA512 } from 'hash-wasm';
import type { Codec } from './codec.ts';
import { gunzipMembers } from './gunzip.ts';

/** By what browsers have, and WebAssembly for hashes: WebCrypto cannot hash a stream. */
export const browserCodec: Codec = {
  createHasher: (algorithm) => (algorithm === 'sha256' ? createSHA256() : createSHA512()),
  gunzip: gunzipMembers,
};
