/**
 * Byte streams over one ordered message channel, each with a window of unacknowledged bytes, so that a slow
 * reader delays only its own writer. Either side opens a stream by its name.
 */
import { checkBytes } from '../options/check.ts';
import { messageOf } from '../text/message.ts';
import { type Deferred, deferred } from './deferred.ts';
import { MachineError } from './errors.ts';

const WINDOW = 256 * 1024;

export type StreamMessage =
  | { type: 'data'; stream: string; bytes: Uint8Array<ArrayBuffer> }
  | { type: 'end'; stream: string }
  | { type: 'abort'; stream: string; reason: string }
  | { type: 'ack'; stream: string; count: number }
  | { type: 'cancel'; stream: string };

/** The writing end of a stream. */
export interface Sender {
  /** Sends at once; resolves when there is room for more, rejects when the reader has cancelled. */
  send(bytes: Uint8Array): Promise<void>;
  end(): void;
  abort(reason: string): void;
}

interface Outgoing {
  unacknowledged: number;
  readonly waiting: { resolve(): void; reject(error: Error): void }[];
  /** Told at once when the reader has gone. */
  readonly onFailure: (error: Error) => void;
}

interface Incoming {
  readonly received: Uint8Array<ArrayBuffer>[];
  /** Bytes that may still arrive without a reader. */
  allowance: number;
  /** Acknowledged bytes of `received`. */
  acknowledged: number;
  readonly ended: Deferred<void>;
  /** How the stream ended, once it has. */
  closed?: { error?: Error };
  wake(): void;
}

export class StreamMux {
  readonly #post: (message: StreamMessage, transfer: Transferable[]) => void;
  readonly #outgoing = new Map<string, Outgoing>();
  readonly #incoming = new Map<string, Incoming>();
  #destroyed: Error | undefined;

  constructor(post: (message: StreamMessage, transfer: Transferable[]) => void) {
    this.#post = post;
  }

