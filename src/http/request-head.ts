/** The head of a request: request line and header fields (RFC 9112, sections 3 and 5). */
import { toBytes } from '../disk/byte-string.ts';
import { endToEnd, type Field, fieldValue, isFieldValue, isToken } from './fields.ts';

/** A request to a server. A `Request` is one; others can carry fields that browsers keep from a Request. */
export interface HttpRequest {
  /** Such as `GET`. */
  readonly method: string;
  /** Absolute, `http:`. */
  readonly url: string;
  /** The header fields. */
  readonly headers: Iterable<readonly [name: string, value: string]>;
  /** The content, if there is one. */
  readonly body?: ReadableStream<Uint8Array> | null;
  /** Ends the request. */
  readonly signal?: AbortSignal;
}

/** A request whose parts have been checked, so that none can inject a line. */
export interface RequestHead {
  readonly method: string;
  readonly port: number;
  readonly target: string;
  readonly host: string;
  readonly fields: readonly Field[];
}

/** Methods that may be repeated when it is unknown whether they took effect (RFC 9110, section 9.2.2). */
const IDEMPOTENT = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE'];
/** Methods whose requests say so when they have no body (RFC 9110, section 8.6). */
const WITH_BODY = ['POST', 'PUT', 'PATCH'];
const TARGET = /^\/[\x21-\x7e]*$/;
const LENGTH = /^\d{1,15}$/;

/** @throws TypeError if the request cannot be sent, as `fetch` does */
export function checkRequest({ method, url, headers }: HttpRequest): RequestHead {
  const { protocol, host, port, username, password, pathname, search } = new URL(url);
  if (protocol !== 'http:') throw new TypeError(`only http: URLs lead to a server, not ${protocol}`);
  if (username || password) throw new TypeError('a URL with a user name cannot be requested');
  if (!isToken(method) || method === 'CONNECT')
    throw new TypeError(`invalid method ${JSON.stringify(method)}`);
  const target = pathname + search;
  if (!TARGET.test(target)) throw new TypeError(`invalid path ${JSON.stringify(target)}`);
  const fields = endToEnd([...headers].map(([name, value]) => checkField(name, value)));
  return { method, port: port === '' ? 80 : Number(port), target, host, fields };
}

function checkField(name: string, value: string): Field {
  if (!isToken(name)) throw new TypeError(`invalid header name ${JSON.stringify(name)}`);
  if (!isFieldValue(value)) throw new TypeError(`invalid value of the header ${name}`);
  return [name, value];
}

/** The length that the request promises. @throws TypeError */
export function promisedLength({ fields }: RequestHead): number | undefined {
  const length = fieldValue(fields, 'content-length');
  if (length === undefined) return undefined;
  if (!LENGTH.test(length)) throw new TypeError(`invalid Content-Length ${JSON.stringify(length)}`);
  return Number(length);
}

export const isIdempotent = (method: string): boolean => IDEMPOTENT.includes(method);

/**
 * Fields that every request has. Without one of the caller's, the answer is asked for as it is: nothing
 * decodes it behind a service worker.
 */
function usualFields({ host, fields }: RequestHead): Field[] {
  const usual: Field[] = [
    ['Host', host],
    ['Accept', '*/*'],
    ['Accept-Encoding', 'identity'],
  ];
  return usual.filter(([name]) => fieldValue(fields, name.toLowerCase()) === undefined);
}

/** How the request tells its length. @param length undefined for a chunked body, null without a body */
function framing(method: string, length: number | undefined | null): Field[] {
  if (length === undefined) return [['Transfer-Encoding', 'chunked']];
  if (length === null && !WITH_BODY.includes(method)) return [];
  return [['Content-Length', String(length ?? 0)]];
}

/** The bytes of a head. */
export function encodeHead(
  head: RequestHead,
  length: number | undefined | null,
  connection: readonly Field[] = [],
): Uint8Array<ArrayBuffer> {
  const own = head.fields.filter(([name]) => name.toLowerCase() !== 'content-length');
  const fields = [...usualFields(head), ...own, ...framing(head.method, length), ...connection];
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`);
  return toBytes(`${head.method} ${head.target} HTTP/1.1\r\n${lines.join('')}\r\n`);
}
