import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, type ZlibOptions } from 'node:zlib';
import type { Bytes } from './bytes.ts';
import type { Codec } from './codec.ts';

const OUTPUT_CHUNK = 512 << 10;
/** Lets zlib's thread work while ours does. */
const READ_AHEAD = 1 << 20;

/** By Node's native hashes and zlib. */
export const nodeCodec: Codec = {
  async createHasher(algorithm) {
    const hash = createHash(algorithm);
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('hex') };
  },

  async *gunzip(compressed: Bytes): Bytes {
    const decoder = createGunzip({ chunkSize: OUTPUT_CHUNK, highWaterMark: READ_AHEAD } as ZlibOptions);
    const feeding = pipeline(Readable.from(compressed, { objectMode: true, highWaterMark: 1 }), decoder);
    // Reading the decoder fails likewise, and where it is left early nobody wants to know.
    feeding.catch(() => {});
    yield* decoder as AsyncIterable<Uint8Array>;
    await feeding;
  },
};
