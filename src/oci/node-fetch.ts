import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { finished } from 'node:stream';
import type { Fetch } from './http.ts';
import { trustingAgent } from './node-certificates.ts';
import { explainFailure } from './node-failure.ts';

/** The most bytes of a body that wait for their reader. */
const READ_AHEAD = 1 << 20;
/**
 * The size of a piece. Each piece costs time in our code and, from a fast network, a wakeup of zlib's thread.
 */
const PIECE = 512 << 10;
/** The longest wait for a whole piece, in ms. */
const PATIENCE = 20;

/**
 * Node's own `fetch` takes twice the processor time for a large body. This one does not decode bodies,
 * because a body that a server calls gzip-encoded may be the layer itself.
 */
export const nodeFetch: Fetch = async (url, { headers, signal }) => {
  const isSecure = url.startsWith('https:');
  const agent = isSecure ? await trustingAgent() : undefined;
  signal.throwIfAborted();
  // With the signal itself, Node 20 may report the abort where nothing listens.
  const abort = () => request.destroy();
  signal.addEventListener('abort', abort, { once: true });
  const request = (isSecure ? getHttps : getHttp)(url, { headers, agent });
  request.once('close', () => signal.removeEventListener('abort', abort));
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).on('error', (error) => reject(explainFailure(error)));
  });
  return {
    status: message.statusCode as number,
    type: 'default',
    headers: { get: (name) => message.headersDistinct[name.toLowerCase()]?.join(', ') ?? null },
    body: streamOf(message),
  };
};

/** Each read returns all bytes that have arrived, after a short wait for a whole piece. */
function streamOf(message: IncomingMessage): ReadableStream<Uint8Array> {
  let arrived: Buffer[] = [];
  let size = 0;
  let end: { error: Error | null | undefined } | undefined;
  let onChange = () => {};
  message.on('data', (bytes: Buffer) => {
    arrived.push(bytes);
    size += bytes.length;
    if (size >= READ_AHEAD) message.pause();
    onChange();
  });
  finished(message, (error) => {
    end = { error };
    onChange();
  });
  const gather = async () => {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      onChange = () => {
        if (size >= PIECE || end) resolve();
        else if (size > 0) timer ??= setTimeout(resolve, PATIENCE);
      };
      onChange();
    });
    onChange = () => {};
    clearTimeout(timer);
  };
  return new ReadableStream(
    {
      async pull(controller) {
        await gather();
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
