/** Explains a registry's errors to the user. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { collect } from '../../oci/bytes.ts';
import { clean } from '../../text/message.ts';
import { badGateway, ProxyError } from './errors.ts';
import type { RegistryRequest } from './request.ts';

const MAX_ERROR = 64 << 10;

/** An answer and its host. */
export interface Found {
  readonly answer: IncomingMessage;
  readonly host: string;
}

/** Returns the error for an unsuccessful answer. */
export async function refusal(request: RegistryRequest, { answer, host }: Found): Promise<ProxyError> {
  const { statusCode: status = 0, headers } = answer;
  const said = await explanation(answer);
  const why = said === '' ? '' : ` (${said})`;
  const what = `${request.registry.host}/${request.repository}`;
  switch (status) {
    case 401:
      return new ProxyError(
        401,
        'UNAUTHORIZED',
        `${what} does not exist, or wants a user name and a password${why}`,
        // Our client answers this challenge with the header for credentials (`CREDENTIALS_HEADER`).
        { 'WWW-Authenticate': `Basic realm="${request.registry.host}"` },
      );
    case 403:
      return new ProxyError(403, 'DENIED', `${host} does not give ${what} to you${why}`);
    case 404:
      return unknown(request, what, why);
    case 416:
      return outOfRange(passOn(headers, ['content-range']));
    case 429:
      return rateLimited(host, headers);
    default: {
      const wait = retryAfter(headers);
      const message = `${host} answered ${status} when asked for ${what}${why}: try again later`;
      return badGateway(message, wait === undefined ? {} : { 'Retry-After': wait });
    }
  }
}

/** Passes on a registry's "too many requests". */
export function rateLimited(host: string, headers: IncomingHttpHeaders): ProxyError {
  const message =
    `${host} does not answer this server for now: it limits how many images an address may pull. ` +
    'Try again later, or give the user name and password of an account there';
  return new ProxyError(429, 'TOOMANYREQUESTS', message, {
    'Retry-After': retryAfter(headers) ?? '60',
    ...passOn(headers, ['ratelimit-limit', 'ratelimit-remaining']),
  });
}

function retryAfter(headers: IncomingHttpHeaders): string | undefined {
  const value = headers['retry-after'];
  return value !== undefined && value.length < 64 ? value : undefined;
}

function passOn(headers: IncomingHttpHeaders, names: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string') found[name] = value;
  }
  return found;
}

/** Returns the registry's own text about an error. */
async function explanation(answer: IncomingMessage): Promise<string> {
  try {
    const { errors } = JSON.parse(Buffer.from(await collect(answer, MAX_ERROR, 'the error')).toString());
    const said = errors?.[0]?.message;
    return typeof said === 'string' ? clean(said) : '';
  } catch {
    return '';
  }
}

function unknown({ kind, registry }: RegistryRequest, what: string, why: string): ProxyError {
  switch (kind) {
    case 'tags':
      return new ProxyError(404, 'NAME_UNKNOWN', `there is no ${what}: check the name${why}`);
    case 'manifests':
      return new ProxyError(
        404,
        'MANIFEST_UNKNOWN',
        `there is no such image in ${what}: check name and tag${why}`,
      );
    case 'blobs':
      return new ProxyError(404, 'BLOB_UNKNOWN', `${registry.host} lacks a part of ${what}${why}`);
  }
}

export function outOfRange(headers: Record<string, string>): ProxyError {
  return new ProxyError(416, 'SIZE_INVALID', 'the blob is shorter than the part that was asked for', headers);
}

export function tooLarge(host: string, limit: number): ProxyError {
  return badGateway(`${host} sends more than the ${limit} bytes that this server passes on at once`);
}
