/**
 * The messages between a preview's origin and the gateway in the session's worker. A service worker has one
 * port to the gateway. With each request, socket and question for cookies it sends a port of its own.
 */
import type { StreamMessage } from '../machine/stream-mux.ts';

/** The streams of an exchange. */
export const REQUEST_BODY = 'request';
export const RESPONSE_BODY = 'response';
/** The header with which the shim marks requests whose bodies are streams. */
export const STREAM_MARK = 'x-linuxrun-stream';

/** From the page to the bridge, with a port to the gateway. */
export interface Welcome {
  readonly type: 'gateway';
}

/** From the bridge to the page. */
export type BridgeReport =
  | { readonly type: 'here' }
  /** The service worker is active. */
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly reason: string };

/** From a document in the page's frame to the page: the path that it shows. */
export interface PathReport {
  readonly type: 'linuxrun-path';
  /** Path, query and fragment. */
  readonly path: string;
}

/** From the bridge to the gateway, with a service worker's port. */
export interface Introduction {
  readonly type: 'worker';
  /** The name of the lock that the bridge holds as long as it lives. */
  readonly lock: string;
}

/** From the gateway to the bridge: the service worker has work, and must not be stopped. */
export interface StayAlive {
  readonly type: 'stay';
}

/** The gateway's first message to a service worker. */
export interface Greeting {
  readonly type: 'hello';
  readonly lock: string;
}

export interface PreviewRequest {
  readonly type: 'request';
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  /** Empty if the browser sends none. */
  readonly referrer: string;
  readonly isNavigation: boolean;
  /** Undefined without a body, null if its length is unknown. */
  readonly length: number | null | undefined;
}

export interface SocketRequest {
  readonly type: 'socket';
  readonly port: number;
  readonly target: string;
  readonly protocols: readonly string[];
}

/** Asks for the cookies of a document. */
export interface CookieQuestion {
  readonly type: 'cookies';
  readonly target: string;
}

/** A document sets a cookie. The answer is all of its cookies. */
export interface CookieChange {
  readonly type: 'set-cookie';
  readonly target: string;
  readonly cookie: string;
}

/** From the service worker to a document: its cookies have changed. */
export interface CookieNews {
  readonly type: 'linuxrun-cookies';
  readonly cookies: string;
}

export type WorkerMessage = PreviewRequest | SocketRequest | CookieQuestion | CookieChange;

/** On the port of a request: to the gateway. */
export type RequestMessage = StreamMessage | { readonly type: 'abort' };

/** On the port of a request: from the gateway. */
export type ResponseMessage =
  | StreamMessage
  | {
      readonly type: 'head';
      readonly status: number;
      readonly statusText: string;
      readonly headers: readonly (readonly [string, string])[];
      readonly hasBody: boolean;
      readonly setsCookies: boolean;
    }
  | { readonly type: 'failed'; readonly reason: string }
  /** Nothing more follows. */
  | { readonly type: 'done' };

/** On the port of a socket: from the shim. */
export type SocketCommand =
  | { readonly type: 'send'; readonly data: string | ArrayBuffer }
  | { readonly type: 'close'; readonly code: number | undefined; readonly reason: string }
  /** The document has handled the next message. */
  | { readonly type: 'taken' };

export interface SocketClosed {
  readonly type: 'closed';
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/** A socket ends without the closing handshake (WebSockets standard, "fail the WebSocket connection"). */
export const SOCKET_LOST: SocketClosed = { type: 'closed', code: 1006, reason: '', wasClean: false };

/** On the port of a socket: to the shim. */
export type SocketEvent =
  | SocketClosed
  | { readonly type: 'open'; readonly protocol: string; readonly lock: string }
  | { readonly type: 'message'; readonly data: string | ArrayBuffer }
  /** The next message has been sent. */
  | { readonly type: 'sent' };
