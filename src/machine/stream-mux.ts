/**
 * Byte streams over one ordered message channel, each with a window of unacknowledged bytes, so that a slow
 * reader delays only its own writer. Either side opens a stream by its name.
 */
import { checkBytes } from '../options/check.ts';
import { concat } from '../streams/concat.ts';
import { messageOf } from '../text/message.ts';
import { type Deferred, deferred } from './deferred.ts';
import { MachineError } from './errors.ts';
import type { StateReader } from './state.ts';

const WINDOW = 256 * 1024;
/** The most bytes of a stream in a saved state: the window, and one chunk of any size. */
const MAX_UNREAD = 2 ** 30;
/** The longest reason of a failure in a saved state. */
const MAX_REASON = 1000;

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

/** The bytes of a stream that its reader has not taken, and how it ends after them. */
export interface UnreadBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Null while it may go on, empty at a normal end, otherwise the reason of the failure. */
  readonly end: string | null;
}

/** @throws StateError unless it is a state of `StreamMux.unread` */
export function readUnread(state: StateReader): UnreadBytes {
  return {
    bytes: state.field('bytes').bytes(0, MAX_UNREAD),
    end: state.field('end').optional()?.text(MAX_REASON) ?? null,
  };
}

const NOTHING_RECEIVED: UnreadBytes = { bytes: new Uint8Array(), end: null };

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
  /** Streams that may still receive bytes. */
  readonly #incoming = new Map<string, Incoming>();
  /** Streams whose readers have not seen the end. */
  readonly #unread = new Map<string, Incoming>();
  /** Which streams are frozen. */
  #frozen: (stream: string) => boolean = () => false;
  /** What was written to frozen streams. */
  #held: (StreamMessage & { type: 'data' | 'end' | 'abort' })[] = [];
  #destroyed: Error | undefined;

  constructor(post: (message: StreamMessage, transfer: Transferable[]) => void) {
    this.#post = post;
  }

  sender(stream: string, onFailure: (error: Error) => void = () => {}): Sender {
    const state: Outgoing = { unacknowledged: 0, waiting: [], onFailure };
    if (!this.#destroyed) this.#outgoing.set(stream, state);
    const open = () => this.#outgoing.get(stream) === state;
    const finish = (message: StreamMessage & { type: 'end' | 'abort' }) => {
      if (!open()) return;
      this.#outgoing.delete(stream);
      this.#send(message);
      for (const { resolve } of state.waiting) resolve();
    };
    return {
      send: (bytes) => {
        if (!open()) return Promise.reject(this.#destroyed ?? new Error('the stream is closed'));
        const copy = new Uint8Array(bytes);
        state.unacknowledged += copy.length;
        this.#send({ type: 'data', stream, bytes: copy });
        if (state.unacknowledged <= WINDOW && !this.#frozen(stream)) return Promise.resolve();
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

  /**
   * @param onCancel called when the stream is cancelled here
   * @param unread what the stream had received elsewhere
   */
  readable(
    stream: string,
    onCancel = () => {},
    { bytes, end }: UnreadBytes = NOTHING_RECEIVED,
  ): ReadableStream<Uint8Array<ArrayBuffer>> {
    let wake = () => {};
    const state: Incoming = {
      received: bytes.length > 0 ? [bytes] : [],
      allowance: 0,
      acknowledged: bytes.length,
      ended: deferred(),
      wake: () => wake(),
    };
    this.#incoming.set(stream, state);
    this.#unread.set(stream, state);
    if (this.#destroyed) this.#close(stream, { error: this.#destroyed });
    else if (end !== null) this.#close(stream, end === '' ? {} : { error: new MachineError(end) });
    const forget = () => {
      if (this.#unread.get(stream) === state) this.#unread.delete(stream);
    };
    return new ReadableStream(
      {
        pull: async (controller) => {
          while (this.#frozen(stream) || (state.received.length === 0 && !state.closed)) {
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
          } else {
            forget();
            if (state.closed?.error) controller.error(state.closed.error);
            else controller.close();
          }
        },
        cancel: () => {
          onCancel();
          forget();
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
        if (!this.#frozen(message.stream)) this.#admit(outgoing);
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
   * Stops some streams: their readers get nothing, and what is written to them is held back, while the caller
   * takes their state. Writers that wait are told that their bytes have arrived, because the state has them.
   */
  freeze(isMeant: (stream: string) => boolean): void {
    this.#frozen = isMeant;
    for (const [stream, { waiting }] of this.#outgoing)
      if (isMeant(stream)) for (const { resolve } of waiting.splice(0)) resolve();
  }

  /** The streams go on. */
  thaw(): void {
    this.#frozen = () => false;
    for (const message of this.#held.splice(0)) this.#send(message);
    for (const outgoing of this.#outgoing.values()) this.#admit(outgoing);
    for (const { wake } of this.#unread.values()) wake();
  }

  /** The state of a stream that is read here, for another mux's `readable`. */
  unread(stream: string): UnreadBytes {
    const incoming = this.#unread.get(stream);
    if (!incoming) return { bytes: new Uint8Array(), end: '' };
    const { received, closed } = incoming;
    const end = closed ? (closed.error?.message.slice(0, MAX_REASON) ?? '') : null;
    return { bytes: concat(received), end };
  }

  /** Whether a stream can be written here. */
  isWritable(stream: string): boolean {
    return this.#outgoing.has(stream) || this.#held.some((message) => message.stream === stream);
  }

  #send(message: StreamMessage & { type: 'data' | 'end' | 'abort' }): void {
    if (this.#frozen(message.stream)) this.#held.push(message);
    else this.#post(message, message.type === 'data' ? [message.bytes.buffer] : []);
  }

  /** Lets writers go on if there is room. */
  #admit({ unacknowledged, waiting }: Outgoing): void {
    if (unacknowledged <= WINDOW) for (const { resolve } of waiting.splice(0)) resolve();
  }

  /**
   * Ends all streams, and later ones at once. Bytes already received stay readable, unless the stream is
   * frozen; then readers and writers get `error`.
   */
  destroy(error: Error): void {
    this.#destroyed = error;
    for (const [stream, incoming] of this.#unread) {
      if (!this.#frozen(stream)) continue;
      incoming.received.length = 0;
      incoming.closed = { error };
    }
    for (const stream of [...this.#incoming.keys()]) this.#close(stream, { error });
    for (const stream of [...this.#outgoing.keys()]) this.#fail(stream, error);
    this.#held = [];
    this.thaw();
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
