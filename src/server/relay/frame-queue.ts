/**
 * Smaller frames are copied into blocks, because an object for each of them would take several times its
 * size.
 */
const SMALL = 2 << 10;
const BLOCK = 16 << 10;

interface Piece {
  readonly bytes: Uint8Array;
  /** The lengths of its frames, which follow each other. */
  readonly lengths: number[];
  filled: number;
  /** The first frame that is still in the queue, and where it starts. */
  index: number;
  start: number;
}

/** Frames that wait, in their order. */
export class FrameQueue {
  readonly #pieces: Piece[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  push(frame: Uint8Array): void {
    this.#bytes += frame.length;
    if (frame.length >= SMALL) {
      this.#pieces.push({ bytes: frame, lengths: [frame.length], filled: frame.length, index: 0, start: 0 });
      return;
    }
    let last = this.#pieces.at(-1);
    if (!last || last.filled + frame.length > last.bytes.length) {
      last = { bytes: new Uint8Array(BLOCK), lengths: [], filled: 0, index: 0, start: 0 };
      this.#pieces.push(last);
    }
    last.bytes.set(frame, last.filled);
    last.filled += frame.length;
    last.lengths.push(frame.length);
  }

  shift(): Uint8Array | undefined {
    const [piece] = this.#pieces;
    if (!piece) return undefined;
    const length = piece.lengths[piece.index] as number;
    const frame = piece.bytes.subarray(piece.start, piece.start + length);
    piece.start += length;
    piece.index++;
    if (piece.index === piece.lengths.length) this.#pieces.shift();
    this.#bytes -= length;
    return frame;
  }

  clear(): void {
    this.#pieces.length = 0;
    this.#bytes = 0;
  }
}
