import { concat } from '../streams/concat.ts';
import { toHex } from '../text/hex.ts';
import { TOKEN_SIZE } from './agent-codes.ts';
import type { VsockStream } from './devices/vsock/device.ts';
import type { Plain, StateReader } from './state.ts';

/**
 * Connections that may wait for their token at a time; a newer one takes the place of the oldest. The agent
 * has four for each of its 256 processes at most.
 */
const MAX_WAITING = 2048;
/** How long a connection may wait for its token, in ms; the agent sends it at once. */
const PATIENCE = 30_000;
/** The highest port of a guest. */
const MAX_PORT = 2 ** 32 - 1;

export interface OpenedStream {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly stream: VsockStream;
  /** The bytes that came along with the token. */
  readonly first: Uint8Array;
}

/**
 * Matches connections of the guest with the streams that the host expects. Any program in the guest may
 * connect, but only the agent knows the tokens. A token is valid once.
 */
export class StreamTokens {
  readonly #expected = new Map<string, (stream: OpenedStream) => void>();
  /** Connections and what they have sent of their token, the oldest first. */
  readonly #waiting = new Map<VsockStream, Uint8Array<ArrayBuffer>>();

  expect(token: Uint8Array, onStream: (stream: OpenedStream) => void): void {
    this.#expected.set(toHex(token), onStream);
  }

  forget(token: Uint8Array): void {
    this.#expected.delete(toHex(token));
  }

  /**
   * Takes a connection; resets it unless a token comes that is expected.
   * @param received what it has sent already
   */
  async accept(stream: VsockStream, received: Uint8Array<ArrayBuffer> = new Uint8Array()): Promise<void> {
    this.#waiting.set(stream, received);
    const [oldest] = this.#waiting.keys();
    if (oldest && this.#waiting.size > MAX_WAITING) this.#reset(oldest);
    const timer = setTimeout(() => this.#reset(stream), PATIENCE);
    const reader = stream.readable.getReader();
    const opening = await this.#receiveToken(stream, reader);
    clearTimeout(timer);
    // A connection that was reset has lost its place.
    if (!this.#waiting.has(stream)) return;
    const key = toHex(opening.subarray(0, TOKEN_SIZE));
    const onStream = this.#expected.get(key);
    if (!onStream) return this.#reset(stream);
    this.#waiting.delete(stream);
    this.#expected.delete(key);
    onStream({ reader, stream, first: opening.subarray(TOKEN_SIZE) });
  }

  /** The connections that wait, for `resume`. */
  state(): Plain {
    return [...this.#waiting].map(([{ remotePort }, received]) => ({ port: remotePort, received }));
  }

  /**
   * Takes over connections that waited elsewhere. All tokens must be expected before.
   * @param take finds a connection by the guest's port
   * @throws StateError
   */
  resume(state: StateReader, take: (port: number) => VsockStream | undefined): void {
    for (const entry of state.list(MAX_WAITING)) {
      const stream = take(entry.field('port').integer(0, MAX_PORT));
      const received = entry.field('received').bytes(0, TOKEN_SIZE - 1);
      if (stream) void this.accept(stream, received);
    }
  }

  #reset(stream: VsockStream): void {
    this.#waiting.delete(stream);
    stream.writable.abort().catch(() => {});
  }

  /** @returns the token, and perhaps more; less when the stream ends before */
  async #receiveToken(
    stream: VsockStream,
    reader: ReadableStreamDefaultReader<Uint8Array>,
  ): Promise<Uint8Array> {
    let received = this.#waiting.get(stream) as Uint8Array<ArrayBuffer>;
    while (received.length < TOKEN_SIZE) {
      const { value } = await reader.read().catch(() => ({ value: undefined }));
      if (!value) break;
      received = concat([received, value]);
      if (this.#waiting.has(stream) && received.length < TOKEN_SIZE) this.#waiting.set(stream, received);
    }
    return received;
  }
}
