/** A cookie jar (RFC 6265bis, section 5), in which each origin has cookies of its own. */
import { type Cookie, isSecure, parseCookie, pathMatches } from './cookie.ts';

/**
 * Where a request comes from: a page of the same site, a link of another site that the user follows (a GET
 * for the whole window), or anything else of another site.
 */
export type Initiator = 'same-site' | 'cross-site navigation' | 'cross-site';

export interface CookieOptions {
  readonly initiator?: Initiator;
  /** A script asks, which neither sees nor sets HttpOnly cookies. */
  readonly script?: boolean;
}

interface Entry extends Cookie {
  readonly created: number;
  used: number;
}

/** As many as browsers keep (section 5.7). */
const MAX_PER_ORIGIN = 180;
const MAX_ORIGINS = 100;

export class CookieJar {
  /** Cookies of each origin by name and path. The origin that was used longest ago is first. */
  readonly #origins = new Map<string, Map<string, Entry>>();
  /** Orders what happens within a millisecond. */
  #count = 0;

  /** Keeps the cookies of a response. @param setCookies the values of its Set-Cookie fields */
  store(from: string, setCookies: readonly string[], options: CookieOptions = {}): void {
    const url = new URL(from);
    for (const field of setCookies) {
      const cookie = parseCookie(field, url, Date.now());
      if (cookie && maySet(cookie, options)) this.#keep(url.origin, cookie, options.script ?? false);
    }
  }

  /** The value of the Cookie field of a request, or undefined without cookies. */
  cookiesFor(
    to: string,
    { initiator = 'same-site', script = false }: CookieOptions = {},
  ): string | undefined {
    const url = new URL(to);
    const sent = [...this.#entries(url.origin).values()]
      .filter((cookie) => cookie.expires > Date.now() && pathMatches(url.pathname, cookie.path))
      .filter((cookie) => !cookie.secure || isSecure(url))
      .filter((cookie) => !(script && cookie.httpOnly) && maySend(cookie, initiator))
      .sort((a, b) => b.path.length - a.path.length || a.created - b.created);
    for (const cookie of sent) cookie.used = this.#count++;
    if (sent.length === 0) return undefined;
    return sent.map(({ name, value }) => (name === '' ? value : `${name}=${value}`)).join('; ');
  }

  #keep(origin: string, cookie: Cookie, script: boolean): void {
    const entries = this.#entries(origin);
    const key = `${cookie.name};${cookie.path}`;
    const old = entries.get(key);
    if (script && old?.httpOnly) return;
    entries.delete(key);
    if (cookie.expires <= Date.now()) return;
    entries.set(key, { ...cookie, created: old?.created ?? this.#count++, used: this.#count++ });
    for (const [each, { expires }] of entries) if (expires <= Date.now()) entries.delete(each);
    if (entries.size > MAX_PER_ORIGIN) entries.delete(leastUsed(entries));
    this.#limitOrigins(origin, entries);
  }

  #limitOrigins(origin: string, entries: Map<string, Entry>): void {
    this.#origins.delete(origin);
    this.#origins.set(origin, entries);
    const [oldest = ''] = this.#origins.keys();
    if (this.#origins.size > MAX_ORIGINS) this.#origins.delete(oldest);
  }

  #entries(origin: string): Map<string, Entry> {
    return this.#origins.get(origin) ?? new Map();
  }
}

/** The key of the cookie that was used longest ago. */
function leastUsed(entries: ReadonlyMap<string, Entry>): string {
  const [first] = [...entries].sort(([, a], [, b]) => a.used - b.used);
  return first?.[0] ?? '';
}

function maySet(cookie: Cookie, { initiator = 'same-site', script = false }: CookieOptions): boolean {
  if (script && cookie.httpOnly) return false;
  return initiator !== 'cross-site' || cookie.sameSite === 'none';
}

function maySend({ sameSite }: Cookie, initiator: Initiator): boolean {
  if (initiator === 'same-site' || sameSite === 'none') return true;
  return initiator === 'cross-site navigation' && sameSite === 'lax';
}
