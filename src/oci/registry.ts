/** A client for pulling by the OCI distribution specification. */

import { isLoopback } from './address.ts';
import type { Bytes } from './bytes.ts';
import type { Context } from './context.ts';
import { type Digest, digestOf, isDigest, verifyDigest } from './digest.ts';
import { ImageError } from './errors.ts';
import {
  type Answer,
  type Fetch,
  HttpClient,
  parseRetryAfter,
  statusError,
  type Timing,
  TransientError,
} from './http.ts';
import { asObject, asStrings, parseJson } from './json.ts';
import { ACCEPTED_TYPES, type Descriptor, MAX_DOCUMENT, type Manifest, parseManifest } from './manifest.ts';
import { rankTags } from './nearest-tag.ts';
import { POLICY_CODE } from './proxied-fetch.ts';
import { formatReference, isTag, type RegistryReference } from './reference.ts';
import { type Credentials, type FindCredentials, RegistryAuth } from './registry-auth.ts';
import type { Content, Similar } from './resolve.ts';

export interface RegistryOptions {
  readonly fetch: Fetch;
  /** The user's credentials for this registry, or how to find them. */
  readonly credentials?: Credentials | FindCredentials | undefined;
  readonly timing?: Partial<Timing> | undefined;
  /** Where the registry is; by default at the name in the reference. */
  readonly origin?: string | undefined;
}

export const DOCKER_HUB = 'docker.io';
const DOCKER_HUB_HOST = 'registry-1.docker.io';

const PARALLEL = 3;
const TAGS_OF_A_PAGE = 1000;
const TAG_PAGES = 5;
/** Registries limit how many manifests an address may ask for. */
const SIMILAR_TAGS = 5;

export class Registry implements Content {
  readonly reference: string;
  readonly parallel = PARALLEL;
  readonly #image: RegistryReference;
  readonly #base: URL;
  readonly #http: HttpClient;
  readonly #auth: RegistryAuth;

  constructor(image: RegistryReference, { fetch, credentials, timing, origin }: RegistryOptions) {
    this.reference = formatReference(image);
    this.#image = image;
    const registry = origin === undefined ? registryUrl(image.registry) : new URL(origin);
    this.#base = new URL(`/v2/${image.repository}/`, registry);
    this.#http = new HttpClient(fetch, timing);
    const find = typeof credentials === 'function' ? credentials : async () => credentials;
    this.#auth = new RegistryAuth(this.#http, registry, image.repository, find);
  }

  root(context: Context): Promise<Manifest> {
    const { digest, tag = '' } = this.#image;
    return this.#root(digest ?? tag, digest, context);
  }

