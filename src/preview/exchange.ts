/** The service worker's end of a request to the gateway. */
import { StreamMux } from '../machine/stream-mux.ts';
import type { GatewayLink } from './gateway-link.ts';
import {
  type PreviewRequest,
  REQUEST_BODY,
  RESPONSE_BODY,
  type RequestMessage,
  type ResponseMessage,
  STREAM_MARK,
} from './messages.ts';

/** A response without the headers of a preview. */
export interface ContainerResponse {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>> | null;
  /** The cookies of documents may have changed. */
  readonly setsCookies: boolean;
}

/** The gateway could not get a response. */
export class GatewayError extends Error {
  override name = 'GatewayError';
}

interface Body {
  readonly stream: ReadableStream<Uint8Array>;
  /** Null if it is unknown. */
  readonly length: number | null;
}

/** @throws GatewayError; PageClosedError; the reason of the request's signal */
export async function exchange(link: GatewayLink, request: Request): Promise<ContainerResponse> {
  const body = await bodyOf(request);
  const { port, lost } = await link.send(describe(request, body?.length));
  const mux = new StreamMux((message, transfer) => port.postMessage(message, transfer));
  const give = (message: RequestMessage) => port.postMessage(message);
  return new Promise((resolve, reject) => {
    const end = (error: Error) => {
      lost.removeEventListener('abort', lose);
      port.close();
      mux.destroy(error);
      reject(error);
    };
    const lose = () => end(lost.reason);
    lost.addEventListener('abort', lose);
    request.signal.addEventListener('abort', () => {
      give({ type: 'abort' });
      end(request.signal.reason);
    });
    port.onmessage = ({ data }: MessageEvent<ResponseMessage>) => {
      switch (data.type) {
        case 'head': {
          const headers = new Headers(data.headers.map(([name, value]) => [name, value]));
          resolve({ ...data, headers, body: data.hasBody ? mux.readable(RESPONSE_BODY) : null });
          break;
        }
        case 'failed':
          reject(new GatewayError(data.reason));
          break;
        case 'done':
          end(new GatewayError('the server takes no more of the request'));
          break;
        default:
          mux.receive(data);
      }
    };
    // The response tells more than the end of the request's body.
    body?.stream.pipeTo(mux.writable(REQUEST_BODY)).catch(() => {});
  });
}

/**
 * The body of a request, with its length, which browsers hide from service workers and many servers need. A
 * stream has none, and goes on as it comes.
 */
async function bodyOf(request: Request): Promise<Body | undefined> {
  if (request.method === 'GET' || request.method === 'HEAD') return undefined;
  if (request.body && request.headers.has(STREAM_MARK)) return { stream: request.body, length: null };
  const blob = await request.blob();
  return blob.size > 0 ? { stream: blob.stream(), length: blob.size } : undefined;
}

function describe(request: Request, length: number | null | undefined): PreviewRequest {
  const { pathname, search } = new URL(request.url);
  return {
    type: 'request',
    method: request.method,
    target: pathname + search,
    headers: [...request.headers].filter(([name]) => name !== STREAM_MARK),
    referrer: request.referrer === 'about:client' ? '' : request.referrer,
    isNavigation: request.mode === 'navigate',
    length,
  };
}
