/** Compressed bodies (RFC 9110, section 8.4). Servers also send them to clients that did not ask. */
import type { HttpResponse } from './exchange.ts';
import { fieldValue } from './fields.ts';

const FORMATS: Readonly<Record<string, CompressionFormat>> = {
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
};
/** A part of a compressed body cannot be decoded. */
const PARTIAL = 206;
/** They describe the compressed body. */
const CODED_FIELDS = ['content-encoding', 'content-length'];

/** The response with its body as `fetch` gives it. Codings that no platform decodes stay as they are. */
export function decodeContent(response: HttpResponse): HttpResponse {
  const { headers, body, status } = response;
  const format = FORMATS[fieldValue(headers, 'content-encoding')?.trim().toLowerCase() ?? ''];
  if (!format || !body || status === PARTIAL) return response;
  return {
    ...response,
    headers: headers.filter(([name]) => !CODED_FIELDS.includes(name.toLowerCase())),
    body: body.pipeThrough(new DecompressionStream(format)),
  };
}
