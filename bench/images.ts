import { existsSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { BENCH_IMAGES } from '../scripts/setup/places.mjs';
import { formatExt4 } from '../src/disk/ext4.ts';
import { ImageBackend } from '../src/disk/image-backend.ts';
import { encodeIndex, TarIndexer } from '../src/disk/tar.ts';
import { nodeCodec } from '../src/oci/node-codec.ts';
import { nodeSource } from '../src/oci/node-source.ts';
import type { HeldImage } from '../src/oci/pull.ts';
import { pullImage } from '../src/oci/pull.ts';
import { parseReference } from '../src/oci/reference.ts';
import { nodeStore } from '../src/storage/node.ts';

/** Where images are: those that the tests use as well, and those that `scripts/bench-images.mjs` makes. */
const LAYOUTS = [join(import.meta.dirname, '../../shared/images'), BENCH_IMAGES];
const PIECE = 4 << 20;

/** Returns the reference of an image; prints a line and returns undefined if the image is absent. */
export function findTestImage(tag: string): string | undefined {
  const layout = LAYOUTS.find((folder) => tagsIn(folder).includes(tag));
  if (layout) return `oci://${layout}:${tag}`;
  console.log(`${tag}: skipped, it is in neither of ${LAYOUTS.join(' and ')}`);
  return undefined;
}

function tagsIn(layout: string): (string | undefined)[] {
  const path = join(layout, 'index.json');
  if (!existsSync(path)) return [];
  const { manifests } = JSON.parse(readFileSync(path, 'utf8')) as {
    manifests: { annotations?: Record<string, string> }[];
  };
  return manifests.map(({ annotations }) => annotations?.['org.opencontainers.image.ref.name']);
}

export interface Pulled {
  readonly image: HeldImage;
  /** Returns the transferred size of all layers. */
  readonly compressedBytes: number;
}

/** Pulls an image into the store in a folder. */
export async function pullInto(folder: string, reference: string): Promise<Pulled> {
  const source = nodeSource(parseReference(reference), { createTarReader: () => new TarIndexer() });
  let compressedBytes = 0;
  const image = await pullImage(source, nodeStore(folder), {
    codec: nodeCodec,
    createIndexer,
    signal: new AbortController().signal,
    onEvent: (event) => {
      if (event.type !== 'resolved') return;
      compressedBytes = event.layers.reduce((sum, { size }) => sum + size, 0);
    },
  });
  return { image, compressedBytes };
}

function createIndexer() {
  const indexer = new TarIndexer();
  return {
    push: (bytes: Uint8Array) => indexer.push(bytes),
    finish: () => encodeIndex(indexer.finish()),
  };
}

/** Writes the root disk of a stored image to a file. */
export async function writeRootDisk(folder: string, { layers }: HeldImage, path: string): Promise<void> {
  const disk = new ImageBackend(nodeStore(folder).layers, (error) => {
    throw error;
  });
  await disk.open(layers);
  const file = await open(path, 'w');
  for (let at = 0; at < disk.sizeBytes; at += PIECE) {
    const piece = new Uint8Array(Math.min(PIECE, disk.sizeBytes - at));
    await disk.read(at, [piece]);
    await file.write(piece);
  }
  await file.close();
}

/** Writes an empty writable disk for a container to a sparse file. */
export async function writeScratchDisk(path: string, sizeBytes: number): Promise<void> {
  const file = await open(path, 'w');
  await file.truncate(sizeBytes);
  const writes: Promise<unknown>[] = [];
  formatExt4({
    sizeBytes,
    readOnly: false,
    read: () => {},
    write: (offset, from) =>
      void writes.push(
        file.writev(
          from.map((bytes) => bytes.slice()),
          offset,
        ),
      ),
    flush: () => {},
  });
  await Promise.all(writes);
  await file.close();
}
