import type { HttpResponse } from './exchange.ts';

/** A Response, with the cookies that browsers keep from its headers. */
export type ProxiedResponse = Response & {
  /** The values of Set-Cookie. */
  readonly setCookies: readonly string[];
};

/** A Response refuses a body with these (Fetch, "null body status"). */
const NULL_BODY = [204, 205, 304];
/** A client treats a status that HTTP does not define as a server's error (RFC 9110, section 15). */
const LAST_STATUS = 599;

export function toResponse({ status, statusText, headers, body }: HttpResponse): ProxiedResponse {
  const empty = NULL_BODY.includes(status);
  if (empty) body?.cancel().catch(() => {});
  const response = new Response(empty ? null : body, {
    status: status > LAST_STATUS ? 500 : status,
    statusText,
    headers: headers.map(([name, value]) => [name, value]),
  });
  return Object.assign(response, { setCookies: setCookiesOf(headers) });
}

export function setCookiesOf(headers: HttpResponse['headers']): string[] {
  return headers.filter(([name]) => name.toLowerCase() === 'set-cookie').map(([, value]) => value);
}
