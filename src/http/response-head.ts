/** The head of a response: status line and header fields (RFC 9112, sections 4 and 5). */
import { type ByteString, quote, toByteString } from '../disk/byte-string.ts';
import { ByteBuffer } from './byte-buffer.ts';
import { HttpError } from './errors.ts';
import { type Field, isFieldValue, isToken } from './fields.ts';

export interface ResponseHead {
  readonly minorVersion: number;
  readonly status: number;
  readonly statusText: string;
  readonly fields: readonly Field[];
}

const MAX_BYTES = 64 * 1024;
const MAX_FIELDS = 100;
const LF = 0x0a;
const CR = 0x0d;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/;

/**
 * Collects bytes up to an empty line, which ends heads and trailers. A line may end with a bare LF (RFC 9112,
 * section 2.2), because programs behind CGI write such heads.
 */
export class FieldBlock {
  readonly #buffer = new ByteBuffer();
  /** Where the line begins whose end has not arrived. */
  #line = 0;

  /** Takes bytes. Returns those behind the empty line once it has arrived. */
  add(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
    let from = 0;
    for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, from)) {
      this.#append(bytes.subarray(from, at + 1));
      from = at + 1;
      const length = this.#buffer.length - this.#line - 1;
      if (length === 0 || (length === 1 && this.#buffer.bytes[this.#line] === CR))
        return bytes.subarray(from);
      this.#line = this.#buffer.length;
    }
    this.#append(bytes.subarray(from));
    return undefined;
  }

  get isEmpty(): boolean {
    return this.#buffer.length === 0;
  }

  /** Whether the text, or its beginning, are the first bytes, also of an incomplete block. */
  startsLike(text: string): boolean {
    return text.startsWith(toByteString(this.#buffer.bytes.subarray(0, text.length)));
  }

  /** The lines in front of the empty one. */
  lines(): ByteString[] {
    const lines = toByteString(this.#buffer.bytes.subarray(0, this.#line)).split('\n').slice(0, -1);
    return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  }

  #append(bytes: Uint8Array): void {
    if (this.#buffer.length + bytes.length > MAX_BYTES)
      throw new HttpError('the server sent more than 64 KiB of headers');
    this.#buffer.append(bytes);
  }
}

/** @throws HttpError */
export function parseHead(lines: readonly ByteString[]): ResponseHead {
  const [line = '', ...rest] = lines;
  const match = STATUS_LINE.exec(line);
  if (!match) throw new HttpError(`the server sent the invalid status line ${quote(line)}`);
  const [, minorVersion, status, statusText = ''] = match;
  return {
    minorVersion: Number(minorVersion),
    status: Number(status),
    statusText,
    fields: parseFields(rest),
  };
}

/** @throws HttpError */
export function parseFields(lines: readonly ByteString[]): Field[] {
  const fields = unfold(lines).map(parseField);
  if (fields.length > MAX_FIELDS) throw new HttpError('the server sent more than 100 header fields');
  return fields;
}

/** Joins the continued lines of obsolete folding with a space (RFC 9112, section 5.2). */
function unfold(lines: readonly ByteString[]): ByteString[] {
  const unfolded: ByteString[] = [];
  for (const line of lines) {
    const folded = line.startsWith(' ') || line.startsWith('\t');
    if (folded && unfolded.length > 0) unfolded.push(`${unfolded.pop()} ${trimBlanks(line)}`);
    else unfolded.push(line);
  }
  return unfolded;
}

function parseField(line: ByteString): Field {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0));
  const value = trimBlanks(line.slice(colon + 1));
  // A space in front of the colon, a bare CR and NUL are among what this refuses.
  if (isToken(name) && isFieldValue(value)) return [name, value];
  throw new HttpError(`the server sent the invalid header field ${quote(line)}`);
}

/** Removes spaces and tabs at both ends. A regular expression takes quadratic time. */
function trimBlanks(text: ByteString): ByteString {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start++;
  while (end > start && isBlank(text[end - 1])) end--;
  return text.slice(start, end);
}

const isBlank = (character: string | undefined): boolean => character === ' ' || character === '\t';
