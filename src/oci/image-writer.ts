/** Writes images: a layer on top of another image, and whole images as OCI layouts in a tar. */
import { isObject, type JsonObject } from '../text/json.ts';
import type { Bytes } from './bytes.ts';
import { type Digest, digestOf } from './digest.ts';
import { ImageError } from './errors.ts';
import { blobPath, INDEX_FILE, NAME_ANNOTATION, TAG_ANNOTATION } from './layout.ts';
import { OCI_TYPES } from './manifest.ts';
import { formatReference, parseReference } from './reference.ts';
import { contentOf, type TarFile, writeTar } from './tar-stream.ts';

/** A layer in the store, as an uncompressed tar. */
export interface WritableLayer {
  readonly diffId: Digest;
  /** In bytes. */
  readonly size: number;
}

/** Changes to the configuration of an image, as `docker commit` makes them. */
export interface ImageChanges {
  readonly author?: string | undefined;
  /** Why the image was made. */
  readonly comment?: string | undefined;
  /** Changes how the image's program runs: the `config` of the configuration. */
  readonly change?: ((config: JsonObject) => JsonObject) | undefined;
}

/**
 * Returns the configuration of an image with one more layer (OCI image specification, config.md).
 * @param text the configuration of the image below
 * @param created in ms since 1970
 */
export function extendConfig(text: string, layer: Digest, created: number, changes: ImageChanges): string {
  const base = JSON.parse(text) as JsonObject;
  const rootfs = isObject(base.rootfs) ? base.rootfs : {};
  const below = Array.isArray(rootfs.diff_ids) ? rootfs.diff_ids : [];
  const history = Array.isArray(base.history) ? base.history.filter(isObject) : [];
  // One that leaves layers out would describe the wrong ones.
  const isWhole = history.filter(({ empty_layer: isEmpty }) => isEmpty !== true).length === below.length;
  const time = new Date(created).toISOString();
  const { author, comment, change = (config) => config } = changes;
  return JSON.stringify({
    ...base,
    created: time,
    ...(author !== undefined && { author }),
    config: change(isObject(base.config) ? base.config : {}),
    rootfs: { type: 'layers', diff_ids: [...below, layer] },
    history: [
      ...(isWhole ? history : below.map(() => ({ created: time, created_by: 'unknown' }))),
      {
        created: time,
        created_by: 'linuxrun commit',
        ...(author !== undefined && { author }),
        ...(comment !== undefined && { comment }),
      },
    ],
  });
}

interface Document {
  readonly bytes: Uint8Array;
  readonly digest: Digest;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** The manifest of an image whose layers are uncompressed. */
export async function manifestOf(config: string, layers: readonly WritableLayer[]): Promise<Document> {
  const file = await documentOf(config);
  return documentOf(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_TYPES.manifest,
      config: descriptorOf(OCI_TYPES.config, file),
      layers: layers.map(({ diffId, size }) => ({ mediaType: OCI_TYPES.layer, digest: diffId, size })),
    }),
  );
}

/**
 * Writes an image as an OCI image layout in a tar, which also has the `manifest.json` of `docker save`.
 * @param reference canonical
 * @param config its configuration, as published
 * @param layers the lowest first
 * @param read the tar of a layer
 */
export async function* writeImage(
  reference: string,
  config: string,
  layers: readonly WritableLayer[],
  read: (layer: WritableLayer) => Bytes,
): Bytes {
  const [configFile, manifest] = [await documentOf(config), await manifestOf(config, layers)];
  const { tag, name } = nameOf(reference);
  const annotations = {
    ...(tag !== undefined && { [TAG_ANNOTATION]: tag }),
    ...(name !== undefined && { [NAME_ANNOTATION]: name }),
  };
  const index = {
    schemaVersion: 2,
    mediaType: OCI_TYPES.index,
    manifests: [{ ...descriptorOf(OCI_TYPES.manifest, manifest), annotations }],
  };
  const docker = [
    {
      Config: blobPath(configFile.digest),
      RepoTags: name === undefined ? [] : [name],
      Layers: layers.map(({ diffId }) => blobPath(diffId)),
    },
  ];
  const unique = [...new Map(layers.map((layer) => [layer.diffId, layer])).values()];
  yield* writeTar([
    textFile('oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' })),
    textFile(INDEX_FILE, JSON.stringify(index)),
    textFile('manifest.json', JSON.stringify(docker)),
    blobFile(manifest),
    blobFile(configFile),
    ...unique.map((layer) => ({
      name: blobPath(layer.diffId),
      size: layer.size,
      content: read(layer),
    })),
  ]);
}

/** The tag of an image, and the whole name with which `docker load` finds it. */
function nameOf(canonical: string): { readonly tag?: string; readonly name?: string } {
  const reference = parseReference(canonical);
  if (reference.scheme !== 'docker') return reference.image.name ? { tag: reference.image.name } : {};
  const { tag } = reference;
  return tag === undefined ? {} : { tag, name: formatReference({ ...reference, digest: undefined }) };
}

/** The canonical name of an image that is made here. @throws ImageError of kind `reference` */
export function localName(text: string): string {
  const reference = parseReference(text);
  if (reference.scheme === 'docker' && reference.digest === undefined) return formatReference(reference);
  throw new ImageError(`"${text}" is no name for a new image: write NAME or NAME:TAG`, 'reference');
}

async function documentOf(text: string): Promise<Document> {
  const bytes = new TextEncoder().encode(text);
  return { bytes, digest: await digestOf(bytes) };
}

function descriptorOf(mediaType: string, { bytes, digest }: Document): Descriptor {
  return { mediaType, digest, size: bytes.length };
}

function blobFile({ bytes, digest }: Document): TarFile {
  return { name: blobPath(digest), ...contentOf(bytes) };
}

function textFile(name: string, text: string): TarFile {
  return { name, ...contentOf(new TextEncoder().encode(text)) };
}
