/** The body of a request on its way out. */
import { HttpError } from './errors.ts';

/** Bodies up to this size get a Content-Length if they are complete soon. */
const AHEAD_BYTES = 64 * 1024;
const AHEAD_PIECES = 1024;
const AHEAD_TIME = 50;
const PIECE = 64 * 1024;

type Result = ReadableStreamReadResult<Uint8Array>;

export class RequestBody {
  /** Unknown for a body that is streamed; it is sent chunked then. */
  length: number | undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  /** What has been read, and is not sent yet. */
  readonly #ahead: Uint8Array[] = [];
  #reading: Promise<Result> | undefined;
  #sent = 0;

  private constructor(stream: ReadableStream<Uint8Array>, length: number | undefined) {
    this.#reader = stream.getReader();
    this.#reader.closed.catch(() => {});
    this.length = length;
  }

  /**
   * Many servers only understand a Content-Length, and a Request does not tell the length of its body. So a
   * body without one is read for a moment, in case it is short.
   */
  static async open(stream: ReadableStream<Uint8Array>, length: number | undefined): Promise<RequestBody> {
    const body = new RequestBody(stream, length);
    try {
      if (length === undefined) await body.#readAhead();
      return body;
    } catch (error) {
      body.cancel(error);
      throw error;
    }
  }

  /** The next piece. @throws the error of the stream, or HttpError if the length is not the promised one */
  async next(): Promise<Uint8Array | undefined> {
    const bytes = this.#ahead.shift() ?? this.#take(await this.#nextResult());
    if (bytes === undefined) {
      if (this.length !== undefined && this.#sent < this.length)
        throw new HttpError(`the body of the request has ${this.#sent} bytes instead of ${this.length}`);
      return undefined;
    }
    if (bytes.length > PIECE) this.#ahead.unshift(bytes.subarray(PIECE));
    const piece = bytes.subarray(0, PIECE);
    this.#sent += piece.length;
    if (this.length !== undefined && this.#sent > this.length)
      throw new HttpError(`the body of the request has more than ${this.length} bytes`);
    return piece;
  }

  cancel(reason: unknown): void {
    this.#ahead.length = 0;
    this.#reader.cancel(reason).catch(() => {});
  }

  async #readAhead(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), AHEAD_TIME);
    });
    let length = 0;
    try {
      while (length <= AHEAD_BYTES && this.#ahead.length < AHEAD_PIECES) {
        const result = await Promise.race([this.#nextResult(), late]);
        // The result stays for the next reader.
        if (result === 'late') return;
        const bytes = this.#take(result);
        if (bytes === undefined) {
          this.length = length;
          return;
        }
        this.#ahead.push(bytes);
        length += bytes.length;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #nextResult(): Promise<Result> {
    this.#reading ??= this.#reader.read();
    return this.#reading;
  }

  #take({ done, value }: Result): Uint8Array | undefined {
    if (done) return undefined;
    this.#reading = undefined;
    if (value instanceof Uint8Array) return value;
    throw new TypeError('a body of a request must consist of Uint8Arrays');
  }
}