  async #root(name: string, digest: Digest | undefined, context: Context): Promise<Manifest> {
    const { bytes, type, claimed } = await this.#http.retry(async () => {
      const answer = await this.#get(`manifests/${name}`, { accept: ACCEPTED_TYPES }, context);
      return {
        bytes: await answer.bytes(MAX_DOCUMENT, 'the manifest'),
        type: answer.headers.get('content-type')?.split(';')[0]?.trim(),
        claimed: answer.headers.get('docker-content-digest'),
      };
    }, context);
    const expected = digest ?? (isDigest(claimed) ? claimed : undefined);
    if (expected) await verifyDigest(bytes, expected, 'the manifest');
    const actual: Digest = expected ?? (await digestOf(bytes));
    return parseManifest(bytes, actual, type);
  }

  async *similar(context: Context): AsyncGenerator<Similar, void, void> {
    const { tag = '' } = this.#image;
    for (const similar of rankTags(await this.#tags(context), tag, SIMILAR_TAGS)) {
      const reference = formatReference({ ...this.#image, tag: similar, digest: undefined });
      yield { reference, root: await this.#root(similar, undefined, context) };
    }
  }

  /** Lists the tags, or the first ones of very many. */
  async #tags(context: Context): Promise<string[]> {
    const tags = new Set<string>();
    let last = '';
    for (let page = 0; page < TAG_PAGES; page++) {
      const path = `tags/list?n=${TAGS_OF_A_PAGE}${last === '' ? '' : `&last=${last}`}`;
      const answer = await this.#get(path, { accept: 'application/json' }, context);
      const list = asObject(
        parseJson(await answer.bytes(MAX_DOCUMENT, 'the list of tags'), 'the list of tags'),
        'the list of tags',
      );
      const found = asStrings(list.tags, '"tags"').filter(isTag);
      for (const tag of found) tags.add(tag);
      const [next = ''] = found.slice(-1);
      // Some registries send all tags at once, and others the same page again.
      if (found.length < TAGS_OF_A_PAGE || next === last) break;
      last = next;
    }
    return [...tags];
  }

  manifest(descriptor: Descriptor, context: Context): Bytes {
    return this.#download(`manifests/${descriptor.digest}`, descriptor, context);
  }

  blob(descriptor: Descriptor, context: Context): Bytes {
    return this.#download(`blobs/${descriptor.digest}`, descriptor, context);
  }

  position(): number {
    return 0;
  }

  #download(path: string, { mediaType, size }: Descriptor, context: Context): Bytes {
    const open = (offset: number) => {
      const headers: Record<string, string> = { accept: `${mediaType}, */*` };
      if (offset > 0) headers.range = `bytes=${offset}-`;
      return this.#get(path, headers, context);
    };
    return this.#http.download(open, size, context);
  }

  /** @returns an answer with content */
  async #get(path: string, headers: Record<string, string>, context: Context): Promise<Answer> {
    const url = new URL(path, this.#base).href;
    for (let signedIn = false; ; signedIn = true) {
      const { header } = this.#auth;
      const sent: Record<string, string> = { ...headers, 'accept-encoding': 'identity' };
      if (header) sent.authorization = header;
      const answer = await this.#http.get(url, sent, context);
      if (answer.status === 200 || answer.status === 206) return answer;
      const error = await this.#error(answer, path);
      const isOurs = answer.host === this.#base.host;
      if (answer.status !== 401 || signedIn || !isOurs) throw error;
      const challenge = answer.headers.get('www-authenticate');
      if (!(await this.#auth.renew(header, challenge, context))) throw error;
    }
  }

  async #error(answer: Answer, path: string): Promise<ImageError> {
    const { registry } = this.#image;
    switch (answer.status) {
      case 401:
      case 403: {
        const { code, text } = await answer.explanation();
        if (code === POLICY_CODE) return new ImageError(text, 'policy');
        const why = text ? ` (${text})` : '';
        // Registries do not say which private repositories exist.
        const message = `${this.reference} does not exist, or ${registry} wants (other) credentials for it${why}`;
        return new ImageError(message, 'denied');
      }
      case 404:
        answer.cancel();
        if (path.startsWith('blobs/')) return new ImageError(`${registry} lacks a part of ${this.reference}`);
        return new ImageError(
          `${registry} has no image ${this.reference}: check its name and tag`,
          'not-found',
        );
      case 416:
        answer.cancel();
        return new ImageError(`a part of ${this.reference} is shorter than its manifest says`);
      case 429:
        answer.cancel();
        return this.#rateLimit(answer.headers);
      default:
        return statusError(answer, this.reference);
    }
  }

  #rateLimit(headers: Answer['headers']): TransientError {
    const { registry } = this.#image;
    const wait = parseRetryAfter(headers.get('retry-after'));
    const limit =
      registry === DOCKER_HUB
        ? 'Docker Hub lets each address pull a limited number of images in some hours, more when signed in'
        : `${registry} limits how many requests it answers`;
    const [, count, seconds] = /^(\d+);w=(\d+)$/.exec(headers.get('ratelimit-limit') ?? '') ?? [];
    const figures = count ? ` (here ${count} in ${duration(Number(seconds) * 1000)})` : '';
    const when = wait === undefined ? 'later' : `in ${duration(wait)}`;
    const message = `too many requests: ${limit}${figures}. Try again ${when}, or with a user name and password`;
    return new TransientError(message, 'rate-limit', wait);
  }
}

/** Docker's rule: https, except for registries on this machine. */
export function registryUrl(registry: string): URL {
  const host = registry === DOCKER_HUB ? DOCKER_HUB_HOST : registry;
  const url = new URL(`https://${host}/`);
  return isLoopback(url.hostname) ? new URL(`http://${host}/`) : url;
}

function duration(ms: number): string {
  const minutes = ms / 60_000;
  if (minutes < 1) return `${Math.ceil(ms / 1000)} s`;
  return minutes < 90 ? `${Math.ceil(minutes)} min` : `${Math.round(minutes / 60)} h`;
}
