/** The chunked transfer coding of a response (RFC 9112, section 7.1). */
import { quote, toByteString } from '../disk/byte-string.ts';
import { HttpError } from './errors.ts';
import { FieldBlock, parseFields } from './response-head.ts';

/** A size of hexadecimal digits that fits a safe integer, and extensions, which mean nothing here. */
const SIZE_LINE = /^([0-9a-fA-F]{1,13})[\t ]*((?:;[\t\x20-\x7e\x80-\xff]*)?)\r\n$/;
const MAX_LINE = 1024;
/** Of one body. More is the work of an attacker. */
const MAX_EXTENSIONS = 16 * 1024;
const LF = 0x0a;
const NOTHING = new Uint8Array(0);

export class ChunkedDecoder {
  readonly untilClose = false;
  done = false;
  rest = NOTHING;
  /** Bytes that the chunk still lacks. */
  #left = 0;
  #state: 'size' | 'data' | 'end of data' | 'trailer' = 'size';
  /** The beginning of a line whose end has not arrived. */
  #line = '';
  #extensions = 0;
  readonly #trailer = new FieldBlock();

  decode(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    let at = 0;
    while (at < bytes.length && !this.done) {
      if (this.#state === 'data') {
        const piece = bytes.subarray(at, at + this.#left);
        pieces.push(piece);
        at += piece.length;
        this.#left -= piece.length;
        if (this.#left === 0) this.#state = 'end of data';
      } else if (this.#state === 'trailer') {
        at = bytes.length - this.#readTrailer(bytes.subarray(at)).length;
      } else {
        at = this.#readLine(bytes, at);
      }
    }
    this.rest = bytes.subarray(at);
    return join(pieces);
  }

  /** Takes a line, or its beginning. Returns the position behind it. */
  #readLine(bytes: Uint8Array<ArrayBuffer>, from: number): number {
    const end = bytes.indexOf(LF, from);
    const to = end < 0 ? bytes.length : end + 1;
    if (this.#line.length + to - from > MAX_LINE)
      throw new HttpError('the server sent an endless chunk size');
    this.#line += toByteString(bytes.subarray(from, to));
    if (end < 0) return to;
    const line = this.#line;
    this.#line = '';
    if (this.#state === 'size') this.#readSize(line);
    else if (line === '\r\n') this.#state = 'size';
    else throw new HttpError('the server sent a chunk that is longer than its size');
    return to;
  }

  /** Both of the characters CR and LF are required, because other programs disagree about bare ones. */
  #readSize(line: string): void {
    const match = SIZE_LINE.exec(line);
    if (!match) throw new HttpError(`the server sent the invalid chunk size ${quote(line)}`);
    const [, size = '', extension = ''] = match;
    this.#extensions += extension.length;
    if (this.#extensions > MAX_EXTENSIONS) throw new HttpError('the server sent too many chunk extensions');
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? 'trailer' : 'data';
  }

  #readTrailer(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const rest = this.#trailer.add(bytes);
    if (!rest) return NOTHING;
    parseFields(this.#trailer.lines());
    this.done = true;
    return rest;
  }
}

/** Small chunks that arrive together are passed on together. */
function join(pieces: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const [first = NOTHING, ...others] = pieces;
  if (others.length === 0) return first;
  const joined = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
