/** Manifests and indexes of the OCI image specification and of Docker's schema 2, which share their shape. */

import { isObject, type JsonObject } from '../text/json.ts';
import { clean } from '../text/message.ts';
import { type Digest, isDigest } from './digest.ts';
import { ImageError } from './errors.ts';
import { asArray, asObject, asString, parseJson } from './json.ts';

/** The largest manifest, index or configuration, in bytes. */
export const MAX_DOCUMENT = 4 << 20;
const MAX_LAYERS = 1024;
const MAX_MANIFESTS = 4096;
const MAX_BLOB = 2 ** 40;

/** Those of the OCI image specification, with layers that are not compressed. */
export const OCI_TYPES = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

const INDEX_TYPES: readonly string[] = [
  OCI_TYPES.index,
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const MANIFEST_TYPES: readonly string[] = [
  OCI_TYPES.manifest,
  'application/vnd.docker.distribution.manifest.v2+json',
];
const CONFIG_TYPES: readonly string[] = [OCI_TYPES.config, 'application/vnd.docker.container.image.v1+json'];
const LAYER_TYPE =
  /^application\/vnd\.(oci\.image\.layer\.(nondistributable\.)?v1\.tar(\+gzip|\+zstd)?|docker\.image\.rootfs\.(foreign\.)?diff\.tar(\.gzip|\.zstd)?)$/;

/** The value of the Accept header. */
export const ACCEPTED_TYPES = [...INDEX_TYPES, ...MANIFEST_TYPES].join(', ');

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  readonly platform?: Platform | undefined;
  readonly annotations: JsonObject;
}

export interface ImageIndex {
  readonly kind: 'index';
  readonly manifests: readonly Descriptor[];
}

export interface ImageManifest {
  readonly kind: 'image';
  readonly digest: Digest;
  readonly config: Descriptor;
  /** The lowest first. */
  readonly layers: readonly Descriptor[];
}

export type Manifest = ImageIndex | ImageManifest;

/**
 * @param digest the verified digest of the bytes
 * @param mediaType the media type that came with the document, if any
 */
export function parseManifest(bytes: Uint8Array, digest: Digest, mediaType = ''): Manifest {
  const json = asObject(parseJson(bytes, 'the manifest'), 'the manifest');
  if (json.schemaVersion === 1)
    throw new ImageError('the image is in the old format "schema 1", which is no longer in use');
  const isIndex = json.manifests !== undefined;
  // Two programs could read such a document in different ways (CVE-2021-41190).
  if (isIndex && (json.layers !== undefined || json.config !== undefined))
    throw new ImageError('the manifest is ambiguous: both an index and an image');
  const type = asString(json.mediaType, 'the media type') || mediaType;
  if ((isIndex ? MANIFEST_TYPES : INDEX_TYPES).includes(type))
    throw new ImageError('the manifest is not of its media type');
  return isIndex ? parseIndex(json) : parseImage(json, digest);
}

export function parseIndex(json: JsonObject): ImageIndex {
  const manifests = asArray(json.manifests, 'the list of manifests');
  if (manifests.length > MAX_MANIFESTS) throw new ImageError(`over ${MAX_MANIFESTS} manifests in an index`);
  return { kind: 'index', manifests: manifests.map((item) => parseDescriptor(item, 'a manifest')) };
}

function parseImage(json: JsonObject, digest: Digest): ImageManifest {
  if (!isObject(json.config)) throw new ImageError('the manifest is of neither an image nor an index');
  const config = parseDescriptor(json.config, 'the configuration');
  if (!CONFIG_TYPES.includes(config.mediaType))
    throw new ImageError(`this is not a container image, but holds ${clean(config.mediaType)}`);
  const layers = asArray(json.layers, 'the list of layers').map((item) => parseDescriptor(item, 'a layer'));
  if (layers.length > MAX_LAYERS) throw new ImageError(`over ${MAX_LAYERS} layers`);
  for (const { mediaType } of layers) {
    if (mediaType.endsWith('+encrypted')) throw new ImageError('the image is encrypted');
    if (!LAYER_TYPE.test(mediaType)) throw new ImageError(`unknown type of layer: ${clean(mediaType)}`);
  }
  return { kind: 'image', digest, config, layers };
}

function parseDescriptor(value: unknown, what: string): Descriptor {
  const { mediaType, digest, size, platform, annotations } = asObject(value, `the descriptor of ${what}`);
  if (!isDigest(digest)) throw new ImageError(`${what} has no valid digest`);
  if (!Number.isSafeInteger(size) || (size as number) < 0 || (size as number) > MAX_BLOB)
    throw new ImageError(`${what} has no valid size`);
  return {
    mediaType: asString(mediaType, `the media type of ${what}`),
    digest,
    size: size as number,
    platform: isObject(platform) ? parsePlatform(platform) : undefined,
    annotations: isObject(annotations) ? annotations : {},
  };
}

/** Reads the platform from an index or an image's configuration, which have the same fields. */
export function parsePlatform(json: JsonObject): Platform {
  const variant = asString(json.variant, 'the variant');
  return {
    os: asString(json.os, 'the operating system'),
    architecture: asString(json.architecture, 'the architecture'),
    variant: variant || undefined,
  };
}

/** Returns names to show. Entries of platform "unknown" are attestations. */
export function platformNames(platforms: readonly Platform[]): string[] {
  const names = platforms
    .filter(({ os, architecture }) => os !== 'unknown' || architecture !== 'unknown')
    .map(({ os, architecture, variant }) => clean(`${os}/${architecture}${variant ? `/${variant}` : ''}`));
  return [...new Set(names)].sort();
}
