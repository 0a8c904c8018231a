import { concat } from '../streams/concat.ts';
import { toHex } from '../text/hex.ts';
import { TOKEN_SIZE } from './agent-protocol.ts';
import type { VsockStream } from './devices/vsock/device.ts';

/**
 * Connections that may wait for their token at a time; a newer one takes the place of the oldest. The agent
 * has four for each of its 256 processes at most.
 */
const MAX_WAITING = 2048;
/** How long a connection may wait for its token, in ms; the agent sends it at once. */
const PATIENCE = 30_000;

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
  /** The oldest first. */
  readonly #waiting = new Set<VsockStream>();

  expect(token: Uint8Array, onStream: (stream: OpenedStream) => void): void {
    this.#expected.set(toHex(token), onStream);
  }

  forget(token: Uint8Array): void {
    this.#expected.delete(toHex(token));
  }

  /** Takes a connection; resets it unless a token comes that is expected. */
  async accept(stream: VsockStream): Promise<void> {
    this.#waiting.add(stream);
    const [oldest] = this.#waiting;
    if (oldest && this.#waiting.size > MAX_WAITING) this.#reset(oldest);
    const timer = setTimeout(() => this.#reset(stream), PATIENCE);
    const reader = stream.readable.getReader();
    const received = await receiveToken(reader);
    clearTimeout(timer);
    // A connection that was reset has lost its place.
    if (!this.#waiting.has(stream)) return;
    const key = toHex(received.subarray(0, TOKEN_SIZE));
    const onStream = this.#expected.get(key);
    if (!onStream) return this.#reset(stream);
    this.#waiting.delete(stream);
    this.#expected.delete(key);
    onStream({ reader, stream, first: received.subarray(TOKEN_SIZE) });
  }

  #reset(stream: VsockStream): void {
    this.#waiting.delete(stream);
    stream.writable.abort().catch(() => {});
  }
}

/** @returns the token, and perhaps more; less when the stream ends before */
async function receiveToken(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array> {
  let received = new Uint8Array();
  while (received.length < TOKEN_SIZE) {
    const { value } = await reader.read().catch(() => ({ value: undefined }));
    if (!value) break;
    received = concat([received, value]);
  }
  return received;
}
