/** `WebSocket` (WebSockets standard), whose connections to the container go through the gateway. */
import { SOCKET_LOST, type SocketClosed, type SocketCommand, type SocketEvent } from './messages.ts';
import { isLocalAddress, readPreviewHost } from './names.ts';
import type { Send } from './shim-workers.ts';

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const MAX_REASON = 123;

const EVENTS = ['open', 'message', 'error', 'close'] as const;
type EventName = (typeof EVENTS)[number];
type Handler = ((event: Event) => unknown) | null;

export function shimWebSocket(send: Send): void {
  const Native = self.WebSocket;
  const here = self.location.protocol === 'blob:' ? new URL(self.origin) : self.location;

  class WebSocket extends EventTarget {
    static readonly CONNECTING = CONNECTING;
    static readonly OPEN = OPEN;
    static readonly CLOSING = CLOSING;
    static readonly CLOSED = CLOSED;
    readonly CONNECTING = CONNECTING;
    readonly OPEN = OPEN;
    readonly CLOSING = CLOSING;
    readonly CLOSED = CLOSED;
    readonly url: string = '';
    readonly extensions = '';
    binaryType: BinaryType = 'blob';
    protocol = '';
    readyState = CONNECTING;
    bufferedAmount = 0;
    readonly #port: MessagePort = new MessageChannel().port1;
    readonly #handlers = new Map<EventName, Handler>();
    readonly #origin: string = '';
    readonly #leave = new AbortController();
    /** The sizes of messages that have not been sent. */
    readonly #unsent: number[] = [];
    /** Blobs take time to read, and later messages wait for them. */
    #sending = Promise.resolve();

    constructor(url: string | URL, protocols: string | string[] = []) {
      super();
      const target = parse(url, here.href);
      const asked = checkProtocols(protocols);
      const port = portOf(target, here);
      // biome-ignore lint/correctness/noConstructorReturn: a socket to another server is the browser's own
      if (port === undefined) return new Native(url, protocols) as unknown as WebSocket;
      const { port1, port2 } = new MessageChannel();
      this.#port = port1;
      this.url = target.href;
      this.#origin = target.origin;
      port1.onmessage = ({ data }: MessageEvent<SocketEvent>) => this.#take(data);
      send({ type: 'socket', port, target: target.pathname + target.search, protocols: asked }, [port2]);
      if ('document' in self)
        addEventListener('pagehide', () => this.#abandon(), { signal: this.#leave.signal });
    }

    send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void {
      if (this.readyState === CONNECTING)
        throw new DOMException('Still in CONNECTING state', 'InvalidStateError');
      const message = typeof data === 'string' ? data : data instanceof Blob ? data : bytesOf(data);
      const size = sizeOf(message);
      this.bufferedAmount += size;
      if (this.readyState !== OPEN) return;
      this.#unsent.push(size);
      this.#sending = this.#sending.then(async () => {
        const plain = message instanceof Blob ? await message.arrayBuffer() : message;
        this.#command({ type: 'send', data: plain });
      });
    }

    close(code?: number, reason = ''): void {
      if (code !== undefined && code !== 1000 && !(code >= 3000 && code <= 4999))
        throw new DOMException('The close code must be 1000, or between 3000 and 4999', 'InvalidAccessError');
      if (new TextEncoder().encode(reason).length > MAX_REASON)
        throw new DOMException(`The reason has more than ${MAX_REASON} bytes`, 'SyntaxError');
      if (this.readyState >= CLOSING) return;
      this.readyState = CLOSING;
      this.#sending = this.#sending.then(() => this.#command({ type: 'close', code, reason }));
    }

    #command(command: SocketCommand): void {
      const transfer = command.type === 'send' && typeof command.data !== 'string' ? [command.data] : [];
      this.#port.postMessage(command, transfer);
    }

    #take(event: SocketEvent): void {
      switch (event.type) {
        case 'open':
          if (this.readyState !== CONNECTING) return;
          this.readyState = OPEN;
          this.protocol = event.protocol;
          this.#watch(event.lock);
          this.dispatchEvent(new Event('open'));
          break;
        case 'message':
          this.#receive(event.data);
          break;
        case 'sent':
          this.bufferedAmount -= this.#unsent.shift() ?? 0;
          break;
        case 'closed':
          this.#end(event);
      }
    }

    #receive(data: string | ArrayBuffer): void {
      const content = typeof data === 'string' || this.binaryType === 'arraybuffer' ? data : new Blob([data]);
      if (this.readyState === OPEN)
        this.dispatchEvent(new MessageEvent('message', { data: content, origin: this.#origin }));
      this.#command({ type: 'taken' });
    }

    /** The lock is free when the page with the machine is closed. */
    #watch(lock: string): void {
      const { signal } = this.#leave;
      const lose = () => this.#end(SOCKET_LOST);
      navigator.locks.request(lock, { mode: 'shared', signal }, lose).catch(() => {});
    }

    #end({ code, reason, wasClean }: SocketClosed): void {
      if (this.readyState === CLOSED) return;
      this.#leave.abort();
      this.readyState = CLOSED;
      this.#port.close();
      if (!wasClean) this.dispatchEvent(new Event('error'));
      this.dispatchEvent(new CloseEvent('close', { code, reason, wasClean }));
    }

    /** The document goes away. */
    #abandon(): void {
      this.#command({ type: 'close', code: 1001, reason: '' });
      this.#end(SOCKET_LOST);
    }

    /** Handlers run in the order in which they were first set, like other listeners. */
    handler(name: EventName): Handler {
      return this.#handlers.get(name) ?? null;
    }

    setHandler(name: EventName, handler: Handler): void {
      if (!this.#handlers.has(name))
        this.addEventListener(name, (event) => this.#handlers.get(name)?.call(this, event));
      this.#handlers.set(name, typeof handler === 'function' ? handler : null);
    }
  }

  for (const name of EVENTS)
    Object.defineProperty(WebSocket.prototype, `on${name}`, {
      configurable: true,
      enumerable: true,
      get(this: WebSocket) {
        return this.handler(name);
      },
      set(this: WebSocket, handler: Handler) {
        this.setHandler(name, handler);
      },
    });
  self.WebSocket = WebSocket as unknown as typeof self.WebSocket;
}

