/** Compressed bodies (RFC 9110, section 8.4). Servers also send them to clients that did not ask. */
import type { HttpResponse } from './exchange.ts';
import { fieldValue } from './fields.ts';

type Body = ReadableStream<Uint8Array<ArrayBuffer>>;

const FORMATS: ReadonlyMap<string | undefined, CompressionFormat> = new Map([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
]);
/** A part of a compressed body cannot be decoded. */
const PARTIAL = 206;
/** They describe the compressed body. */
const CODED_FIELDS = ['content-encoding', 'content-length'];
/** Browsers decode a piece as a whole, to a thousand times its length if the server wants it. */
const PIECE = 2048;

/** The response with its body as `fetch` gives it. Codings that no platform decodes stay as they are. */
export function decodeContent(response: HttpResponse): HttpResponse {
  const { headers, body, status } = response;
  const format = FORMATS.get(fieldValue(headers, 'content-encoding')?.toLowerCase());
  if (!format || !body || status === PARTIAL) return response;
  return {
    ...response,
    headers: headers.filter(([name]) => !CODED_FIELDS.includes(name.toLowerCase())),
    body: inPieces(body).pipeThrough(new DecompressionStream(format)),
  };
}

/** The same bytes in pieces of bounded length. */
export function inPieces(stream: Body): Body {
  const reader = stream.getReader();
  let rest = new Uint8Array(0);
  return new ReadableStream(
    {
      async pull(controller) {
        while (rest.length === 0) {
          const { done, value } = await reader.read();
          if (done) return controller.close();
          rest = value;
        }
        controller.enqueue(rest.subarray(0, PIECE));
        rest = rest.subarray(PIECE);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
