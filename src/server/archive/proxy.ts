/**
 * The proxy for archives of public repositories, because their hosts let no page of another origin read them.
 * It answers GET of `/archive/HOST/PATH` for the few hosts and forms of paths below, and follows no redirect.
 */
import type { Context } from 'hono';
import { PROXY_HEADER } from '../../oci/proxied-fetch.ts';
import { clientOf, senderOf } from '../client-key.ts';
import { QuotaError, Quotas } from '../quotas.ts';
import { discard } from '../registry/client.ts';
import { Deadline } from '../registry/deadline.ts';
import { badGateway, notAllowed, ProxyError } from '../registry/errors.ts';
import { forward, toBody } from '../registry/forward.ts';
import { Upstream, type UpstreamOptions } from '../registry/upstream.ts';

/** The path of the proxy. */
export const ARCHIVE_PATH = '/archive';

/** One part of a path: no dots alone, nothing encoded. */
const PART = '(?!\\.\\.?(?:/|$))[\\w.-]{1,200}';
const PARTS = `${PART}(?:/${PART}){0,9}`;
const ENDING = '\\.(?:zip|tar\\.gz)';

/** The paths of archives, by host. */
const FORMS: Readonly<Record<string, RegExp>> = {
  'codeload.github.com': new RegExp(`^/${PART}/${PART}/(?:zip|tar\\.gz)/${PARTS}$`),
  'gitlab.com': new RegExp(`^/${PARTS}/-/archive/${PARTS}${ENDING}$`),
  'codeberg.org': new RegExp(`^/${PART}/${PART}/archive/${PARTS}${ENDING}$`),
};

/** The page opens no larger ones. */
const LARGEST = 64 << 20;
const LONGEST_PATH = 1024;
const LIMITS = { concurrent: 16, concurrentPerClient: 2, burst: 20, rate: 0.2 };
/** Until an answer begins; the longest pause; the whole request: in ms. */
const [ANSWER, STALL, TOTAL] = [20_000, 30_000, 5 * 60_000];

/** The headers of every answer. No page is shown its bytes as a document of this server. */
const HEADERS = {
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
  [PROXY_HEADER]: 'archive',
};

export interface ArchiveProxyOptions extends UpstreamOptions {
  /** Whether a proxy in front of this server writes X-Forwarded-For. */
  readonly trustProxy?: boolean | undefined;
  /** Further paths by host, for tests. */
  readonly forms?: Readonly<Record<string, RegExp>> | undefined;
}

export class ArchiveProxy {
  readonly #upstream: Upstream;
  readonly #forms: ReadonlyMap<string, RegExp>;
  readonly #quotas = new Quotas(LIMITS);
  readonly #trustProxy: boolean;

  constructor(options: ArchiveProxyOptions = {}) {
    this.#upstream = new Upstream(options);
    this.#forms = new Map(Object.entries({ ...FORMS, ...options.forms }));
    this.#trustProxy = options.trustProxy ?? false;
  }

  close(): void {
    this.#upstream.close();
  }

  /** Answers any request below `ARCHIVE_PATH`. */
  readonly handle = async (context: Context): Promise<Response> => {
    try {
      const url = this.#check(context.req.raw);
      return await this.#answer(context, url);
    } catch (error) {
      if (error instanceof ProxyError) return error.toResponse(HEADERS);
      throw error;
    }
  };

  /** @throws ProxyError unless this server may fetch what is asked for */
  #check({ method, headers, url }: Request): URL {
    if (method !== 'GET')
      throw new ProxyError(405, 'UNSUPPORTED', 'archives can only be read', { Allow: 'GET' });
    // Programs send no such header. Previews are pages of the same site.
    if (/^(cross|same)-site$/.test(headers.get('Sec-Fetch-Site') ?? ''))
      throw new ProxyError(403, 'DENIED', 'only pages of this server may use it');
    const { pathname, search } = new URL(url);
    const [, host = '', path = ''] = /^\/([^/]+)(\/.*)$/.exec(pathname.slice(ARCHIVE_PATH.length)) ?? [];
    const form = this.#forms.get(host);
    if (!form)
      throw notAllowed(`this server fetches archives only from ${[...this.#forms.keys()].join(', ')}`);
    if (search !== '' || path.length > LONGEST_PATH || !form.test(path))
      throw notAllowed(`this is no address of an archive of ${host}`);
    return new URL(`${this.#upstream.isLoopback(host) ? 'http' : 'https'}://${host}${path}`);
  }

  async #answer(context: Context, url: URL): Promise<Response> {
    const leave = this.#enter(context);
    const late = (message: string) => new ProxyError(504, 'UNAVAILABLE', message);
    const deadline = new Deadline(
      context.req.raw.signal,
      TOTAL,
      late('the download takes too long: try again'),
    );
    deadline.set(ANSWER, late(`${url.host} does not answer: try again later`));
    let hasEnded = false;
    const end = () => {
      deadline.clear();
      if (!hasEnded) leave();
      hasEnded = true;
    };
    try {
      return await this.#fetch(url, deadline, end);
    } catch (error) {
      end();
      throw error;
    }
  }

  async #fetch(url: URL, deadline: Deadline, end: () => void): Promise<Response> {
    const { host } = url;
    const headers = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'linuxrun' };
    const answer = await this.#upstream.send('GET', url, headers, deadline.signal);
    const length = Number(answer.headers['content-length'] ?? Number.NaN);
    if (answer.statusCode !== 200 || length > LARGEST) {
      discard(answer);
      throw length > LARGEST ? tooLarge() : refused(host, answer.statusCode);
    }
    const bytes = forward(answer, {
      host,
      length: Number.isNaN(length) ? undefined : length,
      limit: LARGEST,
      digest: undefined,
      writer: undefined,
      stall: STALL,
      deadline,
    });
    return new Response(toBody(bytes, deadline, end), {
      headers: {
        ...HEADERS,
        'Content-Type': 'application/octet-stream',
        'Content-Disposition': 'attachment',
        ...(!Number.isNaN(length) && { 'Content-Length': String(length) }),
      },
    });
  }

  /** @throws ProxyError */
  #enter(context: Context): () => void {
    try {
      return this.#quotas.enter(clientOf(senderOf(context), this.#trustProxy));
    } catch (error) {
      if (!(error instanceof QuotaError)) throw error;
      const message = `this server fetches no more archives at the moment: try again in ${error.wait} s`;
      throw new ProxyError(error.status, 'TOOMANYREQUESTS', message, { 'Retry-After': String(error.wait) });
    }
  }
}

function tooLarge(): ProxyError {
  return new ProxyError(413, 'SIZE_INVALID', `the archive is larger than ${LARGEST >> 20} MB`);
}

function refused(host: string, status = 0): ProxyError {
  if (status === 404)
    return new ProxyError(404, 'NAME_UNKNOWN', `${host} has no such repository, or it is not public`);
  if (status >= 300 && status < 400)
    return badGateway(`${host} leads elsewhere, which this server does not follow: give the final address`);
  return badGateway(`${host} answered ${status}: try again later`);
}
