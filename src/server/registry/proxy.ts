/**
 * The registry proxy for browsers, because registries let no page of another origin read from them. It
 * answers GET and HEAD of manifests, blobs and lists of tags at `/registry/HOST/v2/…`, with the paths of the
 * OCI distribution specification.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import { collect } from '../../oci/bytes.ts';
import { algorithmOf, type Digest, isDigest } from '../../oci/digest.ts';
import { ImageError } from '../../oci/errors.ts';
import { ACCEPTED_TYPES } from '../../oci/manifest.ts';
import { CREDENTIALS_HEADER, PROXY_HEADER } from '../../oci/proxied-fetch.ts';
import { DOCKER_HUB, registryUrl } from '../../oci/registry.ts';
import { clientOf, senderOf } from '../client-key.ts';
import { QuotaError, Quotas } from '../quotas.ts';
import { parseRange } from '../static.ts';
import { type CachedFile, FileCache } from './cache.ts';
import { discard, RegistryClient } from './client.ts';
import { Deadline } from './deadline.ts';
import { badGateway, brokenOff, notAllowed, ProxyError, toAllow } from './errors.ts';
import { forward, toBody } from './forward.ts';
import { DEFAULT_LIMITS, type ProxyLimits, type RegistryProxyOptions } from './options.ts';
import { type Found, outOfRange, rateLimited, refusal, tooLarge } from './refusals.ts';
import { DEFAULT_REGISTRIES, Registries } from './registries.ts';
import { parseRequest, type RegistryRequest } from './request.ts';
import { Upstream } from './upstream.ts';

/** The path of the proxy. */
export const REGISTRY_PATH = '/registry';

const CREDENTIALS = /^(?:Basic|Bearer) [\x21-\x7e]{1,8192}$/i;
const RANGE = /^bytes=(?:\d{1,15}-\d{0,15}|-\d{1,15})$/;
// No registry may have its bytes shown as a page of this server.
const DOCUMENT_TYPE = /^application\/(?:json|vnd\.[\w.+-]+)$/;
/** The type of other documents. Their digest decides, not their type, as when no proxy is between. */
const OTHER_TYPE = 'application/octet-stream';

/** The headers of every answer. Isolated pages of our origin may read it; pages of other origins may not. */
const HEADERS = {
  'Cross-Origin-Resource-Policy': 'same-origin',
  [PROXY_HEADER]: 'registry/2.0',
  'X-Content-Type-Options': 'nosniff',
  Vary: CREDENTIALS_HEADER,
};

/** One request on its way through the proxy. */
interface Job {
  readonly method: 'GET' | 'HEAD';
  readonly request: RegistryRequest;
  readonly credentials: string | undefined;
  readonly range: string | undefined;
  readonly deadline: Deadline;
  /** Frees the request's place. Further calls do nothing. */
  readonly end: () => void;
}

interface Document {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly answer: IncomingMessage;
}

export class RegistryProxy {
  readonly #registries: Registries;
  readonly #mirror: URL | undefined;
  readonly #upstream: Upstream;
  readonly #client: RegistryClient;
  readonly #cache: FileCache | undefined;
  readonly #quotas: Quotas;
  readonly #limits: ProxyLimits;
  readonly #trustProxy: boolean;

  private constructor(options: RegistryProxyOptions, cache: FileCache | undefined) {
    const { registries = DEFAULT_REGISTRIES, mirror } = options;
    this.#mirror = mirror === undefined ? undefined : new URL(mirror);
    this.#registries = new Registries(this.#mirror ? [...registries, this.#mirror.host] : registries);
    this.#upstream = new Upstream(options);
    this.#client = new RegistryClient(this.#upstream, this.#registries);
    this.#cache = cache;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#quotas = new Quotas(this.#limits);
    this.#trustProxy = options.trustProxy ?? false;
  }

  /** @throws Error when an option is wrong or the folder of the cache cannot be used */
  static async open(options: RegistryProxyOptions = {}): Promise<RegistryProxy> {
    const { cache } = options;
    return new RegistryProxy(options, cache && (await FileCache.open(cache.folder, cache.capacity)));
  }

  close(): void {
    this.#upstream.close();
  }

  /** Answers any request below `REGISTRY_PATH`. */
  readonly handle = async (context: Context): Promise<Response> => {
    try {
      return await this.#admit(context);
    } catch (error) {
      if (error instanceof ProxyError) return error.toResponse(HEADERS);
      throw error;
    }
  };

