/**
 * Signing in to a registry, with the challenges of RFC 7235 and the token service of the distribution
 * project.
 */
import { isInternal } from './address.ts';
import type { Context } from './context.ts';
import { ImageError } from './errors.ts';
import { type HttpClient, statusError } from './http.ts';
import { parseJson } from './json.ts';

/** An account at a registry. */
export interface Credentials {
  /** The name of the user. */
  readonly username: string;
  /** A password or an access token. */
  readonly password: string;
}

/** Finds the user's credentials when the registry asks for them. */
export type FindCredentials = () => Promise<Credentials | undefined>;

export interface Challenge {
  /** The scheme in lower case, such as `bearer`. */
  readonly scheme: string;
  /** Parameters by name, in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const MAX_TOKEN_ANSWER = 1 << 20;

/** The Authorization header for a repository of a registry, obtained when the registry asks for it. */
export class RegistryAuth {
  readonly #http: HttpClient;
  readonly #registry: URL;
  readonly #scope: string;
  readonly #findCredentials: FindCredentials;
  #header: string | undefined;
  #renewing: Promise<string | undefined> | undefined;

  /** @param repository the repository to pull from, such as `library/alpine` */
  constructor(http: HttpClient, registry: URL, repository: string, findCredentials: FindCredentials) {
    this.#http = http;
    this.#registry = registry;
    this.#scope = `repository:${repository}:pull`;
    this.#findCredentials = findCredentials;
  }

  /** The header to send, if there is one yet. */
  get header(): string | undefined {
    return this.#header;
  }

  /**
   * Obtains a new header. Requests made at the same time share one.
   * @param refused the header that the registry did not accept
   * @param challenge the WWW-Authenticate header of the registry's own answer. A header from a host that it
   *   redirected to could ask for the user's password.
   * @returns whether there is a new header, so that a retry makes sense
   * @throws ImageError of kind `denied` when the user's credentials are not accepted
   */
  async renew(refused: string | undefined, challenge: string | null, context: Context): Promise<boolean> {
    if (this.#header !== refused) return true;
    this.#renewing ??= this.#answer(parseChallenges(challenge ?? ''), context).finally(() => {
      this.#renewing = undefined;
    });
    const header = await this.#renewing;
    this.#header = header;
    return header !== undefined;
  }

  async #answer(challenges: readonly Challenge[], context: Context): Promise<string | undefined> {
    const find = (wanted: string) => challenges.find(({ scheme }) => scheme === wanted)?.parameters;
    const credentials = await this.#findCredentials();
    const bearer = find('bearer');
    if (bearer) return this.#http.retry(() => this.#fetchToken(bearer, credentials, context), context);
    return find('basic') && credentials && basic(credentials);
  }

  async #fetchToken(
    parameters: ReadonlyMap<string, string>,
    credentials: Credentials | undefined,
    context: Context,
  ): Promise<string | undefined> {
    const url = this.#realm(parameters.get('realm'));
    const service = parameters.get('service');
    if (service !== undefined) url.searchParams.set('service', service);
    url.searchParams.set('scope', parameters.get('scope') ?? this.#scope);
    const headers: Record<string, string> = { accept: 'application/json' };
    if (credentials) headers.authorization = basic(credentials);

    const answer = await this.#http.get(url.href, headers, context);
    if (answer.status === 401 || answer.status === 403) {
      answer.cancel();
      if (!credentials) return undefined;
      throw this.#denied('does not accept this user name and password');
    }
    if (answer.status !== 200) throw await statusError(answer, 'a token');
    const body = parseJson(await answer.bytes(MAX_TOKEN_ANSWER, 'the token'), 'the token');
    const { token, access_token } = body as { token?: unknown; access_token?: unknown };
    const value = token || access_token;
    if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value))
      throw new ImageError(`${url.host} gave no token`);
    return `Bearer ${value}`;
  }

  /** Returns the address of the token service, after checking that it may get a password. */
  #realm(realm: string | undefined): URL {
    if (realm === undefined || !URL.canParse(realm)) throw this.#denied('does not say where to sign in');
    const url = new URL(realm);
    const { protocol, hostname } = this.#registry;
    if (url.protocol !== 'https:' && url.protocol !== protocol)
      throw this.#denied('wants a sign-in without https');
    if (isInternal(url.hostname) && !isInternal(hostname))
      throw this.#denied(`wants a sign-in at ${url.host}, which is not on the internet`);
    return url;
  }

  #denied(why: string): ImageError {
    return new ImageError(`${this.#registry.host} ${why}`, 'denied');
  }
}

function basic({ username, password }: Credentials): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return `Basic ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`;
}

/** The challenges of a WWW-Authenticate header (RFC 9110, section 11.6.1). */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  const token = /[\s,]*([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/gy;
  for (let match = token.exec(header); match; match = token.exec(header)) {
    const [, name = '', quoted, plain] = match;
    const value = quoted?.replace(/\\(.)/g, '$1') ?? plain;
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
    else challenges.at(-1)?.parameters.set(name.toLowerCase(), value);
  }
  return challenges;
}
