import { createSHA256, createSHA512 } from 'hash-wasm';
import { bunzip2With } from './bunzip2.ts';
import type { Codec } from './codec.ts';
import { gunzipWith } from './gunzip.ts';

/** In WebAssembly: WebCrypto cannot hash a stream, and DecompressionStream stops after one gzip member. */
export const browserCodec: Codec = {
  createHasher: (algorithm) => (algorithm === 'sha256' ? createSHA256() : createSHA512()),
  gunzip: gunzipWith(loadZlib),
  // Vite turns these expressions into the addresses of the files.
  bunzip2: bunzip2With(() =>
    compile(new URL('../../node_modules/bzip2-wasm/bzip2-1.0.8/bzip2.wasm', import.meta.url)),
  ),
};

let zlib: Promise<WebAssembly.Module> | undefined;

/** Loads zlib before its first use, so that a picked archive opens even when the server is gone by then. */
export function preloadZlib(): void {
  // The first use tries again.
  loadZlib().catch(() => {});
}

function loadZlib(): Promise<WebAssembly.Module> {
  const url = new URL('../../node_modules/@zip.js/zip.js/dist/zip-module.wasm', import.meta.url);
  zlib ??= compile(url).catch((error) => {
    zlib = undefined;
    throw error;
  });
  return zlib;
}

async function compile(url: URL): Promise<WebAssembly.Module> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return WebAssembly.compile(await response.arrayBuffer());
}
