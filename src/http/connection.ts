/**
 * A connection to a server. Closing `writable` ends this side. Aborting and cancelling reset the connection.
 */
export interface Duplex {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<Uint8Array>;
}

/** Connects to a port of the server, or rejects with the error. */
export type Connect = (port: number, signal?: AbortSignal) => Promise<Duplex>;

/** How long, and for how many bytes, a closed connection waits for the end of the server's. */
const LINGER_TIME = 1000;
const LINGER_BYTES = 64 * 1024;

/** A connection whose received bytes can be given back, and that can be watched while nobody reads. */
export class Connection {
  /** The connection has carried a response before. */
  reused = false;
  /** The number of bytes that have been read. */
  received = 0;
  /** Resolves when this side has ended the connection. */
  readonly closed: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #rest: Uint8Array<ArrayBuffer> | undefined;
  #receiving: Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>> | undefined;
  #end: { readonly reason: unknown } | undefined;
  #tellClosed = () => {};

  constructor({ readable, writable }: Duplex) {
    this.#reader = readable.getReader();
    this.#writer = writable.getWriter();
    // Reads and writes report the error.
    for (const promise of [this.#reader.closed, this.#writer.closed, this.#writer.ready])
      promise.catch(() => {});
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
  }

  /** Resolves to the next bytes, or to undefined at the end. Rejects after `destroy`, with its reason. */
  async read(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    this.#throwIfEnded();
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest) return rest;
    try {
      const { value } = await this.#receive();
      this.#receiving = undefined;
      // Cancelling ends a read as if the server had closed the connection.
      this.#throwIfEnded();
      this.received += value?.length ?? 0;
      return value;
    } catch (error) {
      this.#throwIfEnded();
      throw error;
    }
  }

  /** Gives back bytes of the last `read`, for the next one. */
  unread(bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.length > 0) this.#rest = bytes;
  }

  /** Whether bytes have been given back. */
  get hasRest(): boolean {
    return this.#rest !== undefined;
  }

  /** Resolves when there is something to read, or the end. Takes nothing. */
  async watch(): Promise<void> {
    await this.#receive().catch(() => {});
  }

  /** Resolves when there is room for more. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#throwIfEnded();
    await this.#writer.write(bytes);
  }

  /** Ends the connection after the bytes that have been written. */
  close(): void {
    if (!this.#finish(new Error('the connection is closed'))) return;
    this.#writer.close().catch(() => {});
    void this.#linger();
  }

  /** Resets the connection. */
  destroy(reason: unknown): void {
    if (this.#finish(reason)) this.#reset(reason);
  }

  /** Waits until the server closes, too: a reset may overtake the last bytes (RFC 9112, section 9.6). */
  async #linger(): Promise<void> {
    const timer = setTimeout(() => this.#reset(undefined), LINGER_TIME);
    try {
      for (let received = 0; received < LINGER_BYTES; ) {
        const { done, value } = await this.#receive();
        if (done) break;
        this.#receiving = undefined;
        received += value.length;
      }
    } catch {
      // The server has reset the connection.
    }
    clearTimeout(timer);
    this.#reset(undefined);
  }

  #reset(reason: unknown): void {
    this.#writer.abort(reason).catch(() => {});
    this.#reader.cancel(reason).catch(() => {});
  }

  #receive(): Promise<ReadableStreamReadResult<Uint8Array<ArrayBuffer>>> {
    this.#receiving ??= this.#reader.read();
    return this.#receiving;
  }

  #throwIfEnded(): void {
    if (this.#end) throw this.#end.reason;
  }

  #finish(reason: unknown): boolean {
    if (this.#end) return false;
    this.#end = { reason };
    this.#tellClosed();
    return true;
  }
}
