import { ARCHITECTURES, type Architecture, architectureOf, platformOf } from '../options/platform.mjs';
import { type Bytes, collect } from './bytes.ts';
import type { Context } from './context.ts';
import { type Digest, verifyDigest } from './digest.ts';
import { ImageError } from './errors.ts';
import { type ConfigFile, parseConfigFile } from './image.ts';
import {
  type Descriptor,
  type ImageManifest,
  MAX_DOCUMENT,
  type Manifest,
  type Platform,
  parseManifest,
  platformNames,
} from './manifest.ts';
import type { ImageSource, ResolvedImage } from './source.ts';

/** Blobs by descriptor, and the manifest or index that a reference names. None of it is verified yet. */
export interface Content {
  /** The canonical reference. */
  readonly reference: string;
  readonly parallel: number;
  root(context: Context): Promise<Manifest>;
  manifest(descriptor: Descriptor, context: Context): Bytes;
  blob(descriptor: Descriptor, context: Context): Bytes;
  /** The offset of a blob, if the order of reading matters for speed. */
  position(descriptor: Descriptor): number;
  /** What references like this one name, the most similar first. */
  similar?(context: Context): AsyncIterable<Similar>;
}

export interface Similar {
  readonly reference: string;
  readonly root: Manifest;
}

const OS = 'linux';
/**
 * What the variants may be. The hart has the profiles of riscv64 up to RVA23, and the emulators of the others
 * have all that their variants need, except AVX-512 (v4).
 */
const VARIANTS: Readonly<Record<Architecture, RegExp>> = {
  riscv64: /^rva2[023]u64$/,
  arm64: /^v[89](\.\d+)?$/,
  amd64: /^v[123]$/,
};

/** The longest search for another reference, in ms. */
const PATIENCE = 8000;
const MAX_DEPTH = 4;
const MAX_DOCUMENTS = 64;
/** Of platforms in a message. */
const MAX_NAMED = 20;

/** An image from a source that keeps blobs by digest. */
export class ContentSource implements ImageSource {
  readonly reference: string;
  readonly #content: Content;
  #root: Promise<Manifest> | undefined;

  constructor(content: Content) {
    this.reference = content.reference;
    this.#content = content;
  }

  async current(context: Context): Promise<Digest | undefined> {
    const root = await this.#readRoot(context);
    if (root.kind === 'image') return root.digest;
    const [first, ...others] = wantedOf(context).map((wanted) =>
      root.manifests.find(({ platform }) => platform && isFor(platform, wanted)),
    );
    if (first) return first.digest;
    // What is not described may be for a better processor, which takes more questions.
    if (root.manifests.some(({ platform }) => !platform)) return undefined;
    return others.find((found) => found !== undefined)?.digest;
  }

  async resolve(context: Context): Promise<ResolvedImage> {
    const search = new PlatformSearch(this.#content, context);
    const wanted = wantedOf(context);
    const found = await search.findFirst(await this.#readRoot(context), wanted);
    if (!found)
      throw platformError(this.reference, wanted, search.insteadOf(wanted), await this.#alternative(context));
    const { manifest, configText, config } = found;
    if (config.diffIds.length !== manifest.layers.length)
      throw new ImageError('the manifest and the configuration differ in the number of layers');
    const layers = manifest.layers.map((descriptor, index) => ({
      diffId: config.diffIds[index] as Digest,
      digest: descriptor.digest,
      size: descriptor.size,
      position: this.#content.position(descriptor),
      open: (context: Context) => this.#content.blob(descriptor, context),
    }));
    const platforms = platformNames([...search.offered, config.platform]);
    const { parallel } = this.#content;
    const isBest = !search.offers(betterThan(config.platform));
    return { digest: manifest.digest, configText, config, platforms, isBest, layers, parallel };
  }

  /** Reads the root once. */
  #readRoot(context: Context): Promise<Manifest> {
    this.#root ??= this.#content.root(context);
    return this.#root;
  }

  /** Looks for a similar reference with an image for our machine, which may fail without harm. */
  async #alternative(context: Context): Promise<Alternative> {
    const tried: string[] = [];
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(PATIENCE)]);
    const search = { ...context, signal };
    try {
      for await (const { reference, root } of this.#content.similar?.({ signal }) ?? []) {
        if (await this.#hasOurs(root, search)) return { reference, tried };
        tried.push(reference);
      }
    } catch {
      context.signal.throwIfAborted();
    }
    return { reference: undefined, tried };
  }

  async #hasOurs(root: Manifest, context: Context): Promise<boolean> {
    const wanted = wantedOf(context);
    if (root.kind === 'index')
      return root.manifests.some(({ platform }) => platform !== undefined && isForAny(platform, wanted));
    return (await new PlatformSearch(this.#content, context).findFirst(root, wanted)) !== undefined;
  }
}

interface ReadConfig {
  readonly configText: string;
  readonly config: ConfigFile;
}

interface Found extends ReadConfig {
  readonly manifest: ImageManifest;
}

/** A depth-first search through indexes for an image that runs on our machine. */
class PlatformSearch {
  readonly #content: Content;
  readonly #context: Context;
  /** The platforms that indexes name, and those of images that were looked at. */
  readonly #named: Platform[] = [];
  readonly #read: Platform[] = [];
  /** What was read, by its digest. */
  readonly #manifests = new Map<Digest, Promise<Manifest>>();
  readonly #configs = new Map<Digest, Promise<ReadConfig>>();

  constructor(content: Content, context: Context) {
    this.#content = content;
    this.#context = context;
  }

