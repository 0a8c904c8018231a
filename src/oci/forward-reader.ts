import type { Bytes } from './bytes.ts';
import type { Context } from './context.ts';

/** Reads parts of a forward-only stream. Parts in ascending order take a single pass. */
export class ForwardReader {
  readonly #open: (context: Context) => Bytes;
  #idle: Cursor | undefined;

  /** @param open opens the stream at its beginning */
  constructor(open: (context: Context) => Bytes) {
    this.#open = open;
  }

  async *read(offset: number, length: number, context: Context): Bytes {
    let cursor = this.#idle;
    this.#idle = undefined;
    if (!cursor || cursor.position > offset) {
      await cursor?.close();
      cursor = new Cursor(this.#open(context));
    }
    try {
      for await (const _ of cursor.take(offset - cursor.position));
      yield* cursor.take(length);
    } catch (error) {
      await cursor.close();
      throw error;
    }
    this.#idle = cursor;
  }
}

class Cursor {
  position = 0;
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: Bytes) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Returns the next bytes, fewer at the end of the stream. */
  async *take(length: number): AsyncGenerator<Uint8Array, void, void> {
    for (let left = length; left > 0; ) {
      if (this.#rest.length === 0) {
        const { done, value } = await this.#source.next();
        if (done) return;
        this.#rest = value;
      }
      const bytes = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(bytes.length);
      this.position += bytes.length;
      left -= bytes.length;
      yield bytes;
    }
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
