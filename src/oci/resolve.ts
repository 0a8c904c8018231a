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
const ARCHITECTURE = 'riscv64';
/** The profile that plain riscv64 means. Our hart lacks parts of the later profiles. */
const VARIANT = 'rva20u64';

/** The longest search for another reference, in ms. */
const PATIENCE = 8000;
const MAX_DEPTH = 4;
const MAX_DOCUMENTS = 64;

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
    return root.kind === 'image' ? root.digest : inOrder(root.manifests)[0]?.digest;
  }

  async resolve(context: Context): Promise<ResolvedImage> {
    const search = new PlatformSearch(this.#content, context);
    const found = await search.find(await this.#readRoot(context), 0);
    if (!found) throw platformError(this.reference, search.offered, await this.#alternative(context));
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
    return { digest: manifest.digest, configText, config, platforms, layers, parallel };
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
    try {
      for await (const { reference, root } of this.#content.similar?.({ signal }) ?? []) {
        if (await this.#hasOurs(root, { signal })) return { reference, tried };
        tried.push(reference);
      }
    } catch {
      context.signal.throwIfAborted();
    }
    return { reference: undefined, tried };
  }

  async #hasOurs(root: Manifest, context: Context): Promise<boolean> {
    if (root.kind === 'index')
      return root.manifests.some(({ platform }) => platform !== undefined && runsOnUs(platform));
    return (await new PlatformSearch(this.#content, context).find(root, 0)) !== undefined;
  }
}

interface Found {
  readonly manifest: ImageManifest;
  readonly configText: string;
  readonly config: ConfigFile;
}

/** A depth-first search through indexes for the first image that runs on our machine. */
class PlatformSearch {
  /** The platforms that were found instead. */
  readonly offered: Platform[] = [];
  readonly #content: Content;
  readonly #context: Context;
  #documents = 0;

  constructor(content: Content, context: Context) {
    this.#content = content;
    this.#context = context;
  }

  async find(manifest: Manifest, depth: number): Promise<Found | undefined> {
    if (manifest.kind === 'image') return this.#check(manifest);
    if (depth > MAX_DEPTH) throw new ImageError(`indexes within indexes, over ${MAX_DEPTH} deep`);
    const { manifests } = manifest;
    for (const { platform } of manifests) if (platform && !runsOnUs(platform)) this.offered.push(platform);
    for (const descriptor of inOrder(manifests)) {
      const found = await this.find(await this.#load(descriptor), depth + 1);
      if (found) return found;
    }
    return undefined;
  }

  async #check(manifest: ImageManifest): Promise<Found | undefined> {
    const bytes = await readDocument(
      this.#content.blob(manifest.config, this.#context),
      manifest.config,
      'the configuration',
    );
    const config = parseConfigFile(bytes);
    if (runsOnUs(config.platform)) return { manifest, configText: new TextDecoder().decode(bytes), config };
    this.offered.push(config.platform);
    return undefined;
  }

  async #load(descriptor: Descriptor): Promise<Manifest> {
    if (++this.#documents > MAX_DOCUMENTS) throw new ImageError('too many manifests');
    const source = this.#content.manifest(descriptor, this.#context);
    const bytes = await readDocument(source, descriptor, 'the manifest');
    return parseManifest(bytes, descriptor.digest, descriptor.mediaType);
  }
}

/** The manifests that may be for our machine, the most promising first. */
function inOrder(manifests: readonly Descriptor[]): Descriptor[] {
  const suitable = manifests.filter(({ platform }) => platform && runsOnUs(platform));
  return [...suitable, ...manifests.filter(({ platform }) => !platform)];
}

async function readDocument(source: Bytes, { size, digest }: Descriptor, what: string): Promise<Uint8Array> {
  if (size > MAX_DOCUMENT) throw new ImageError(`${what} is larger than ${MAX_DOCUMENT} bytes`);
  const bytes = await collect(source, size, what);
  await verifyDigest(bytes, digest, what);
  return bytes;
}

function runsOnUs({ os, architecture, variant }: Platform): boolean {
  return os === OS && architecture === ARCHITECTURE && (variant === undefined || variant === VARIANT);
}

/** A reference that has an image for our machine, if one was found, and others that have none. */
interface Alternative {
  readonly reference: string | undefined;
  readonly tried: readonly string[];
}

/** Names the platforms that there are, and what to use instead. */
export function platformError(
  reference: string,
  offered: readonly Platform[],
  { reference: other, tried }: Alternative = { reference: undefined, tried: [] },
): ImageError {
  const list = platformNames(offered).join(', ') || 'nothing that says what it is for';
  const tags = tried.map((reference) => reference.slice(reference.lastIndexOf(':') + 1));
  const advice = other
    ? `: ${other} has one`
    : tags.length > 0
      ? `; nor have the similar tags ${tags.join(', ')}`
      : '';
  const message = `${reference} has no image for ${OS}/${ARCHITECTURE}; it offers ${list}${advice}`;
  return new ImageError(message, 'platform', { choices: other ? [other] : [] });
}

/** @throws ImageError unless an image of this platform runs on our machine */
export function checkPlatform(reference: string, platform: Platform): void {
  if (!runsOnUs(platform)) throw platformError(reference, [platform]);
}
