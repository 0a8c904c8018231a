/** Makes the bytes of a root disk from tars, for tests. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type ErofsImage, writeErofs } from '../erofs.ts';
import { TarIndexer } from '../tar.ts';
import type { TarIndex } from '../tar-entry.ts';
import { mergeLayers } from '../tree.ts';

export const UUID = Uint8Array.from({ length: 16 }, (_, i) => i + 1);

/** An OCI image layout with real and awkward images, which only some machines have. */
export const IMAGES = join(import.meta.dirname, '../../../../shared/images');
export const HAS_IMAGES = existsSync(join(IMAGES, 'index.json'));

export function indexTar(tar: Uint8Array): TarIndex {
  const indexer = new TarIndexer();
  indexer.push(tar);
  return indexer.finish();
}

export function makeImage(tars: readonly Uint8Array[]): ErofsImage {
  const indexes = tars.map(indexTar);
  return writeErofs(
    mergeLayers(indexes),
    tars.map(({ length }) => length),
    UUID,
  );
}

/** All bytes of a root disk. */
export function makeDisk(tars: readonly Uint8Array[]): Uint8Array {
  const { metadata, layerOffsets, diskSize } = makeImage(tars);
  const disk = new Uint8Array(diskSize);
  disk.set(metadata);
  for (const [i, tar] of tars.entries()) disk.set(tar, layerOffsets[i]);
  return disk;
}

interface Descriptor {
  readonly digest: string;
  readonly annotations?: Record<string, string>;
  readonly platform?: { readonly architecture: string };
}

/** The tars of a gzip-compressed image, the lowest layer first. */
export function readLayers(tag: string, folder = IMAGES): Uint8Array[] {
  const blob = ({ digest }: Descriptor) => readFileSync(join(folder, 'blobs', digest.replace(':', '/')));
  const json = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString());
  const { manifests } = json(readFileSync(join(folder, 'index.json'))) as { manifests: Descriptor[] };
  const top = manifests.find(({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === tag);
  if (!top) throw new Error(`no image ${tag}`);
  let manifest = json(blob(top));
  if (manifest.manifests)
    manifest = json(
      blob(manifest.manifests.find(({ platform }: Descriptor) => platform?.architecture === 'riscv64')),
    );
  return manifest.layers.map((layer: Descriptor) => new Uint8Array(gunzipSync(blob(layer))));
}
