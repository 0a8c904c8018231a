/** Frames and messages of WebSocket (RFC 6455, section 5), for a client without extensions. */
import { ByteBuffer } from './byte-buffer.ts';
import { HttpError } from './errors.ts';

export type Message = string | Uint8Array<ArrayBuffer>;

export interface Close {
  /** 1005 if the frame has none. */
  readonly code: number;
  readonly reason: string;
}

/** What a server sends. */
export type Received =
  | { readonly type: 'message'; readonly message: Message }
  | { readonly type: 'ping'; readonly payload: Uint8Array<ArrayBuffer> }
  | { readonly type: 'close'; readonly close: Close };

/** The server broke the protocol. */
export class ProtocolError extends HttpError {
  /** The status code for the server. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export const MAX_MESSAGE = 16 * 1024 * 1024;
export const OPCODE_TEXT = 1;
export const OPCODE_BINARY = 2;
export const OPCODE_CLOSE = 8;
export const OPCODE_PONG = 10;
const OPCODE_CONTINUATION = 0;
const OPCODE_PING = 9;
const FIN = 0x80;
const RESERVED = 0x70;
const OPCODE = 0x0f;
const MASKED = 0x80;
const LENGTH = 0x7f;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const MAX_CONTROL = 125;
/** Status codes (section 7.4.1). */
export const NO_CODE = 1005;
const PROTOCOL_ERROR = 1002;
const INVALID_DATA = 1007;
const TOO_BIG = 1009;
const PIECE = 64 * 1024;

interface Frame {
  readonly final: boolean;
  readonly opcode: number;
  left: number;
}

const isControl = (opcode: number): boolean => opcode >= OPCODE_CLOSE;
const broken = (message: string) => new ProtocolError(PROTOCOL_ERROR, message);

/** Turns the bytes of a server into messages. */
export class FrameDecoder {
  readonly #header = new ByteBuffer();
  /** The frame whose header has arrived. */
  #frame: Frame | undefined;
  readonly #control = new ByteBuffer();
  readonly #message = new ByteBuffer();
  /** Of the message whose last frame has not arrived. */
  #messageOpcode: number | undefined;