function parse(url: string | URL, base: string): URL {
  if (!URL.canParse(url, base)) throw new DOMException(`The URL '${url}' is invalid`, 'SyntaxError');
  const target = new URL(url, base);
  target.protocol = target.protocol.replace(/^http/, 'ws');
  if (!/^wss?:$/.test(target.protocol))
    throw new DOMException(`The scheme '${target.protocol}' is not one of WebSockets`, 'SyntaxError');
  target.hash = '';
  return target;
}

function checkProtocols(protocols: string | string[]): string[] {
  const list = [protocols].flat().map(String);
  if (new Set(list).size < list.length || !list.every((each) => TOKEN.test(each)))
    throw new DOMException('A subprotocol is invalid or duplicated', 'SyntaxError');
  return list;
}

/** The port of the container that the URL means: a preview's of the session, or localhost's. */
function portOf({ host, hostname, port }: URL, here: { readonly host: string }): number | undefined {
  const mine = readPreviewHost(here.host);
  const named = readPreviewHost(host);
  if (named && named.page === mine?.page && named.id === mine.id) return named.port;
  return isLocalAddress(hostname) ? Number(port || 80) : undefined;
}

function bytesOf(data: ArrayBufferLike | ArrayBufferView): ArrayBuffer {
  const view = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
  return view.slice().buffer as ArrayBuffer;
}

function sizeOf(data: string | ArrayBuffer | Blob): number {
  if (typeof data === 'string') return new TextEncoder().encode(data).length;
  return data instanceof Blob ? data.size : data.byteLength;
}