  async #admit(context: Context): Promise<Response> {
    const { raw } = context.req;
    const admitted = this.#check(raw);
    const leave = this.#enter(context);
    const { total, answer } = this.#limits;
    const { host } = admitted.request.registry;
    const deadline = new Deadline(raw.signal, total, tooSlow('the download takes too long: try again'));
    deadline.set(answer, tooSlow(`${host} does not answer: try again later`));
    const end = () => {
      deadline.clear();
      leave();
    };
    try {
      return await this.#answer({ ...admitted, deadline, end });
    } catch (error) {
      end();
      const isOfMirror = error instanceof ProxyError && admitted.request.registry === this.#mirror;
      throw isOfMirror ? error.at(`Docker Hub's mirror ${this.#mirror?.origin}`) : error;
    }
  }

  /**
   * Reads a request that this server may answer.
   * @throws ProxyError
   */
  #check({ method, headers, url }: Request): Pick<Job, 'method' | 'request' | 'credentials' | 'range'> {
    if (method !== 'GET' && method !== 'HEAD')
      throw new ProxyError(405, 'UNSUPPORTED', 'images can only be read', { Allow: 'GET, HEAD' });
    // Another page cannot read the answer, but could use up the registries' limits for this server. Previews
    // are pages of the same site.
    if (/^(cross|same)-site$/.test(headers.get('Sec-Fetch-Site') ?? ''))
      throw new ProxyError(403, 'DENIED', 'only pages of this server may use it');
    const credentials = headers.get(CREDENTIALS_HEADER) ?? undefined;
    if (credentials !== undefined && !CREDENTIALS.test(credentials))
      throw new ProxyError(400, 'UNAUTHORIZED', `${CREDENTIALS_HEADER} must be Basic or Bearer credentials`);
    const { pathname, search } = new URL(url);
    const request = parseRequest(pathname.slice(REGISTRY_PATH.length), search);
    const { host } = request.registry;
    if (!this.#registries.has(host))
      throw notAllowed(`this server does not fetch images from ${host}; ${toAllow(host)}`);
    const range = headers.get('Range') ?? '';
    return { method, ...this.#mirrored(request, credentials), range: RANGE.test(range) ? range : undefined };
  }

  /** Sends requests to Docker Hub to its mirror instead, but not the accounts of its users. */
  #mirrored(request: RegistryRequest, credentials: string | undefined): Pick<Job, 'request' | 'credentials'> {
    const { registry, url } = request;
    if (!this.#mirror || registry.origin !== registryUrl(DOCKER_HUB).origin) return { request, credentials };
    const mirrored = new URL(url.pathname + url.search, this.#mirror);
    return { request: { ...request, registry: this.#mirror, url: mirrored }, credentials: undefined };
  }

  #answer(job: Job): Promise<Response> {
    const { request } = job;
    if (request.kind === 'tags') return this.#tags(job);
    if (request.kind === 'blobs') return this.#blob(job, request.digest);
    return this.#manifest(job, request.digest);
  }

  async #tags(job: Job): Promise<Response> {
    const { bytes, answer } = await this.#document(job, await this.#ask(job, 'GET', 'application/json'));
    const headers: Record<string, string> = {
      'Content-Type': 'application/json',
      'Cache-Control': 'no-store',
    };
    const next = nextPage(answer.headers.link, job.request);
    if (next !== undefined) headers.Link = next;
    return this.#send(job, bytes, headers);
  }

  async #manifest(job: Job, wanted: Digest | undefined): Promise<Response> {
    // Docker Hub limits GET requests for manifests, but not HEAD requests, which give the digest of a tag.
    const digest = wanted ?? (await this.#digestOfTag(job));
    const cached = digest && (await this.#cachedManifest(job, digest));
    if (cached) return this.#sendManifest(job, cached, digest);

    // An index may give a manifest any type.
    const found = await this.#ask(job, 'GET', wanted ? `${ACCEPTED_TYPES}, */*` : ACCEPTED_TYPES);
    const document = await this.#document(job, found);
    const claimed = wanted ?? found.answer.headers['docker-content-digest'];
    const actual = hashOf(document.bytes, isDigest(claimed) ? algorithmOf(claimed) : 'sha256');
    if (isDigest(claimed) && claimed !== actual)
      throw badGateway(`${found.host} did not send ${claimed} but something else`);
    if (job.credentials === undefined) await this.#keepManifest(job, actual, document);
    return this.#sendManifest(job, document, actual);
  }

  #sendManifest(
    job: Job,
    { type, bytes }: Pick<Document, 'type' | 'bytes'>,
    digest: Digest,
  ): Promise<Response> {
    const headers = {
      'Content-Type': type,
      'Docker-Content-Digest': digest,
      'Cache-Control': job.request.digest ? caching(job) : 'no-store',
    };
    return this.#send(job, bytes, headers);
  }

  /** Returns undefined when the registry gives no digest. The GET request that follows says why. */
  async #digestOfTag(job: Job): Promise<Digest | undefined> {
    const { request, credentials, deadline } = job;
    const { signal } = deadline;
    const found = await this.#client
      .ask({ method: 'HEAD', request, accept: ACCEPTED_TYPES, credentials, signal })
      .catch((error) => {
        signal.throwIfAborted();
        if (error instanceof ProxyError) return undefined;
        throw error;
      });
    if (!found) return undefined;
    const { answer, host } = found;
    discard(answer);
    if (answer.statusCode === 429) throw rateLimited(host, answer.headers);
    const digest = answer.headers['docker-content-digest'];
    return answer.statusCode === 200 && isDigest(digest) ? digest : undefined;
  }

  /** A cached manifest follows its media type and a line feed. */
  async #cachedManifest(
    { request }: Job,
    digest: Digest,
  ): Promise<Pick<Document, 'type' | 'bytes'> | undefined> {
    const key = manifestKey(request, digest);
    const file = await this.#cache?.find(key);
    if (!file) return undefined;
    const content = await file.handle.readFile().finally(() => file.handle.close());
    const end = content.indexOf('\n');
    const type = content.toString('latin1', 0, Math.max(end, 0));
    const bytes = new Uint8Array(content.subarray(end + 1));
    if ((DOCUMENT_TYPE.test(type) || type === OTHER_TYPE) && hashOf(bytes, algorithmOf(digest)) === digest)
      return { type, bytes };
    await this.#cache?.delete(key);
    return undefined;
  }

  async #keepManifest({ request }: Job, digest: Digest, { type, bytes }: Document): Promise<void> {
    const content = Buffer.concat([Buffer.from(`${type}\n`, 'latin1'), bytes]);
    const writer = await this.#cache?.create(manifestKey(request, digest), content.length);
    await writer?.write(content);
    await writer?.commit();
  }

  async #blob(job: Job, digest: Digest): Promise<Response> {
    const file = await this.#cache?.find(blobKey(digest));
    if (file) return this.#sendFile(job, file, digest);

    const { range, method, deadline, credentials } = job;
    const { answer, host } = await this.#ask(job, method, undefined, range);
    const length = this.#lengthOf(answer, host);
    const whole = answer.statusCode === 200;
    const headers = blobHeaders(job, digest, length);
    const part = answer.headers['content-range'];
    if (!whole && part !== undefined) headers['Content-Range'] = contentRange(part, host);
    if (method === 'HEAD') {
      discard(answer);
      return this.#sendNothing(job, headers, answer.statusCode);
    }
    const keep = whole && credentials === undefined && length !== undefined;
    const writer = keep ? await this.#cache?.create(blobKey(digest), length) : undefined;
    const { blob: limit, stall } = this.#limits;
    const checked = whole ? digest : undefined;
    const bytes = forward(answer, { host, length, limit, digest: checked, writer, stall, deadline });
    return new Response(toBody(bytes, deadline, job.end), { status: answer.statusCode ?? 200, headers });
  }

  async #sendFile(job: Job, { handle, size }: CachedFile, digest: Digest): Promise<Response> {
    const range = job.range === undefined ? undefined : parseRange(job.range, size);
    if (range === 'unsatisfiable') {
      await handle.close();
      throw outOfRange({ 'Content-Range': `bytes */${size}` });
    }
    const { start, end } = range ?? { start: 0, end: size - 1 };
    const length = end - start + 1;
    const headers = blobHeaders(job, digest, length);
    if (range) headers['Content-Range'] = `bytes ${start}-${end}/${size}`;
    const status = range ? 206 : 200;
    if (job.method === 'HEAD' || length === 0) {
      await handle.close();
      return this.#sendNothing(job, headers, status);
    }
    const { blob: limit, stall } = this.#limits;
    const { deadline } = job;
    const bytes = forward(handle.createReadStream({ start, end }), {
      host: 'the cache of this server',
      length,
      limit,
      digest: range ? undefined : digest,
      writer: undefined,
      stall,
      deadline,
    });
    return new Response(toBody(this.#dropDamaged(bytes, digest), deadline, job.end), { status, headers });
  }

  /** Drops a blob that the disk has damaged, so that the next request asks the registry again. */
  async *#dropDamaged(
    bytes: AsyncGenerator<Uint8Array>,
    digest: Digest,
  ): AsyncGenerator<Uint8Array, void, void> {
    try {
      yield* bytes;
    } catch (error) {
      if (error instanceof ProxyError) await this.#cache?.delete(blobKey(digest));
      throw error;
    }
  }

  async #send(job: Job, bytes: Uint8Array<ArrayBuffer>, headers: Record<string, string>): Promise<Response> {
    job.end();
    const body = job.method === 'HEAD' ? null : bytes;
    return new Response(body, {
      headers: { ...HEADERS, ...headers, 'Content-Length': String(bytes.length) },
    });
  }

  #sendNothing(job: Job, headers: Record<string, string>, status = 200): Response {
    job.end();
    return new Response(null, { status, headers });
  }

  /** @returns a successful answer */
  async #ask(job: Job, method: 'GET' | 'HEAD', accept?: string, range?: string): Promise<Found> {
    const { request, credentials, deadline } = job;
    const found = await this.#client.ask({
      method,
      request,
      accept,
      range,
      credentials,
      signal: deadline.signal,
    });
    const { statusCode } = found.answer;
    if (statusCode !== 200 && statusCode !== 206) throw await refusal(request, found);
    return found;
  }

  async #document(job: Job, { answer, host }: Found): Promise<Document> {
    const [given = ''] = (answer.headers['content-type'] ?? 'application/json').split(';');
    const type = given.trim().toLowerCase();
    const limit = this.#limits.document;
    if (Number(answer.headers['content-length'] ?? 0) > limit) {
      discard(answer);
      throw tooLarge(host, limit);
    }
    const bytes = await collect(answer, limit, 'the answer').catch((error) => {
      job.deadline.signal.throwIfAborted();
      throw error instanceof ImageError ? tooLarge(host, limit) : brokenOff(host);
    });
    return { type: DOCUMENT_TYPE.test(type) ? type : OTHER_TYPE, bytes: new Uint8Array(bytes), answer };
  }

  #lengthOf(answer: IncomingMessage, host: string): number | undefined {
    const { 'content-length': text } = answer.headers;
    if (text === undefined) return undefined;
    const length = Number(text);
    if (length <= this.#limits.blob) return length;
    discard(answer);
    throw tooLarge(host, this.#limits.blob);
  }

  /** @throws ProxyError */
  #enter(context: Context): () => void {
    try {
      return once(this.#quotas.enter(clientOf(senderOf(context), this.#trustProxy)));
    } catch (error) {
      throw error instanceof QuotaError ? tooMany(error) : error;
    }
  }
}