  sender(stream: string, onFailure: (error: Error) => void = () => {}): Sender {
    const state: Outgoing = { unacknowledged: 0, waiting: [], onFailure };
    if (!this.#destroyed) this.#outgoing.set(stream, state);
    const open = () => this.#outgoing.get(stream) === state;
    const finish = (message: StreamMessage) => {
      if (!open()) return;
      this.#outgoing.delete(stream);
      this.#post(message, []);
      for (const { resolve } of state.waiting) resolve();
    };
    return {
      send: (bytes) => {
        if (!open()) return Promise.reject(this.#destroyed ?? new Error('the stream is closed'));
        const copy = new Uint8Array(bytes);
        state.unacknowledged += copy.length;
        this.#post({ type: 'data', stream, bytes: copy }, [copy.buffer]);
        if (state.unacknowledged <= WINDOW) return Promise.resolve();
        return new Promise((resolve, reject) => state.waiting.push({ resolve, reject }));
      },
      end: () => finish({ type: 'end', stream }),
      abort: (reason) => finish({ type: 'abort', stream, reason }),
    };
  }

  /** @param onAbort called when the stream is aborted here */
  writable(stream: string, onAbort = () => {}): WritableStream<Uint8Array> {
    let fail = (_error: Error) => {};
    const sender = this.sender(stream, (error) => fail(error));
    return new WritableStream({
      start: (controller) => {
        const { signal } = controller;
        fail = (error) => controller.error(error);
        // The sink's abort method is called only after a write in progress has ended.
        signal.addEventListener('abort', () => {
          onAbort();
          sender.abort(String(signal.reason));
        });
      },
      write: (bytes) => {
        try {
          checkBytes(bytes);
        } catch (error) {
          sender.abort(messageOf(error));
          throw error;
        }
        return sender.send(bytes);
      },
      close: () => sender.end(),
    });
  }

  /** @param onCancel called when the stream is cancelled here */
  readable(stream: string, onCancel = () => {}): ReadableStream<Uint8Array<ArrayBuffer>> {
    let wake = () => {};
    const state: Incoming = {
      received: [],
      allowance: 0,
      acknowledged: 0,
      ended: deferred(),
      wake: () => wake(),
    };
    if (this.#destroyed) state.closed = { error: this.#destroyed };
    else this.#incoming.set(stream, state);
    return new ReadableStream(
      {
        pull: async (controller) => {
          while (state.received.length === 0 && !state.closed) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
          const bytes = state.received.shift();
          if (bytes) {
            controller.enqueue(bytes);
            const count = Math.max(0, bytes.length - state.acknowledged);
            state.acknowledged -= bytes.length - count;
            if (!state.closed && count > 0) this.#post({ type: 'ack', stream, count }, []);
          } else if (state.closed?.error) {
            controller.error(state.closed.error);
          } else {
            controller.close();
          }
        },
        cancel: () => {
          onCancel();
          if (this.#incoming.delete(stream)) this.#post({ type: 'cancel', stream }, []);
          state.closed = {};
          state.ended.resolve();
          state.wake();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Takes a message that the other side's mux posted. */
  receive(message: StreamMessage): void {
    switch (message.type) {
      case 'data': {
        const incoming = this.#incoming.get(message.stream);
        incoming?.received.push(message.bytes);
        if (incoming) this.#takeAhead(message.stream, incoming);
        incoming?.wake();
        // The reader has left, perhaps before the writer came, and no other message tells the writer.
        if (!incoming) this.#post({ type: 'cancel', stream: message.stream }, []);
        break;
      }
      case 'end':
        this.#close(message.stream, {});
        break;
      case 'abort':
        this.#close(message.stream, { error: new MachineError(message.reason) });
        break;
      case 'ack': {
        const outgoing = this.#outgoing.get(message.stream);
        if (!outgoing) break;
        outgoing.unacknowledged -= message.count;
        if (outgoing.unacknowledged <= WINDOW)
          for (const { resolve } of outgoing.waiting.splice(0)) resolve();
        break;
      }
      case 'cancel':
        this.#fail(message.stream, new Error('the reader closed the stream'));
    }
  }

  /**
   * Takes the rest of some streams without waiting for their readers, who find it here; resolves when they
   * have ended.
   * @param most bytes of each; its writer waits for the reader if there are more
   */
  async drain(isMeant: (stream: string) => boolean, most: number): Promise<void> {
    const streams = [...this.#incoming].filter(([stream]) => isMeant(stream));
    for (const [stream, incoming] of streams) {
      incoming.allowance = most;
      this.#takeAhead(stream, incoming);
    }
    await Promise.all(streams.map(([, { ended }]) => ended.promise));
  }

  /** Acknowledges received bytes ahead of the reader, as far as it is allowed. */
  #takeAhead(stream: string, incoming: Incoming): void {
    if (incoming.allowance === 0) return;
    const received = incoming.received.reduce((sum, { length }) => sum + length, 0);
    const count = Math.min(received - incoming.acknowledged, incoming.allowance);
    incoming.acknowledged += count;
    incoming.allowance -= count;
    if (count > 0) this.#post({ type: 'ack', stream, count }, []);
  }

  /**
   * Ends all streams, and later ones at once. Bytes already received stay readable; then readers and writers
   * get `error`.
   */
  destroy(error: Error): void {
    this.#destroyed = error;
    for (const stream of [...this.#incoming.keys()]) this.#close(stream, { error });
    for (const stream of [...this.#outgoing.keys()]) this.#fail(stream, error);
  }

  #close(stream: string, how: { error?: Error }): void {
    const incoming = this.#incoming.get(stream);
    if (!incoming) return;
    this.#incoming.delete(stream);
    incoming.closed = how;
    incoming.ended.resolve();
    incoming.wake();
  }

  #fail(stream: string, error: Error): void {
    const outgoing = this.#outgoing.get(stream);
    this.#outgoing.delete(stream);
    for (const { reject } of outgoing?.waiting ?? []) reject(error);
    outgoing?.onFailure(error);
  }
}
