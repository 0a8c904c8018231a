/**
 * Image references as the user writes them. Registry names follow Docker's rules (the grammar of
 * distribution/reference). `oci://` and `file://` name a path, percent-encoded as in a URL. A colon and a
 * name after it choose one of several images.
 */

import { clean } from '../text/message.ts';
import { type Digest, isDigest } from './digest.ts';
import { ImageError } from './errors.ts';

export interface RegistryReference {
  readonly scheme: 'docker';
  /** The host, with its port if it has one, such as `docker.io`. */
  readonly registry: string;
  /** Such as `library/alpine`. */
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

export interface PathReference {
  /** `oci`: a folder that is an OCI image layout; `file`: an archive. */
  readonly scheme: 'oci' | 'file';
  readonly path: string;
  readonly image: ImageName;
}

/** Chooses one of several images in one place. A missing part does not restrict the choice. */
export interface ImageName {
  /** A tag, or a whole name with a tag. */
  readonly name?: string | undefined;
  /** Its digest, if the reference has one. */
  readonly digest?: Digest | undefined;
}

export type Reference = RegistryReference | PathReference;

const DEFAULT_REGISTRY = 'docker.io';
const DEFAULT_TAG = 'latest';
const MAX_NAME = 255;

const LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const REGISTRY = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;

/** @throws ImageError of kind `reference` */
export function parseReference(text: string): Reference {
  const trimmed = text.trim();
  if (trimmed === '') throw new ImageError('the image reference is empty', 'reference');
  const [, scheme, rest = ''] = /^([a-zA-Z][a-zA-Z0-9+-]*):\/\/(.*)$/s.exec(trimmed) ?? [];
  switch (scheme?.toLowerCase()) {
    case undefined:
      return parseName(trimmed);
    case 'docker':
      return parseName(rest);
    case 'oci':
      return parsePath('oci', rest);
    case 'file':
      return parsePath('file', rest);
    default:
      throw invalid(trimmed, `unknown scheme "${clean(scheme ?? '')}": use docker://, oci:// or file://`);
  }
}

/** The reference of one image of a canonical reference's repository, whatever its tags mean by now. */
export function atDigest(reference: string, digest: string): string {
  const [repository] = reference.split(/:[^/]*$|@/);
  return `${repository}@${digest}`;
}

/** Returns the canonical spelling of a reference: one for all references to the same image. */
export function formatReference(reference: Reference): string {
  if (reference.scheme === 'docker') {
    const { registry, repository, tag, digest } = reference;
    return `${registry}/${repository}${tag ? `:${tag}` : ''}${digest ? `@${digest}` : ''}`;
  }
  const { scheme, path, image } = reference;
  const encoded = path.replace(/[%:@\p{C}]/gu, encodeURIComponent);
  return `${scheme}://${encoded}${image.name ? `:${image.name}` : ''}${image.digest ? `@${image.digest}` : ''}`;
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}

function parseName(text: string): RegistryReference {
  const { before, digest } = splitDigest(text);
  if (before.includes('@')) throw invalid(text, 'the text after "@" is not a sha256 or sha512 digest');
  const colon = before.lastIndexOf(':');
  const tagged = colon > before.lastIndexOf('/');
  const name = tagged ? before.slice(0, colon) : before;
  const tag = tagged ? before.slice(colon + 1) : undefined;

  if (/^[a-f0-9]{64}$/.test(name)) throw invalid(text, 'a bare image ID names no image of a registry');
  const { registry, repository } = splitRegistry(name);
  if (!REGISTRY.test(registry)) throw invalid(text, `"${clean(registry)}" is not a host name`);
  for (const component of repository.split('/')) {
    if (component === '') throw invalid(text, 'a part of the name is empty');
    if (component.toLowerCase() !== component) throw invalid(text, 'the name must be in lower case');
    if (!COMPONENT.test(component)) throw invalid(text, `"${clean(component)}" is not a name`);
  }
  if (registry.length + 1 + repository.length > MAX_NAME)
    throw invalid(text, `the name is longer than ${MAX_NAME} characters`);
  if (tag !== undefined && !isTag(tag)) throw invalid(text, `"${clean(tag)}" is not a tag`);
  return { scheme: 'docker', registry, repository, tag: digest ? tag : (tag ?? DEFAULT_TAG), digest };
}

/** The part before the first slash is a registry if it cannot be part of a name on Docker Hub. */
function splitRegistry(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isHost = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  let registry = isHost ? first : DEFAULT_REGISTRY;
  let repository = isHost ? name.slice(slash + 1) : name;
  if (registry === 'index.docker.io') registry = DEFAULT_REGISTRY;
  if (registry === DEFAULT_REGISTRY && !repository.includes('/')) repository = `library/${repository}`;
  return { registry, repository };
}

function parsePath(scheme: 'oci' | 'file', text: string): PathReference {
  const { before, digest } = splitDigest(text);
  // A colon after a drive letter is part of the path.
  const [, encoded = '', name] = /^([a-zA-Z]:(?=[\\/])[^:]*|[^:]*)(?::(.*))?$/s.exec(before) ?? [];
  const where = `${scheme}://${text}`;
  if (encoded === '') throw invalid(where, 'the path is missing');
  if (name === '') throw invalid(where, 'the tag is missing after the colon');
  return { scheme, path: decodePath(encoded, where), image: { name, digest } };
}

function decodePath(encoded: string, where: string): string {
  try {
    const path = decodeURIComponent(encoded);
    if (!path.includes('\0')) return path;
  } catch {
    // Falls through to the same error.
  }
  throw invalid(where, 'the path is not percent-encoded well (write %25 for a percent sign)');
}

/** Finds the digest after the last `@`, if there is one: a path may contain that character too. */
function splitDigest(text: string): { before: string; digest: Digest | undefined } {
  const at = text.lastIndexOf('@');
  const digest = text.slice(at + 1);
  return at >= 0 && isDigest(digest)
    ? { before: text.slice(0, at), digest }
    : { before: text, digest: undefined };
}

function invalid(text: string, why: string): ImageError {
  return new ImageError(`"${clean(text)}" is not an image reference: ${why}`, 'reference');
}
