/** Bytes that arrive in pieces. Their memory grows with them, not with an announced length. */
export class ByteBuffer {
  length = 0;
  #bytes = new Uint8Array(256);

  /** The bytes so far, valid until the next change. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.length);
  }

  append(bytes: Uint8Array): void {
    const length = this.length + bytes.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      grown.set(this.bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.length);
    this.length = length;
  }

  /** Returns the bytes, and begins anew. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.slice(0, this.length);
    this.#bytes = new Uint8Array(256);
    this.length = 0;
    return taken;
  }
}
