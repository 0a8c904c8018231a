/** Sends requests to registries, signs in on demand, and follows redirects that are safe. */
import type { IncomingMessage } from 'node:http';
import { collect } from '../../oci/bytes.ts';
import { parseJson } from '../../oci/json.ts';
import { parseChallenges } from '../../oci/registry-auth.ts';
import { isObject } from '../../text/json.ts';
import { badGateway, notAllowed, ProxyError, toAllow } from './errors.ts';
import { type Found, rateLimited } from './refusals.ts';
import type { Registries } from './registries.ts';
import type { RegistryRequest } from './request.ts';
import { Tokens, tokenKey } from './tokens.ts';
import type { Upstream } from './upstream.ts';

export interface Query {
  readonly method: 'GET' | 'HEAD';
  readonly request: RegistryRequest;
  readonly accept?: string | undefined;
  readonly range?: string | undefined;
  /** The user's Authorization header for this registry. */
  readonly credentials: string | undefined;
  readonly signal: AbortSignal;
}

const MAX_REDIRECTS = 5;
const MAX_TOKEN_ANSWER = 1 << 20;
const MAX_DISCARDED = 64 << 10;

export class RegistryClient {
  readonly #upstream: Upstream;
  readonly #registries: Registries;
  readonly #tokens = new Tokens();

  constructor(upstream: Upstream, registries: Registries) {
    this.#upstream = upstream;
    this.#registries = registries;
  }

  /**
   * @returns the last answer, which is no redirect, whatever its status
   * @throws ProxyError
   */
  async ask(query: Query): Promise<Found> {
    const { request } = query;
    let url = request.url;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const isOwn = url.origin === request.registry.origin;
      const answer = await this.#sendSignedIn({
        ...query,
        url,
        credentials: isOwn ? query.credentials : undefined,
      });
      const location = isRedirect(answer.statusCode) ? answer.headers.location : undefined;
      if (location === undefined) return { answer, host: url.host };
      discard(answer);
      url = this.#redirectTarget(location, url, request.kind);
    }
    throw badGateway(`${request.registry.host} redirects too often`);
  }

  async #sendSignedIn(query: Query & { url: URL }): Promise<IncomingMessage> {
    const { method, url, request, accept, range, credentials, signal } = query;
    const send = (authorization: string | undefined) =>
      this.#upstream.send(
        method,
        url,
        {
          accept: accept ?? '*/*',
          'accept-encoding': 'identity',
          'user-agent': 'linuxrun',
          ...(range !== undefined && { range }),
          ...(authorization !== undefined && { authorization }),
        },
        signal,
      );
    const isBearer = credentials !== undefined && /^bearer /i.test(credentials);
    const key = tokenKey(url.origin, request.repository, credentials);
    const answer = await send(isBearer ? credentials : this.#tokens.get(key));
    if (answer.statusCode !== 401 || isBearer || !this.#registries.has(url.host)) return answer;

    const challenges = parseChallenges(answer.headers['www-authenticate'] ?? '');
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer')?.parameters;
    const basic = challenges.some(({ scheme }) => scheme === 'basic');
    let header: string | undefined;
    if (bearer) header = await this.#fetchToken(bearer, key, query);
    else if (basic) header = credentials;
    if (header === undefined) return answer;
    discard(answer);
    return send(header);
  }

  /** @returns undefined when there is no token for anonymous users */
  async #fetchToken(
    challenge: ReadonlyMap<string, string>,
    key: string,
    { url: asked, request, credentials, signal }: Query & { url: URL },
  ): Promise<string | undefined> {
    const url = this.#tokenService(challenge, asked, credentials !== undefined);
    url.searchParams.set('scope', challenge.get('scope') ?? `repository:${request.repository}:pull`);
    const headers = {
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'linuxrun',
      ...(credentials !== undefined && { authorization: credentials }),
    };
    const answer = await this.#upstream.send('GET', url, headers, signal);
    const { statusCode: status = 0 } = answer;
    if (status === 200) {
      const { header, lifetime } = await readToken(answer, url.host, signal);
      this.#tokens.set(key, header, lifetime);
      return header;
    }
    discard(answer);
    if (status === 429) throw rateLimited(url.host, answer.headers);
    if (status !== 401 && status !== 403)
      throw badGateway(`${url.host} answered ${status} when asked for a token: try again later`);
    if (credentials === undefined) return undefined;
    throw new ProxyError(401, 'UNAUTHORIZED', `${asked.host} does not accept this user name and password`);
  }

  /** Returns the address of the token service, after checking that it may get the password. */
  #tokenService(challenge: ReadonlyMap<string, string>, { host }: URL, hasPassword: boolean): URL {
    const realm = challenge.get('realm') ?? '';
    if (!URL.canParse(realm)) throw badGateway(`${host} does not say where to sign in`);
    const url = new URL(realm);
    if (!this.#isPublicService(url))
      throw notAllowed(`${host} wants a sign-in at an address that this server does not contact`);
    if (hasPassword && !this.#registries.mayGetPassword(url.host, host))
      throw notAllowed(
        `${host} wants your password sent to ${url.host}, which is not known as its token service; ` +
          toAllow(`${host}=${url.host}`),
      );
    const service = challenge.get('service');
    if (service !== undefined) url.searchParams.set('service', service);
    return url;
  }

  /** Manifests come from listed registries only; blobs may come from any delivery network. */
  #redirectTarget(location: string, from: URL, kind: RegistryRequest['kind']): URL {
    if (!URL.canParse(location, from.href)) throw badGateway(`${from.host} redirects to no valid address`);
    const to = new URL(location, from);
    const known = this.#registries.has(to.host);
    if (!this.#isPublicService(to))
      throw notAllowed(
        `${from.host} redirects to ${to.host || 'an address'}, which this server does not follow`,
      );
    if (!(known || kind === 'blobs'))
      throw notAllowed(
        `${from.host} redirects to ${to.host}, which this server does not follow; ${toAllow(to.host)}`,
      );
    return to;
  }

  /** Checks the address itself; the lookup of the name checks the rest. */
  #isPublicService(url: URL): boolean {
    const { protocol, host, port, username, password } = url;
    if (username !== '' || password !== '') return false;
    if (this.#upstream.isMirror(url)) return true;
    if (this.#upstream.isLoopback(host)) return protocol === 'http:' || protocol === 'https:';
    return protocol === 'https:' && (port === '' || this.#registries.has(host));
  }
}

async function readToken(
  answer: IncomingMessage,
  host: string,
  signal: AbortSignal,
): Promise<{ header: string; lifetime: unknown }> {
  const body = await collect(answer, MAX_TOKEN_ANSWER, 'the token')
    .then((bytes) => parseJson(bytes, 'the token'))
    .catch(() => undefined);
  signal.throwIfAborted();
  const { token, access_token, expires_in: lifetime } = isObject(body) ? body : {};
  const value = token || access_token;
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) throw badGateway(`${host} gave no token`);
  return { header: `Bearer ${value}`, lifetime };
}

/** Discards an answer. A short one is read, so that its connection can be used again. */
export function discard(answer: IncomingMessage): void {
  answer.on('error', () => {});
  if (Number(answer.headers['content-length'] ?? Number.NaN) <= MAX_DISCARDED) answer.resume();
  else answer.destroy();
}

function isRedirect(status: number | undefined): boolean {
  return status !== undefined && [301, 302, 303, 307, 308].includes(status);
}
