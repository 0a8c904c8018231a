import { DriverError, type GuestMemory } from './guest-memory.ts';

/** Up to this number of bytes, a loop is faster than a view with a block copy. */
const SMALL_COPY = 32;

/** A sequence of ranges of guest RAM, consumed from the start. */
export abstract class Segments {
  /** Bytes not yet consumed. */
  remaining = 0;
  /** Bytes consumed. */
  consumed = 0;
  protected readonly memory: GuestMemory;
  protected readonly addresses: number[] = [];
  protected readonly lengths: number[] = [];
  protected count = 0;
  #index = 0;
  #offset = 0;

  constructor(memory: GuestMemory) {
    this.memory = memory;
  }

  clear(): void {
    this.rewind();
    this.remaining = 0;
    this.count = 0;
  }

  protected rewind(): void {
    this.remaining += this.consumed;
    this.consumed = 0;
    this.#index = 0;
    this.#offset = 0;
  }

  /** Appends a range, given by host address. */
  add(address: number, length: number): void {
    this.addresses[this.count] = address;
    this.lengths[this.count] = length;
    this.count++;
    this.remaining += length;
  }

  /** Consumes the next `length` bytes: views of them in guest RAM, valid until the chain is completed. */
  views(length: number): Uint8Array[] {
    const views: Uint8Array[] = [];
    for (let left = this.demand(length); left > 0; ) {
      const address = this.position();
      const piece = this.advance(left);
      views.push(this.memory.bytes.subarray(address, address + piece));
      left -= piece;
    }
    return views;
  }

  /** Consumes the next `length` bytes without access to them. */
  skip(length: number): void {
    for (let left = this.demand(length); left > 0; ) left -= this.advance(left);
  }

  protected demand(length: number): number {
    if (length > this.remaining) throw new DriverError('buffer too short');
    return length;
  }

  /** Host address of the next byte. */
  protected position(): number {
    return (this.addresses[this.#index] as number) + this.#offset;
  }

  /** Consumes up to `limit` bytes without leaving the current segment; returns how many. */
  protected advance(limit: number): number {
    const room = (this.lengths[this.#index] as number) - this.#offset;
    const length = Math.min(limit, room);
    this.remaining -= length;
    this.consumed += length;
    this.#offset += length;
    if (length === room) {
      this.#index++;
      this.#offset = 0;
    }
    return length;
  }
}

/** The part of a chain that the driver has filled. */
export class ReadableSegments extends Segments {
  /**
   * Copies the next `length` bytes to `into[start…]`.
   * @throws DriverError if fewer remain.
   */
  read(into: Uint8Array, start = 0, length: number = into.length - start): void {
    const { bytes } = this.memory;
    for (let at = start, left = this.demand(length); left > 0; ) {
      const address = this.position();
      const piece = this.advance(left);
      if (piece <= SMALL_COPY) for (let i = 0; i < piece; i++) into[at + i] = bytes[address + i] as number;
      else into.set(bytes.subarray(address, address + piece), at);
      at += piece;
      left -= piece;
    }
  }
}

/** The part of a chain that the device fills. */
export class WritableSegments extends Segments {
  /** Consumes the first `length` bytes, whatever was consumed before. */
  consumeFirst(length: number): void {
    this.rewind();
    this.skip(length);
  }

  /** What the used ring reports. */
  get written(): number {
    return this.consumed;
  }

  /**
   * Copies `from[start…end)` to the next bytes.
   * @throws DriverError if there is no room for them.
   */
  write(from: Uint8Array, start = 0, end: number = from.length): void {
    const { bytes } = this.memory;
    this.demand(end - start);
    for (let at = start; at < end; ) {
      const address = this.position();
      const piece = this.advance(end - at);
      if (piece <= SMALL_COPY) for (let i = 0; i < piece; i++) bytes[address + i] = from[at + i] as number;
      else bytes.set(piece === from.length ? from : from.subarray(at, at + piece), address);
      at += piece;
    }
  }

  writeByte(value: number): void {
    this.demand(1);
    this.memory.bytes[this.position()] = value;
    this.advance(1);
  }

  /** Flags the pages of the bytes consumed, which holders of `views` may have written, and no others. */
  markWritten(): void {
    for (let i = 0, left = this.written; left > 0; i++) {
      const length = Math.min(left, this.lengths[i] as number);
      this.memory.markWritten(this.addresses[i] as number, length);
      left -= length;
    }
  }
}

/** One request of the driver: bytes for the device to read, then bytes that the device may write. */
export class Chain {
  /** Index of its first descriptor, which identifies it in the used ring. */
  head = 0;
  readonly readable: ReadableSegments;
  readonly writable: WritableSegments;

  constructor(memory: GuestMemory) {
    this.readable = new ReadableSegments(memory);
    this.writable = new WritableSegments(memory);
  }

  begin(head: number): void {
    this.head = head;
    this.readable.clear();
    this.writable.clear();
  }
}
