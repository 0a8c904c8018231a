/** Smaller pieces are gathered in blocks, so that each byte of a slow stream does not take an object. */
const SMALL = 2 << 10;
const BLOCK = 16 << 10;
/**
 * Blocks for larger pieces, which are used again: with new ones, collecting garbage took half of the time
 * of a transfer.
 */
const LARGE_BLOCK = 64 << 10;
const MAX_SPARES = 32;
const spares: Uint8Array[] = [];

interface Piece {
  readonly bytes: Uint8Array;
  /** Whether it is a large block, and nobody else's. */
  readonly isReusable: boolean;
  /** The part that is in use. */
  start: number;
  end: number;
}

/** Bytes on their way, from the first one that has not arrived. */
export class SendQueue {
  readonly #pieces: Piece[] = [];
  #length = 0;
  /** Whether bytes can be appended to the last piece. */
  #gathers = false;

  get length(): number {
    return this.#length;
  }

  /** Appends bytes, which must not change any more. */
  push(bytes: Uint8Array): void {
    if (bytes.length >= SMALL) this.#append(withoutSpare(bytes), bytes.length, false);
    else this.#gather(bytes);
  }

  /** Appends a copy of bytes. */
  pushCopy(bytes: Uint8Array): void {
    if (bytes.length < SMALL) {
      this.#gather(bytes);
      return;
    }
    const isReusable = bytes.length <= LARGE_BLOCK && bytes.length > LARGE_BLOCK / 2;
    const block = (isReusable && spares.pop()) || new Uint8Array(isReusable ? LARGE_BLOCK : bytes.length);
    block.set(bytes);
    this.#append(block, bytes.length, isReusable);
  }

  #append(bytes: Uint8Array, length: number, isReusable: boolean): void {
    this.#length += length;
    this.#pieces.push({ bytes, isReusable, start: 0, end: length });
    this.#gathers = false;
  }

  #gather(bytes: Uint8Array): void {
    this.#length += bytes.length;
    let last = this.#pieces.at(-1);
    if (!last || !this.#gathers || last.end + bytes.length > BLOCK) {
      last = { bytes: new Uint8Array(BLOCK), isReusable: false, start: 0, end: 0 };
      this.#pieces.push(last);
      this.#gathers = true;
    }
    last.bytes.set(bytes, last.end);
    last.end += bytes.length;
  }

  /** Copies the bytes from `offset` on; there must be enough to fill `into`. */
  copy(offset: number, into: Uint8Array): void {
    let skip = offset;
    let at = 0;
    for (const { bytes, start, end } of this.#pieces) {
      if (at === into.length) return;
      if (skip < end - start) {
        const part = bytes.subarray(start + skip, Math.min(end, start + skip + into.length - at));
        into.set(part, at);
        at += part.length;
      }
      skip = Math.max(0, skip - (end - start));
    }
  }

  /** Takes all bytes out. */
  takeAll(): Uint8Array[] {
    this.#length = 0;
    return this.#pieces.splice(0).map(({ bytes, start, end }) => bytes.subarray(start, end));
  }

  /** Drops the first bytes. */
  drop(count: number): void {
    this.#length -= count;
    for (let left = count; left > 0; ) {
      const piece = this.#pieces[0] as Piece;
      const taken = Math.min(left, piece.end - piece.start);
      piece.start += taken;
      left -= taken;
      if (piece.start < piece.end) break;
      this.#pieces.shift();
      if (piece.isReusable && spares.length < MAX_SPARES) spares.push(piece.bytes);
    }
  }
}

/** Copies bytes that keep much more memory alive than they need. */
export function withoutSpare(bytes: Uint8Array): Uint8Array {
  return bytes.length < bytes.buffer.byteLength / 2 ? bytes.slice() : bytes;
}
