/** Bytes that one thread appends and others read, also when the first has ended. */
export class SharedLog {
  readonly buffer: SharedArrayBuffer;
  readonly #length: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#length = new Int32Array(buffer, 0, 1);
    this.#bytes = new Uint8Array(buffer, Int32Array.BYTES_PER_ELEMENT);
  }

  static ofSize(bytes: number): SharedLog {
    return new SharedLog(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT + bytes));
  }

  get length(): number {
    return Atomics.load(this.#length, 0);
  }

  /** Appends the bytes. Appends nothing if they do not all fit. */
  append(bytes: Uint8Array): boolean {
    const { length } = this;
    if (length + bytes.length > this.#bytes.length) return false;
    this.#bytes.set(bytes, length);
    Atomics.store(this.#length, 0, length + bytes.length);
    return true;
  }

  /** A copy of the bytes from an index on. */
  read(from = 0): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes.subarray(from, this.length));
  }
}
