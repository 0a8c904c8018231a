/** The end of a container's output, for `docker logs`. */

/** 1 for standard output, 2 for standard error. */
export type OutputStream = 1 | 2;

export interface OutputPart {
  readonly stream: OutputStream;
  readonly bytes: Uint8Array;
}

/** The memory that the output may take, in bytes. */
const LIMIT = 8 << 20;
/** What a part takes beside its bytes, roughly. */
const OVERHEAD = 256;
const NEWLINE = 10;

export class OutputLog {
  readonly #limit: number;
  readonly #parts: OutputPart[] = [];
  /** The number of parts since the start. */
  #count = 0;
  #size = 0;
  #isEnded = false;
  #wake = () => {};
  #changed = this.#nextChange();

  constructor(limit = LIMIT) {
    this.#limit = limit;
  }

  /** Keeps a copy of the bytes, and drops the oldest ones. */
  append(stream: OutputStream, bytes: Uint8Array): void {
    this.#parts.push({ stream, bytes: bytes.slice() });
    this.#count++;
    this.#size += bytes.length + OVERHEAD;
    while (this.#size > this.#limit) this.#size -= (this.#parts.shift()?.bytes.length ?? 0) + OVERHEAD;
    this.#tell();
  }

  /** There will be no more output. */
  end(): void {
    this.#isEnded = true;
    this.#tell();
  }

  /**
   * Yields what is kept, and with `follow` what comes until the end. A reader that falls behind misses what
   * is dropped meanwhile.
   * @param tail the number of lines from the end with which it starts; all if it is undefined
   */
  async *read(tail: number | undefined, follow: boolean): AsyncGenerator<OutputPart> {
    let [next, skip] = this.#startOf(tail);
    for (;;) {
      const dropped = this.#count - this.#parts.length;
      if (next < dropped) [next, skip] = [dropped, 0];
      const part = this.#parts[next - dropped];
      if (part) {
        yield { stream: part.stream, bytes: part.bytes.subarray(skip) };
        next++;
        skip = 0;
      } else if (!follow || this.#isEnded) return;
      else await this.#changed;
    }
  }

  /** Where the last lines begin: the number of a part, and a place in it. */
  #startOf(lines: number | undefined): [part: number, at: number] {
    if (lines === undefined) return [0, 0];
    if (lines === 0) return [this.#count, 0];
    let left = lines;
    let isLast = true;
    for (let index = this.#parts.length - 1; index >= 0; index--) {
      const { bytes } = this.#parts[index] as OutputPart;
      for (let at = bytes.length - 1; at >= 0; at--) {
        // The newline at the very end ends the last line.
        if (bytes[at] === NEWLINE && !isLast && --left === 0)
          return [this.#count - this.#parts.length + index, at + 1];
        isLast = false;
      }
    }
    return [0, 0];
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #tell(): void {
    const wake = this.#wake;
    this.#changed = this.#nextChange();
    wake();
  }
}
