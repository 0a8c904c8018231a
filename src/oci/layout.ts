/** The OCI image layout: blobs by digest in a folder, and an index of what they are (image-layout.md). */
import type { Bytes } from './bytes.ts';
import type { Context } from './context.ts';
import { algorithmOf, type Digest, verifyDigest } from './digest.ts';
import { ImageError } from './errors.ts';
import type { Folder } from './folder.ts';
import { asObject, parseJson } from './json.ts';
import { type Descriptor, MAX_DOCUMENT, type Manifest, parseIndex, parseManifest } from './manifest.ts';
import { formatReference, type ImageName, parseReference } from './reference.ts';
import type { Content } from './resolve.ts';

export const INDEX_FILE = 'index.json';

/** The tag, or another name that the tool gave the image. */
export const TAG_ANNOTATION = 'org.opencontainers.image.ref.name';
/** The most names of images that an error holds. */
const MAX_CHOICES = 100;
/** The whole name, as containerd and Docker write it. */
export const NAME_ANNOTATION = 'io.containerd.image.name';

export class Layout implements Content {
  readonly reference: string;
  readonly #folder: Folder;
  readonly #image: ImageName;

  /** @param reference the canonical reference of the image in the folder */
  constructor(reference: string, folder: Folder, image: ImageName) {
    this.reference = reference;
    this.#folder = folder;
    this.#image = image;
  }

  get parallel(): number {
    return this.#folder.parallel;
  }

  async root(context: Context): Promise<Manifest> {
    const bytes = await this.#folder.readFile(INDEX_FILE, MAX_DOCUMENT, context).catch((error) => {
      if (!(error instanceof ImageError) || error.kind !== 'not-found') throw error;
      throw new ImageError(`no OCI image layout is there: ${error.message}`, 'not-found', { cause: error });
    });
    const index = parseIndex(asObject(parseJson(bytes, INDEX_FILE), INDEX_FILE));
    const { digest } = this.#image;
    const listed = digest === undefined || index.manifests.some((manifest) => manifest.digest === digest);
    if (!listed) return this.#unlisted(digest, context);
    return { kind: 'index', manifests: selectImage(index.manifests, this.#image, this.reference) };
  }

  manifest(descriptor: Descriptor, context: Context): Bytes {
    return this.blob(descriptor, context);
  }

  blob({ digest, size }: Descriptor, context: Context): Bytes {
    return this.#folder.stream(blobPath(digest), size, context);
  }

  position({ digest }: Descriptor): number {
    return this.#folder.position(blobPath(digest));
  }

  /** Reads a manifest that another index names. */
  async #unlisted(digest: Digest, context: Context): Promise<Manifest> {
    const bytes = await this.#folder.readFile(blobPath(digest), MAX_DOCUMENT, context);
    await verifyDigest(bytes, digest, 'the manifest');
    return parseManifest(bytes, digest);
  }
}

/** Where a blob is in the folder. */
export function blobPath(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${digest.slice(digest.indexOf(':') + 1)}`;
}

/** Returns the manifests that the user means: several if each is for another platform. */
function selectImage(
  manifests: readonly Descriptor[],
  { name, digest }: ImageName,
  reference: string,
): readonly Descriptor[] {
  const matching = manifests.filter(
    (manifest) =>
      (digest === undefined || manifest.digest === digest) &&
      (name === undefined || namesOf(manifest).some((given) => isSameName(given, name))),
  );
  const [first] = matching;
  if (!first) throw unknownImage(reference, manifests.map(nameOf));
  const names = new Set(matching.map((manifest) => namesOf(manifest).join()));
  if (names.size > 1 && new Set(matching.map((manifest) => manifest.digest)).size > 1)
    throw ambiguousImage(reference, matching.map(nameOf));
  return matching;
}

/** Returns what names an image and no other. */
function nameOf(manifest: Descriptor): ImageName {
  const [name] = namesOf(manifest);
  return name === undefined ? { digest: manifest.digest } : { name };
}

function namesOf({ annotations }: Descriptor): string[] {
  const names = [annotations[NAME_ANNOTATION], annotations[TAG_ANNOTATION]];
  return names.filter((name) => typeof name === 'string');
}

/** Whether a name in a layout or archive equals the user's, after Docker's rules complete both. */
export function isSameName(given: string, wanted: string): boolean {
  return given === wanted || (isFullName(given) && canonicalName(given) === canonicalName(wanted));
}

/** Returns undefined for a tag, which names no image by itself. */
function isFullName(name: string): boolean {
  return /[/:]/.test(name);
}

function canonicalName(name: string): string | undefined {
  try {
    return formatReference(parseReference(name));
  } catch {
    return undefined;
  }
}

/** @param images what names each image that is there */
export function unknownImage(reference: string, images: readonly ImageName[]): ImageError {
  const choices = choicesOf(reference, images);
  return new ImageError(
    `there is no image ${reference}${choices.length > 0 ? ', but others' : ''}`,
    'not-found',
    {
      choices,
    },
  );
}

/** @param images what names each image that could be meant */
export function ambiguousImage(reference: string, images: readonly ImageName[]): ImageError {
  const choices = choicesOf(reference, images);
  const message = `${reference} holds several images: add a colon and the name of one`;
  return new ImageError(message, 'reference', { choices });
}

function choicesOf(reference: string, images: readonly ImageName[]): string[] {
  const place = parseReference(reference);
  if (place.scheme === 'docker') return [];
  const choices = images.filter(isReadable).map((image) => formatReference({ ...place, image }));
  return [...new Set(choices)].slice(0, MAX_CHOICES);
}

/** Whether a name from outside is the same when it is read as a part of a reference. */
function isReadable({ name = '', digest }: ImageName): boolean {
  if (name === '') return digest !== undefined;
  if (/[\p{C}\p{Zl}\p{Zp}]|^\s|\s$/u.test(name)) return false;
  const read = parseReference(`oci://x:${name}`);
  return read.scheme === 'oci' && read.image.name === name;
}