  get offered(): Platform[] {
    return [...this.#named, ...this.#read];
  }

  /** The platforms to name when no image is for one of these processors, even if an index says so. */
  insteadOf(wanted: readonly Architecture[]): Platform[] {
    return [...this.#named.filter((platform) => !isForAny(platform, wanted)), ...this.#read];
  }

  /** Whether an image for one of these processors is there, as far as is known. */
  offers(architectures: readonly Architecture[]): boolean {
    return this.offered.some((platform) => isForAny(platform, architectures));
  }

  /** Finds an image for the first of the processors that there is one for. */
  async findFirst(root: Manifest, wanted: readonly Architecture[]): Promise<Found | undefined> {
    for (const architecture of wanted) {
      const found = await this.#find(root, architecture, 0);
      if (found) return found;
    }
    return undefined;
  }

  async #find(manifest: Manifest, wanted: Architecture, depth: number): Promise<Found | undefined> {
    if (manifest.kind === 'image') return this.#check(manifest, wanted);
    if (depth > MAX_DEPTH) throw new ImageError(`indexes within indexes, over ${MAX_DEPTH} deep`);
    const { manifests } = manifest;
    for (const { platform } of manifests) if (platform) this.#named.push(platform);
    for (const descriptor of inOrder(manifests, wanted)) {
      const found = await this.#find(await this.#load(descriptor), wanted, depth + 1);
      if (found) return found;
    }
    return undefined;
  }

  async #check(manifest: ImageManifest, wanted: Architecture): Promise<Found | undefined> {
    const read = await once(this.#configs, manifest.config.digest, () => this.#readConfig(manifest.config));
    const { platform } = read.config;
    this.#read.push(platform);
    return isFor(platform, wanted) ? { manifest, ...read } : undefined;
  }

  async #readConfig(descriptor: Descriptor): Promise<ReadConfig> {
    const source = this.#content.blob(descriptor, this.#context);
    const bytes = await readDocument(source, descriptor, 'the configuration');
    return { configText: new TextDecoder().decode(bytes), config: parseConfigFile(bytes) };
  }

  #load(descriptor: Descriptor): Promise<Manifest> {
    return once(this.#manifests, descriptor.digest, async () => {
      if (this.#manifests.size >= MAX_DOCUMENTS) throw new ImageError('too many manifests');
      const source = this.#content.manifest(descriptor, this.#context);
      const bytes = await readDocument(source, descriptor, 'the manifest');
      return parseManifest(bytes, descriptor.digest, descriptor.mediaType);
    });
  }
}

async function once<T>(read: Map<Digest, Promise<T>>, digest: Digest, load: () => Promise<T>): Promise<T> {
  const known = read.get(digest);
  if (known) return known;
  const loading = load();
  read.set(digest, loading);
  return loading;
}

/** The manifests that may be for a processor, the most promising first. */
function inOrder(manifests: readonly Descriptor[], wanted: Architecture): Descriptor[] {
  const suitable = manifests.filter(({ platform }) => platform && isFor(platform, wanted));
  return [...suitable, ...manifests.filter(({ platform }) => !platform)];
}

async function readDocument(source: Bytes, { size, digest }: Descriptor, what: string): Promise<Uint8Array> {
  if (size > MAX_DOCUMENT) throw new ImageError(`${what} is larger than ${MAX_DOCUMENT} bytes`);
  const bytes = await collect(source, size, what);
  await verifyDigest(bytes, digest, what);
  return bytes;
}

/** The processors of images that will do, the best first. */
function wantedOf({ architecture }: Context): readonly Architecture[] {
  return architecture === undefined ? ARCHITECTURES : [architecture];
}

function isFor({ os, architecture, variant }: Platform, wanted: Architecture): boolean {
  if (os !== OS || architectureOf(architecture) !== wanted) return false;
  return variant === undefined || VARIANTS[wanted].test(variant);
}

function isForAny(platform: Platform, wanted: readonly Architecture[]): boolean {
  return wanted.some((architecture) => isFor(platform, architecture));
}

/** The processors that are taken rather than that of this platform. */
function betterThan(platform: Platform): readonly Architecture[] {
  return ARCHITECTURES.slice(
    0,
    ARCHITECTURES.findIndex((architecture) => isFor(platform, architecture)),
  );
}

/** A reference that has an image for our machine, if one was found, and others that have none. */
interface Alternative {
  readonly reference: string | undefined;
  readonly tried: readonly string[];
}

/** Names the platforms that there are, and what to use instead. */
export function platformError(
  reference: string,
  wanted: readonly Architecture[],
  offered: readonly Platform[],
  { reference: other, tried }: Alternative = { reference: undefined, tried: [] },
): ImageError {
  const list = listOf(platformNames(offered)) || 'nothing that says what it is for';
  const tags = tried.map((reference) => reference.slice(reference.lastIndexOf(':') + 1));
  const advice = other
    ? `: ${other} has one`
    : tags.length > 0
      ? `; nor have the similar tags ${tags.join(', ')}`
      : '';
  const names = wanted
    .map(platformOf)
    .join(', ')
    .replace(/, (?=[^,]*$)/, ' or ');
  const message = `${reference} has no image for ${names}; it offers ${list}${advice}`;
  return new ImageError(message, 'platform', { choices: other ? [other] : [] });
}

function listOf(names: readonly string[]): string {
  const others = names.length - MAX_NAMED;
  return [...names.slice(0, MAX_NAMED), ...(others > 0 ? [`${others} others`] : [])].join(', ');
}

/** @throws ImageError unless an image of this platform will do */
export function checkPlatform(reference: string, platform: Platform, context: Context): void {
  const wanted = wantedOf(context);
  if (!isForAny(platform, wanted)) throw platformError(reference, wanted, [platform]);
}
