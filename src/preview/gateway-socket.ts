/** The gateway's end of a WebSocket of a preview. */
import type { WebSocketStream } from '../http/websocket.ts';
import type { WebSocketOptions } from '../http/websocket-handshake.ts';
import { hear } from './hear.ts';
import { SOCKET_LOST, type SocketCommand, type SocketEvent } from './messages.ts';

export type OpenSocket = (url: string, options: WebSocketOptions) => Promise<WebSocketStream>;

/** The most bytes that a document has not handled yet. Browsers themselves set no limit. */
const WINDOW = 1 << 20;

export class GatewaySocket {
  /** Resolves when the socket has ended. */
  readonly ended: Promise<void>;
  readonly #port: MessagePort;
  readonly #abort = new AbortController();
  #stream: WebSocketStream | undefined;
  #writer: WritableStreamDefaultWriter<string | Uint8Array> | undefined;
  /** The sizes of messages that the document has not handled. */
  readonly #shown: number[] = [];
  #proceed = () => {};

  /** @param lock a lock that is free when nobody serves the socket any more */
  constructor(port: MessagePort, lock: string, open: (signal: AbortSignal) => Promise<WebSocketStream>) {
    this.#port = port;
    hear<SocketCommand>(
      port,
      (command) => this.#take(command),
      () => this.close(),
    );
    port.addEventListener('close', () => this.close());
    this.ended = this.#run(lock, open).finally(() => port.close());
  }

  /** Closes the socket, or gives up opening it. */
  close(): void {
    this.#abort.abort();
    this.#stream?.close();
    this.#proceed();
  }

  async #run(lock: string, open: (signal: AbortSignal) => Promise<WebSocketStream>): Promise<void> {
    try {
      const stream = await open(this.#abort.signal);
      this.#stream = stream;
      this.#writer = stream.writable.getWriter();
      this.#writer.closed.catch(() => {});
      this.#tell({ type: 'open', protocol: stream.protocol, lock });
      await this.#pump(stream);
      this.#tell({ type: 'closed', ...(await stream.closed) });
    } catch {
      this.#tell(SOCKET_LOST);
    }
  }

  async #pump({ readable }: WebSocketStream): Promise<void> {
    const reader = readable.getReader();
    for (;;) {
      // A server that breaks the protocol ends the stream with an error, and the socket with a code.
      const { value } = await reader.read().catch(() => ({ value: undefined }));
      if (value === undefined) return;
      this.#show(value);
      while (sum(this.#shown) > WINDOW && !this.#abort.signal.aborted)
        await new Promise<void>((resolve) => {
          this.#proceed = resolve;
        });
    }
  }

  #show(message: string | Uint8Array<ArrayBuffer>): void {
    const data = typeof message === 'string' ? message : message.slice().buffer;
    this.#shown.push(typeof data === 'string' ? data.length : data.byteLength);
    this.#tell({ type: 'message', data });
  }

  #take(command: SocketCommand): void {
    switch (command.type) {
      case 'send':
        this.#send(command.data);
        break;
      case 'taken':
        this.#shown.shift();
        this.#proceed();
        break;
      case 'close':
        this.#end(command.code, command.reason);
    }
  }

  #send(data: unknown): void {
    if (typeof data !== 'string' && !(data instanceof ArrayBuffer)) throw new TypeError('no message');
    const message = typeof data === 'string' ? data : new Uint8Array(data);
    // `closed` reports its end.
    this.#writer?.write(message).then(
      () => this.#tell({ type: 'sent' }),
      () => {},
    );
  }

  #end(code: number | undefined, reason: string): void {
    try {
      this.#stream?.close(code, reason);
    } catch {
      // The shim checks codes; this one is of another script.
    }
    this.close();
  }

  #tell(event: SocketEvent): void {
    const transfer = event.type === 'message' && typeof event.data !== 'string' ? [event.data] : [];
    this.#port.postMessage(event, transfer);
  }
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
