/** Where the body of a response ends (RFC 9112, section 6.3). */
import { quote } from '../disk/byte-string.ts';
import { ChunkedDecoder } from './chunked-decoder.ts';
import { HttpError } from './errors.ts';
import { fieldValue } from './fields.ts';
import type { ResponseHead } from './response-head.ts';

/** Takes the bytes of a body out of those of a connection. */
export interface BodyDecoder {
  /** The body is complete. */
  readonly done: boolean;
  /** The connection ends with the body. */
  readonly untilClose: boolean;
  /** Returns the bytes of the body, and afterwards those behind it in `rest`. */
  decode(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  readonly rest: Uint8Array<ArrayBuffer>;
}

const NOTHING = new Uint8Array(0);
/** Of decimal digits that fit a safe integer. */
const LENGTH = /^\d{1,15}$/;
const NO_BODY = [204, 304];

/** @throws HttpError if the lengths are invalid or contradict each other, as in response splitting */
export function bodyDecoder(head: ResponseHead, method: string): BodyDecoder {
  const coding = fieldValue(head.fields, 'transfer-encoding');
  const length = fieldValue(head.fields, 'content-length');
  if (coding !== undefined) checkCoding(coding, length, head);
  if (length !== undefined && !LENGTH.test(length))
    throw new HttpError(`the server sent the invalid Content-Length ${quote(length)}`);
  if (!hasBody(head, method)) return new LengthDecoder(0);
  if (coding !== undefined) return new ChunkedDecoder();
  return length === undefined ? new CloseDecoder() : new LengthDecoder(Number(length));
}

export const hasBody = (head: ResponseHead, method: string): boolean =>
  method !== 'HEAD' && !NO_BODY.includes(head.status);

function checkCoding(coding: string, length: string | undefined, head: ResponseHead): void {
  if (length !== undefined)
    throw new HttpError(
      'the server sent both Transfer-Encoding and Content-Length, which contradict each other',
    );
  if (coding.toLowerCase() !== 'chunked')
    throw new HttpError(`the server sent the unknown Transfer-Encoding ${quote(coding)}`);
  if (head.minorVersion === 0) throw new HttpError('the server sent a Transfer-Encoding in HTTP/1.0');
}

class LengthDecoder implements BodyDecoder {
  readonly untilClose = false;
  rest = NOTHING;
  #left: number;

  constructor(length: number) {
    this.#left = length;
  }

  get done(): boolean {
    return this.#left === 0;
  }

  decode(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const body = bytes.subarray(0, this.#left);
    this.#left -= body.length;
    this.rest = bytes.subarray(body.length);
    return body;
  }
}

class CloseDecoder implements BodyDecoder {
  readonly done = false;
  readonly untilClose = true;
  readonly rest = NOTHING;

  decode(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    return bytes;
  }
}
