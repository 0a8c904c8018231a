/**
 * The compact form in which an index is stored: a header (magic, version), then numbers with 7 bits per byte,
 * lowest first. The last byte has a clear topmost bit. Paths omit the part that they share with the preceding
 * path.
 */

import { ImageError } from '../oci/errors.ts';
import { type ByteString, toByteString, writeByteString } from './byte-string.ts';
import { checkExtents } from './sparse.ts';
import {
  checkEntry,
  type Extent,
  normalizePath,
  TAR_BLOCK,
  type TarEntry,
  type TarIndex,
  type Xattr,
} from './tar-entry.ts';

const MAGIC = 0x4c52_5449; // "LRTI"
const VERSION = 1;
const HEADER_SIZE = 5;

/** The number of an entry's type is its place in this list. */
const TYPES = ['file', 'directory', 'symlink', 'hardlink', 'character', 'block', 'fifo', 'sparse'] as const;

export function encodeIndex({ size, entries }: TarIndex): Uint8Array<ArrayBuffer> {
  const out = new Encoder();
  out.number(size);
  out.number(entries.length);
  let previous = '';
  for (const entry of entries) {
    encodeEntry(out, entry, previous);
    previous = entry.path;
  }
  return out.finish();
}

/**
 * @throws ImageError when `encodeIndex` cannot have made the bytes; the index must then be rebuilt from
 *   the tar
 */
export function decodeIndex(bytes: Uint8Array): TarIndex {
  const input = new Decoder(bytes);
  const size = input.number();
  const count = input.number();
  const entries: TarEntry[] = [];
  let previous = '';
  for (let i = 0; i < count; i++) {
    const entry = decodeEntry(input, previous);
    checkDecoded(entry, size);
    entries.push(entry);
    previous = entry.path;
  }
  input.finish();
  return { size, entries };
}

function encodeEntry(out: Encoder, entry: TarEntry, previous: ByteString): void {
  const sparse = entry.type === 'file' && entry.extents !== undefined;
  out.number(TYPES.indexOf(sparse ? 'sparse' : entry.type));
  const shared = sharedLength(previous, entry.path);
  out.number(shared);
  out.text(entry.path.slice(shared));
  out.number(entry.mode);
  out.number(entry.uid);
  out.number(entry.gid);
  out.number(Math.abs(entry.mtime));
  out.number(entry.mtime < 0 ? 1 : 0);
  out.number(entry.mtimeNs);
  out.number(entry.xattrs.length);
  for (const { name, value } of entry.xattrs) {
    out.text(name);
    out.bytes(value);
  }
  encodeContent(out, entry);
}

function encodeContent(out: Encoder, entry: TarEntry): void {
  switch (entry.type) {
    case 'file':
      out.number(entry.size);
      out.number(entry.offset / TAR_BLOCK);
      if (entry.extents) encodeExtents(out, entry.extents);
      break;
    case 'symlink':
    case 'hardlink':
      out.text(entry.target);
      break;
    case 'character':
    case 'block':
      out.number(entry.major);
      out.number(entry.minor);
      break;
  }
}

function encodeExtents(out: Encoder, extents: readonly Extent[]): void {
  out.number(extents.length);
  for (const { offset, length } of extents) {
    out.number(offset);
    out.number(length);
  }
}

function decodeEntry(input: Decoder, previous: ByteString): TarEntry {
  const type = TYPES[input.number()];
  const shared = input.number();
  const attributes = {
    path: previous.slice(0, shared) + input.text(),
    mode: input.number(),
    uid: input.number(),
    gid: input.number(),
    mtime: decodeTime(input),
    mtimeNs: input.number(),
    xattrs: decodeXattrs(input),
  };
  switch (type) {
    case 'file':
    case 'sparse': {
      const size = input.number();
      const offset = input.number() * TAR_BLOCK;
      const extents = type === 'sparse' ? decodeExtents(input, size) : undefined;
      return { ...attributes, type: 'file', size, offset, extents };
    }
    case 'directory':
    case 'fifo':
      return { ...attributes, type };
    case 'symlink':
    case 'hardlink':
      return { ...attributes, type, target: input.text() };
    case 'character':
    case 'block':
      return { ...attributes, type, major: input.number(), minor: input.number() };
    default:
      throw damaged();
  }
}

function decodeTime(input: Decoder): number {
  const seconds = input.number();
  return input.number() === 0 ? seconds : -seconds;
}

function decodeXattrs(input: Decoder): Xattr[] {
  const xattrs: Xattr[] = [];
  for (let left = input.number(); left > 0; left--)
    xattrs.push({ name: input.text(), value: input.bytes().slice() });
  return xattrs;
}

function decodeExtents(input: Decoder, size: number): Extent[] {
  const extents: Extent[] = [];
  let total = 0;
  for (let left = input.number(); left > 0; left--) {
    const extent = { offset: input.number(), length: input.number() };
    extents.push(extent);
    total += extent.length;
  }
  return checkExtents(extents, size, total);
}

function checkDecoded(entry: TarEntry, tarSize: number): void {
  checkEntry(entry);
  if (normalizePath(entry.path) !== entry.path) throw damaged();
  if (entry.type === 'hardlink' && normalizePath(entry.target) !== entry.target) throw damaged();
  if (entry.type !== 'file') return;
  const stored = entry.extents?.reduce((sum, { length }) => sum + length, 0) ?? entry.size;
  if (entry.offset + stored > tarSize) throw damaged();
}

function sharedLength(a: ByteString, b: ByteString): number {
  const limit = Math.min(a.length, b.length);
  let length = 0;
  while (length < limit && a.charCodeAt(length) === b.charCodeAt(length)) length++;
  return length;
}

function damaged(): ImageError {
  return new ImageError('the stored index of a layer is damaged');
}

class Encoder {
  #buffer = new Uint8Array(1 << 16);
  #length = HEADER_SIZE;

  constructor() {
    new DataView(this.#buffer.buffer).setUint32(0, MAGIC);
    this.#buffer[4] = VERSION;
  }

  number(value: number): void {
    this.#reserve(8);
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
    this.#buffer[this.#length++] = rest;
  }

  text(text: ByteString): void {
    this.number(text.length);
    this.#reserve(text.length);
    writeByteString(text, this.#buffer, this.#length);
    this.#length += text.length;
  }

  bytes(bytes: Uint8Array): void {
    this.number(bytes.length);
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.#length);
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + length));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}

/** Each number, text and list takes at least one byte, so loops over counts end when the bytes do. */
class Decoder {
  readonly #bytes: Uint8Array;
  #at = HEADER_SIZE;

  constructor(bytes: Uint8Array) {
    const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < HEADER_SIZE || header.getUint32(0) !== MAGIC) throw damaged();
    if (bytes[4] !== VERSION) throw new ImageError('the stored index of a layer is of another version');
    this.#bytes = bytes;
  }

  number(): number {
    let value = 0;
    for (let factor = 1; factor < 2 ** 56; factor *= 0x80) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw damaged();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) throw damaged();
        return value;
      }
    }
    throw damaged();
  }

  text(): ByteString {
    return toByteString(this.bytes());
  }

  /** A view, not a copy. */
  bytes(): Uint8Array {
    const length = this.number();
    const start = this.#at;
    if (length > this.#bytes.length - start) throw damaged();
    this.#at += length;
    return this.#bytes.subarray(start, this.#at);
  }

  finish(): void {
    if (this.#at !== this.#bytes.length) throw damaged();
  }
}
