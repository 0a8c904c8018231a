import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createGunzip, type Gunzip, type ZlibOptions } from 'node:zlib';
import { bunzip2With } from './bunzip2.ts';
import type { Bytes } from './bytes.ts';
import type { Codec } from './codec.ts';

const OUTPUT_CHUNK = 512 << 10;
/** Lets zlib's thread run beside ours. */
const READ_AHEAD = 1 << 20;

/** Node's own hashes and zlib. */
export const nodeCodec: Codec = {
  async createHasher(algorithm) {
    const hash = createHash(algorithm);
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('hex') };
  },

  async *gunzip(compressed: Bytes): Bytes {
    const decoder = createGunzip({ chunkSize: OUTPUT_CHUNK, highWaterMark: READ_AHEAD } as ZlibOptions);
    const feeding = feed(decoder, compressed).catch((error) => decoder.destroy(error));
    yield* decoder as AsyncIterable<Uint8Array>;
    await feeding;
  },

  bunzip2: bunzip2With(compileBzip2),
};

/** Node has no decoder of its own. */
async function compileBzip2(): Promise<WebAssembly.Module> {
  const url = new URL('../../node_modules/bzip2-wasm/bzip2-1.0.8/bzip2.wasm', import.meta.url);
  return WebAssembly.compile(await readFile(url));
}

async function feed(decoder: Gunzip, compressed: Bytes): Promise<void> {
  for await (const bytes of compressed) {
    // zlib ignores everything after zeros that follow a member, but the digest covers these bytes too.
    if (decoder.readableEnded) continue;
    if (decoder.destroyed) return;
    if (!decoder.write(bytes)) await untilWritable(decoder);
  }
  decoder.end();
}

function untilWritable(decoder: Gunzip): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      decoder.off('drain', settle).off('close', settle);
      resolve();
    };
    decoder.on('drain', settle).on('close', settle);
  });
}
