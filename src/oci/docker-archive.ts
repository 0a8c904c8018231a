/**
 * The form that `docker save` wrote before version 25 and some tools still write: manifest.json and the files
 * it names.
 */
import type { Archive } from './archive.ts';
import type { Context } from './context.ts';
import { type Digest, digestOf, isDigest, verifyDigest } from './digest.ts';
import { ImageError } from './errors.ts';
import { parseConfigFile } from './image.ts';
import { asArray, asObject, asString, asStrings, parseJson } from './json.ts';
import { ambiguousImage, isSameName, unknownImage } from './layout.ts';
import { MAX_DOCUMENT, platformNames } from './manifest.ts';
import type { ImageName } from './reference.ts';
import { checkPlatform } from './resolve.ts';
import type { ResolvedImage } from './source.ts';

export const MANIFEST_FILE = 'manifest.json';

interface SavedImage {
  /** Paths in the archive. */
  readonly config: string;
  readonly layers: readonly string[];
  readonly names: readonly string[];
}

/** Layers have no digests in this form, so only their diffIDs verify them. The image's digest is its ID. */
export async function dockerArchive(
  reference: string,
  archive: Archive,
  wanted: ImageName,
  context: Context,
): Promise<ResolvedImage> {
  const manifest = await archive.readFile(MANIFEST_FILE, MAX_DOCUMENT, context);
  const images = asArray(parseJson(manifest, MANIFEST_FILE), MANIFEST_FILE).map(parseImage);
  const { config: path, layers } = select(images, wanted, reference);

  const bytes = await archive.readFile(path, MAX_DOCUMENT, context);
  const id = imageId(path);
  if (id) await verifyDigest(bytes, id, 'the configuration');
  const config = parseConfigFile(bytes);
  checkPlatform(reference, config.platform, context);
  if (config.diffIds.length !== layers.length)
    throw new ImageError(`${MANIFEST_FILE} and the configuration differ in the number of layers`);
  return {
    digest: id ?? (await digestOf(bytes)),
    configText: new TextDecoder().decode(bytes),
    config,
    platforms: platformNames([config.platform]),
    isBest: true,
    parallel: archive.parallel,
    layers: layers.map((layer, index) => ({
      diffId: config.diffIds[index] as Digest,
      digest: undefined,
      size: archive.size(layer),
      position: archive.position(layer),
      open: (context) => archive.stream(layer, archive.size(layer), context),
    })),
  };
}

function parseImage(value: unknown): SavedImage {
  const { Config, Layers, RepoTags } = asObject(value, 'an image of the archive');
  return {
    config: asString(Config, '"Config"'),
    layers: asStrings(Layers, '"Layers"'),
    names: asStrings(RepoTags, '"RepoTags"'),
  };
}

function select(images: readonly SavedImage[], { name, digest }: ImageName, reference: string): SavedImage {
  const matching = images.filter(
    ({ config, names }) =>
      (digest === undefined || imageId(config) === digest) &&
      (name === undefined || names.some((given) => isSameName(given, name) || tagOf(given) === name)),
  );
  const [first, ...others] = matching;
  if (!first) throw unknownImage(reference, images.map(nameOf));
  if (others.length > 0) throw ambiguousImage(reference, matching.map(nameOf));
  return first;
}

function nameOf({ config, names: [name] }: SavedImage): ImageName {
  return name === undefined ? { digest: imageId(config) } : { name };
}

function tagOf(name: string): string {
  return name.slice(name.lastIndexOf(':') + 1);
}

/** Returns the digest of the configuration if the name of its file contains it. */
function imageId(path: string): Digest | undefined {
  const [, hex] = /(?:^|\/)([0-9a-f]{64})(?:\.json)?$/.exec(path) ?? [];
  const id = `sha256:${hex}`;
  return isDigest(id) ? id : undefined;
}