function blobHeaders(job: Job, digest: Digest, length: number | undefined): Record<string, string> {
  return {
    ...HEADERS,
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    'Accept-Ranges': 'bytes',
    'Cache-Control': caching(job),
    ...(length !== undefined && { 'Content-Length': String(length) }),
  };
}

/** Content with a digest never changes. An answer to credentials is for its user only. */
function caching({ credentials }: Job): string {
  return credentials === undefined ? 'public, max-age=31536000, immutable' : 'private, no-store';
}

function contentRange(range: string, host: string): string {
  if (/^bytes \d+-\d+\/(?:\d+|\*)$/.test(range)) return range;
  throw badGateway(`${host} does not say which part of the blob it sends`);
}

/** Translates the link to more tags (RFC 8288) into an address of this proxy. */
function nextPage(
  link: string | string[] | undefined,
  { url, registry }: RegistryRequest,
): string | undefined {
  const [, target] = /^\s*<([^<>]*)>\s*;\s*rel="?next"?/.exec(String(link ?? '')) ?? [];
  if (target === undefined || !URL.canParse(target, url)) return undefined;
  const next = new URL(target, url);
  if (next.origin !== url.origin || next.pathname !== url.pathname) return undefined;
  return `<${REGISTRY_PATH}/${registry.host}${next.pathname}${next.search}>; rel="next"`;
}

function blobKey(digest: Digest): string {
  return `blob-${digest.replace(':', '-')}`;
}

/**
 * Each repository has its own entry, because the digest does not cover the media type, which the registry has
 * from whoever pushed the manifest to the repository. The key is a hash, because host, repository and digest
 * together can be longer than a file name.
 */
function manifestKey({ registry, repository }: RegistryRequest, digest: Digest): string {
  const source = createHash('sha256').update(`${registry.host} ${repository} ${digest}`).digest('hex');
  return `manifest-${source}`;
}

function hashOf(bytes: Uint8Array, algorithm: 'sha256' | 'sha512'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`;
}

function tooMany({ quota, status, wait }: QuotaError): ProxyError {
  const code = status === 503 ? 'UNAVAILABLE' : 'TOOMANYREQUESTS';
  const messages = {
    rate: `you make too many requests to this server: try again in ${wait} s`,
    client: 'you have too many downloads open at this server: wait for one to end',
    server: 'this server is busy: try again in some seconds',
  };
  return new ProxyError(status, code, messages[quota], { 'Retry-After': String(wait) });
}

function tooSlow(message: string): ProxyError {
  return new ProxyError(504, 'UNAVAILABLE', message);
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}