  /** @throws ProtocolError */
  *decode(bytes: Uint8Array<ArrayBuffer>): Generator<Received> {
    for (let at = 0; at < bytes.length; ) {
      at = this.#frame ? this.#readPayload(this.#frame, bytes, at) : this.#readHeader(bytes, at);
      if (this.#frame?.left !== 0) continue;
      const event = this.#endFrame(this.#frame);
      this.#frame = undefined;
      if (event) yield event;
    }
  }

  #readHeader(bytes: Uint8Array<ArrayBuffer>, from: number): number {
    const missing = headerLength(this.#header.bytes) - this.#header.length;
    const piece = bytes.subarray(from, from + missing);
    this.#header.append(piece);
    if (this.#header.length === headerLength(this.#header.bytes)) {
      this.#frame = parseHeader(this.#header.take());
      this.#beginFrame(this.#frame);
    }
    return from + piece.length;
  }

  #beginFrame({ opcode, left }: Frame): void {
    if (isControl(opcode)) return;
    if (opcode === OPCODE_CONTINUATION && this.#messageOpcode === undefined)
      throw broken('the server continued a message that it had not begun');
    if (opcode !== OPCODE_CONTINUATION && this.#messageOpcode !== undefined)
      throw broken('the server began a message within another');
    if (this.#message.length + left > MAX_MESSAGE)
      throw new ProtocolError(TOO_BIG, 'the server sent a message of more than 16 MiB');
    this.#messageOpcode ??= opcode;
  }

  #readPayload(frame: Frame, bytes: Uint8Array<ArrayBuffer>, from: number): number {
    const piece = bytes.subarray(from, from + frame.left);
    (isControl(frame.opcode) ? this.#control : this.#message).append(piece);
    frame.left -= piece.length;
    return from + piece.length;
  }

  #endFrame({ opcode, final }: Frame): Received | undefined {
    if (opcode === OPCODE_CLOSE) return { type: 'close', close: parseClose(this.#control.take()) };
    if (opcode === OPCODE_PING) return { type: 'ping', payload: this.#control.take() };
    if (opcode === OPCODE_PONG) this.#control.take();
    if (isControl(opcode) || !final) return undefined;
    const text = this.#messageOpcode === OPCODE_TEXT;
    this.#messageOpcode = undefined;
    const payload = this.#message.take();
    return { type: 'message', message: text ? decodeText(payload) : payload };
  }
}

/** The length of a header, or the number of bytes that tell it. */
function headerLength(header: Uint8Array): number {
  const length = (header[1] ?? 0) & LENGTH;
  return length === LENGTH_64 ? 10 : length === LENGTH_16 ? 4 : 2;
}

function parseHeader(header: Uint8Array<ArrayBuffer>): Frame {
  const [first = 0, second = 0] = header;
  const opcode = first & OPCODE;
  const final = (first & FIN) !== 0;
  if ((first & RESERVED) !== 0) throw broken('the server set reserved bits of a frame');
  if ((opcode > OPCODE_BINARY && opcode < OPCODE_CLOSE) || opcode > OPCODE_PONG)
    throw broken(`the server sent a frame of the unknown kind ${opcode}`);
  if ((second & MASKED) !== 0) throw broken('the server masked a frame');
  const left = parseLength(header);
  if (isControl(opcode) && (left > MAX_CONTROL || !final))
    throw broken('the server sent a control frame that is too long or fragmented');
  return { final, opcode, left };
}

function parseLength(header: Uint8Array<ArrayBuffer>): number {
  const view = new DataView(header.buffer, header.byteOffset);
  const short = (header[1] as number) & LENGTH;
  if (short < LENGTH_16) return short;
  const length = short === LENGTH_16 ? view.getUint16(2) : Number(view.getBigUint64(2));
  if (length < LENGTH_16 || (short === LENGTH_64 && length <= 0xffff))
    throw broken('the server wrote a length in more bytes than it needs');
  return length;
}

function parseClose(payload: Uint8Array<ArrayBuffer>): Close {
  if (payload.length === 0) return { code: NO_CODE, reason: '' };
  const code = payload.length === 1 ? 0 : ((payload[0] as number) << 8) | (payload[1] as number);
  if (!isSentCode(code)) throw broken('the server closed with an invalid status code');
  return { code, reason: decodeText(payload.subarray(2)) };
}

/** Codes that may be on the wire (section 7.4, and the registry of IANA). */
const isSentCode = (code: number): boolean =>
  (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);

function decodeText(bytes: Uint8Array<ArrayBuffer>): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ProtocolError(INVALID_DATA, 'the server sent text that is not UTF-8');
  }
}

/** A frame for the server, in pieces of bounded size. Its mask is new for each frame (section 5.3). */
export function* encodeFrame(opcode: number, payload: Uint8Array): Generator<Uint8Array<ArrayBuffer>> {
  const mask = crypto.getRandomValues(new Uint8Array(4));
  const header = encodeHeader(opcode, payload.length, mask);
  const first = new Uint8Array(header.length + Math.min(payload.length, PIECE));
  first.set(header);
  writeMasked(payload.subarray(0, PIECE), mask, first.subarray(header.length));
  yield first;
  // The positions of pieces are multiples of the mask's length.
  for (let at = PIECE; at < payload.length; at += PIECE) {
    const piece = payload.subarray(at, at + PIECE);
    yield writeMasked(piece, mask, new Uint8Array(piece.length));
  }
}

function writeMasked(
  piece: Uint8Array,
  mask: Uint8Array,
  into: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  for (let i = 0; i < piece.length; i++) into[i] = (piece[i] as number) ^ (mask[i & 3] as number);
  return into;
}

function encodeHeader(opcode: number, length: number, mask: Uint8Array): Uint8Array<ArrayBuffer> {
  const size = length < LENGTH_16 ? 2 : length <= 0xffff ? 4 : 10;
  const header = new Uint8Array(size + mask.length);
  const view = new DataView(header.buffer);
  header[0] = FIN | opcode;
  header[1] = MASKED | (size === 2 ? length : size === 4 ? LENGTH_16 : LENGTH_64);
  if (size === 4) view.setUint16(2, length);
  if (size === 10) view.setBigUint64(2, BigInt(length));
  header.set(mask, size);
  return header;
}

export function encodeClose({ code, reason }: Close): Uint8Array<ArrayBuffer> {
  if (code === NO_CODE) return new Uint8Array(0);
  return Uint8Array.of(code >> 8, code & 0xff, ...new TextEncoder().encode(reason));
}
