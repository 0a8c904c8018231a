const LOCK = 0;
const HEAD = 1;
const TAIL = 2;
const WORDS = 4;
const CAPACITY = 0x1_0000;
/** How often a writer that waits checks whether to give up, in ms. */
const PATIENCE = 100;

/**
 * Bytes from the harts to the machine worker (UART and SBI debug console), in the order in which they were
 * written. Writers block while the ring is full, so a guest cannot flood the host.
 */
export class OutputRing {
  readonly #words: Int32Array;
  readonly #data: Uint8Array;

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(WORDS * 4 + CAPACITY);
  }

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer, 0, WORDS);
    this.#data = new Uint8Array(buffer, WORDS * 4);
  }

  /**
   * Blocks until all bytes are in the ring, or `cancelled` returns true.
   * @param wake called when the reader may have found the ring empty and gone to sleep
   */
  write(bytes: Uint8Array, wake: () => void, cancelled: () => boolean): void {
    this.#lock();
    let rest = bytes;
    while (rest.length > 0 && !cancelled()) {
      const head = Atomics.load(this.#words, HEAD);
      const tail = Atomics.load(this.#words, TAIL);
      const count = Math.min(rest.length, CAPACITY - ((head - tail) | 0));
      if (count === 0) {
        Atomics.wait(this.#words, TAIL, tail, PATIENCE);
        continue;
      }
      this.#copyIn(head, rest.subarray(0, count));
      rest = rest.subarray(count);
      Atomics.store(this.#words, HEAD, (head + count) | 0);
      if (Atomics.load(this.#words, TAIL) === head) wake();
    }
    this.#unlock();
  }

  /** Takes the bytes written so far. A reader may sleep only after it has read none. */
  read(): Uint8Array<ArrayBuffer> {
    const head = Atomics.load(this.#words, HEAD);
    const tail = Atomics.load(this.#words, TAIL);
    const bytes = new Uint8Array((head - tail) | 0);
    const start = tail & (CAPACITY - 1);
    const first = Math.min(bytes.length, CAPACITY - start);
    bytes.set(this.#data.subarray(start, start + first));
    bytes.set(this.#data.subarray(0, bytes.length - first), first);
    Atomics.store(this.#words, TAIL, head);
    Atomics.notify(this.#words, TAIL);
    return bytes;
  }

  #copyIn(head: number, bytes: Uint8Array): void {
    const start = head & (CAPACITY - 1);
    const first = Math.min(bytes.length, CAPACITY - start);
    this.#data.set(bytes.subarray(0, first), start);
    this.#data.set(bytes.subarray(first), 0);
  }

  #lock(): void {
    while (Atomics.compareExchange(this.#words, LOCK, 0, 1) !== 0)
      Atomics.wait(this.#words, LOCK, 1, PATIENCE);
  }

  #unlock(): void {
    Atomics.store(this.#words, LOCK, 0);
    Atomics.notify(this.#words, LOCK, 1);
  }
}
