/** The functions that tests call in a browser, in the global `linuxrun`. */
import { encodeIndex, TarIndexer } from '../../disk/tar.ts';
import { browserStore } from '../../storage/browser.ts';
import { browserCodec } from '../browser-codec.ts';
import { browserSource, pickedSource } from '../browser-source.ts';
import { type Bytes, collect } from '../bytes.ts';
import { decompress } from '../codec.ts';
import { digestOf } from '../digest.ts';
import type { ImageError } from '../errors.ts';
import { findImage, pullImage } from '../pull.ts';
import { parseReference } from '../reference.ts';
import type { ImageSource } from '../source.ts';

const store = browserStore();
const createTarReader = () => new TarIndexer();

function createIndexer() {
  const indexer = new TarIndexer();
  return {
    push: (bytes: Uint8Array) => indexer.push(bytes),
    finish: () => encodeIndex(indexer.finish()),
  };
}

function sourceOf(reference: string, password?: string): ImageSource {
  const credentials = password === undefined ? undefined : { username: 'me', password };
  return browserSource(parseReference(reference), { base: new URL('/', location.href), credentials });
}

const pullAndHold = (source: ImageSource) =>
  pullImage(source, store, { codec: browserCodec, createIndexer, signal: new AbortController().signal });

async function pull(source: ImageSource) {
  const image = await pullAndHold(source);
  await image.release();
  return image;
}

async function fetched(path: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(path)).arrayBuffer());
}

async function* inPieces(bytes: Uint8Array, size: number): Bytes {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const exported = {
  /** Rejects with errors of the form `name kind: message`. */
  pull: (reference: string, password?: string) =>
    pull(sourceOf(reference, password)).catch((error) => {
      throw new Error(`${error.name} ${error.kind}: ${error.message}`);
    }),

  pullPicked: async (path: string, name: string) =>
    pull(
      pickedSource(
        new File([(await fetched(path)) as BlobPart], 'picked.tar'),
        { name },
        { codec: browserCodec, createTarReader },
      ),
    ),

  /** Pulls an image and holds it for the life of the page. */
  pullAndHold: (reference: string) => pullAndHold(sourceOf(reference)),

  find: (reference: string) => findImage(sourceOf(reference).reference, store),

  /** Reads a stored layer's tar in parts and returns its digest. */
  async digest(diffId: string): Promise<string> {
    const layer = await store.layers.open(diffId);
    if (!layer) throw new Error(`${diffId} is not stored`);
    const hasher = await browserCodec.createHasher('sha256');
    for (let at = 0; at < layer.size; at += 1 << 20) {
      const part = new Uint8Array(Math.min(1 << 20, layer.size - at));
      await layer.read(at, part);
      hasher.update(part);
    }
    await layer.close();
    return `sha256:${hasher.digest()}`;
  },

  /** Keeps a layer open for the life of the page. */
  hold: async (diffId: string) => (await store.layers.open(diffId)) !== undefined,
  usage: () => store.layers.usage(),
  evict: (bytes: number) => store.layers.evict(bytes),

  /** Decompresses a file and returns the digest of its content. */
  async decompress(path: string, pieceSize: number): Promise<string> {
    const source = inPieces(await fetched(path), pieceSize);
    return digestOf(await collect(decompress(source, browserCodec), 1 << 30, path));
  },

  /**
   * Decompresses gzip files that follow each other in one, and returns the digest of each content, undefined
   * for damaged files. @param sizes of each file, and of the pieces to feed it in
   */
  async decompressAll(
    path: string,
    sizes: readonly (readonly [number, number])[],
  ): Promise<(string | undefined)[]> {
    const bytes = await fetched(path);
    const digests: (string | undefined)[] = [];
    let at = 0;
    for (const [size, pieceSize] of sizes) {
      const source = inPieces(bytes.subarray(at, at + size), pieceSize);
      at += size;
      digests.push(
        await collect(decompress(source, browserCodec), 1 << 30, path).then(digestOf, (error: ImageError) => {
          if (error.message.startsWith('damaged gzip data')) return undefined;
          throw error;
        }),
      );
    }
    return digests;
  },
};

export type InBrowser = typeof exported;

Object.assign(globalThis, { linuxrun: exported });
