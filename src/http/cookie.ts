/** Which cookies a server may set (RFC 6265bis, section 5). */
import { type Cookie as Parsed, parseSetCookie } from 'set-cookie-parser';

export interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  readonly secure: boolean;
  readonly httpOnly: boolean;
  readonly sameSite: 'strict' | 'lax' | 'none';
  /** In milliseconds since 1970. Infinite for a cookie of the session. */
  readonly expires: number;
}

/** The most characters of name and value, and of an attribute (section 5.6). */
const MAX_PAIR = 4096;
const MAX_ATTRIBUTE = 1024;
/** Cookies live for at most 400 days (section 5.5). */
const MAX_AGE = 400 * 24 * 60 * 60 * 1000;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it refuses
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/;

/**
 * The cookie that a Set-Cookie field of a response from the URL sets, or undefined if it must be ignored. All
 * cookies belong to one host: a Domain only has to include it.
 */
export function parseCookie(field: string, url: URL, now: number): Cookie | undefined {
  if (CONTROL.test(field)) return undefined;
  const [pair = '', ...attributes] = field.split(';');
  const kept = attributes.filter((attribute) => attribute.length <= MAX_ATTRIBUTE);
  const options = { decodeValues: false, silent: true, split: false, map: false } as const;
  const [parsed] = parseSetCookie([[pair, ...kept].join(';')], options);
  if (!parsed || parsed.name.length + parsed.value.length > MAX_PAIR) return undefined;
  const cookie: Cookie = {
    name: parsed.name,
    value: parsed.value,
    path: parsed.path?.startsWith('/') ? parsed.path : defaultPath(url.pathname),
    secure: parsed.secure ?? false,
    httpOnly: parsed.httpOnly ?? false,
    sameSite: sameSiteOf(parsed),
    expires: expiryOf(parsed, now),
  };
  return isAllowed(cookie, parsed, url) ? cookie : undefined;
}

/** Whether a URL is secure. That of this computer is, as in browsers (Secure Contexts, section 3.1). */
export const isSecure = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' || /^(?:.+\.)?localhost$|^127\.[\d.]+$|^\[::1\]$/.test(hostname);

/** Section 5.1.4. */
export function pathMatches(path: string, cookiePath: string): boolean {
  if (!path.startsWith(cookiePath)) return false;
  return path.length === cookiePath.length || cookiePath.endsWith('/') || path[cookiePath.length] === '/';
}

function defaultPath(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 1));
}

function sameSiteOf({ sameSite }: Parsed): Cookie['sameSite'] {
  const value = sameSite?.toLowerCase();
  return value === 'strict' || value === 'none' ? value : 'lax';
}

function expiryOf({ maxAge, expires }: Parsed, now: number): number {
  const at = maxAge === undefined ? (expires?.getTime() ?? Number.POSITIVE_INFINITY) : now + maxAge * 1000;
  return at === Number.POSITIVE_INFINITY && maxAge === undefined ? at : Math.min(at, now + MAX_AGE);
}

function isAllowed(cookie: Cookie, { domain }: Parsed, url: URL): boolean {
  if (domain && !domainMatches(url.hostname, domain)) return false;
  if (cookie.secure && !isSecure(url)) return false;
  if (cookie.sameSite === 'none' && !cookie.secure) return false;
  // A cookie without a name looks on the wire like the one that its value names.
  const name = (cookie.name || cookie.value).toLowerCase();
  const prefixed = name.startsWith('__host-') || name.startsWith('__secure-');
  if (!prefixed) return true;
  if (!cookie.name || !cookie.secure) return false;
  return name.startsWith('__secure-') || (domain === undefined && cookie.path === '/');
}

/** Section 5.1.3. */
function domainMatches(host: string, domain: string): boolean {
  const name = domain.toLowerCase().replace(/^\./, '');
  return host === name || (host.endsWith(`.${name}`) && !/^[\d.]+$/.test(host));
}
