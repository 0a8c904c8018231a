import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { finished } from 'node:stream';
import type { Fetch } from './http.ts';

/** Bytes of a body that may wait to be read. */
const READ_AHEAD = 1 << 20;

/**
 * Node's own `fetch` takes twice the processor time over a large body. This one takes bodies as they are:
 * what a server calls gzip-encoded may be the layer itself.
 */
export const nodeFetch: Fetch = async (url, { headers, signal }) => {
  const get = url.startsWith('https:') ? getHttps : getHttp;
  signal.throwIfAborted();
  // Given the signal itself, Node 20 may report the abort where nobody listens.
  const abort = () => request.destroy();
  signal.addEventListener('abort', abort, { once: true });
  const request = get(url, { headers });
  request.once('close', () => signal.removeEventListener('abort', abort));
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).on('error', reject);
  });
  return {
    status: message.statusCode as number,
    type: 'default',
    headers: { get: (name) => message.headersDistinct[name.toLowerCase()]?.join(', ') ?? null },
    body: streamOf(message),
  };
};

/** Each read gives all that has arrived: every piece costs its way through our code. */
function streamOf(message: IncomingMessage): ReadableStream<Uint8Array> {
  let arrived: Buffer[] = [];
  let size = 0;
  let end: { error: Error | null | undefined } | undefined;
  let wake = () => {};
  message.on('data', (bytes: Buffer) => {
    arrived.push(bytes);
    size += bytes.length;
    if (size >= READ_AHEAD) message.pause();
    wake();
  });
  finished(message, (error) => {
    end = { error };
    wake();
  });
  return new ReadableStream(
    {
      async pull(controller) {
        while (size === 0 && !end) await new Promise<void>((resolve) => (wake = resolve));
        if (size > 0) {
          controller.enqueue(Buffer.concat(arrived, size));
          arrived = [];
          size = 0;
          message.resume();
        } else if (end?.error) {
          throw end.error;
        } else {
          controller.close();
        }
      },
      cancel: () => void message.destroy(),
    },
    { highWaterMark: 0 },
  );
}
