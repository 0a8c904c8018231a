/**
 * The two names of a server. It is at `http://localhost:PORT` for itself; its pages are at another origin in
 * the browser. Development servers refuse requests with names that they do not know.
 */
import type { Field } from './fields.ts';

/** The origin of the browser that stands for a port of the container, if there is one. */
export type OriginOf = (port: number) => string | undefined;

/** Names that a server has for itself. */
const LOCAL = ['localhost', '127.0.0.1', '[::1]', '0.0.0.0', '[::]'];
const FROM_BROWSER = ['origin', 'referer'];
const TO_BROWSER = ['location', 'content-location', 'access-control-allow-origin'];

export const localOrigin = (port: number): string =>
  port === 80 ? 'http://localhost' : `http://localhost:${port}`;

/** Fields of a request from the browser for the server. */
export function toServer(fields: readonly Field[], port: number, origin: string): Field[] {
  const local = localOrigin(port);
  return fields.map(([name, value]) => {
    if (!FROM_BROWSER.includes(name.toLowerCase())) return [name, value];
    return [name, startsWithOrigin(value, origin) ? local + value.slice(origin.length) : value];
  });
}

/** Fields of a response for the browser. A URL of a port without an origin stays as it is. */
export function toBrowser(fields: readonly Field[], originOf: OriginOf): Field[] {
  return fields.map(([name, value]) =>
    TO_BROWSER.includes(name.toLowerCase()) ? [name, browserUrl(value, originOf)] : [name, value],
  );
}

function browserUrl(value: string, originOf: OriginOf): string {
  const match = /^http:\/\/([^/?#@:[\]]+|\[[^\]]*\])(?::(\d{1,5}))?(?=[/?#]|$)/i.exec(value);
  const [whole = '', host = '', port = '80'] = match ?? [];
  if (!LOCAL.includes(host.toLowerCase())) return value;
  const origin = originOf(Number(port));
  return origin === undefined ? value : origin + value.slice(whole.length);
}

function startsWithOrigin(url: string, origin: string): boolean {
  return url.startsWith(origin) && (url.length === origin.length || url[origin.length] === '/');
}
