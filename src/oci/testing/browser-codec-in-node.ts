import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { browserCodec } from '../browser-codec.ts';
import type { Codec } from '../codec.ts';
import { gunzipWith } from '../gunzip.ts';
import { nodeCodec } from '../node-codec.ts';

const ZLIB = createRequire(import.meta.url).resolve('@zip.js/zip.js/dist/zip-module.wasm');

/** The browser's codec with its WebAssembly from the disk, as Node's fetch reads no files. */
export const browserCodecInNode: Codec = {
  ...browserCodec,
  gunzip: gunzipWith(async () => WebAssembly.compile(await readFile(ZLIB))),
  bunzip2: nodeCodec.bunzip2,
};
