import { StateError } from '../machine/errors.ts';
import type { Plain } from '../machine/state.ts';
import { decodeBytes, encodeBytes } from '../text/byte-text.ts';

/**
 * The encoding of plain data. A value is a tag and what follows it. Lengths and whole numbers are LEB128, and
 * long byte arrays ("blobs") lie outside of the encoding, which holds their numbers.
 */
const TAG = {
  null: 0,
  false: 1,
  true: 2,
  whole: 3,
  number: 4,
  text: 5,
  bytes: 6,
  blob: 7,
  list: 8,
  record: 9,
} as const;

/** Byte arrays from this length on are blobs: 64 KiB is the chunk of a disk in memory. */
const BLOB = 32 << 10;
/** Lists and records inside each other. */
const DEEPEST = 64;
/** Values together, which bounds the memory that a short input takes. */
const MOST_VALUES = 1 << 20;

export interface EncodedPlain {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The long byte arrays, not copied. */
  readonly blobs: readonly Uint8Array[];
}

/** @throws StateError for data that `decodePlain` would refuse */
export function encodePlain(value: Plain): EncodedPlain {
  const encoder = new Encoder();
  encoder.value(value, 0);
  return { bytes: encoder.bytes.slice(0, encoder.length), blobs: encoder.blobs };
}

/** @throws StateError for anything that `encodePlain` has not made */
export function decodePlain(bytes: Uint8Array, blobs: readonly Uint8Array[] = []): Plain {
  const decoder = new Decoder(bytes, blobs);
  const value = decoder.value(0);
  if (decoder.at !== bytes.length) throw new StateError('something follows its data');
  return value;
}

class Encoder {
  bytes = new Uint8Array(4096);
  length = 0;
  readonly blobs: Uint8Array[] = [];
  #values = 0;
  readonly #float = new DataView(new ArrayBuffer(8));

  value(value: Plain, depth: number): void {
    if (depth > DEEPEST || ++this.#values > MOST_VALUES) throw new StateError('its data is too large');
    if (value === null) this.#byte(TAG.null);
    else if (typeof value === 'boolean') this.#byte(value ? TAG.true : TAG.false);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') this.#text(TAG.text, value);
    else if (value instanceof Uint8Array) this.#bytes(value);
    else if (isList(value)) {
      this.#head(TAG.list, value.length);
      for (const item of value) this.value(item, depth + 1);
    } else this.#record(value, depth);
  }

  #record(record: { readonly [name: string]: Plain }, depth: number): void {
    const entries = Object.entries(record);
    this.#head(TAG.record, entries.length);
    for (const [name, item] of entries) {
      this.#text(undefined, name);
      this.value(item, depth + 1);
    }
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)) {
      this.#head(TAG.whole, value);
      return;
    }
    if (!Number.isFinite(value)) throw new StateError(`its data holds ${value}`);
    this.#byte(TAG.number);
    this.#float.setFloat64(0, value, true);
    this.#append(new Uint8Array(this.#float.buffer));
  }

  #text(tag: number | undefined, text: string): void {
    // Names of files are text that may stand for bytes which are not UTF-8.
    const bytes = encodeBytes(text);
    if (tag !== undefined) this.#byte(tag);
    this.#whole(bytes.length);
    this.#append(bytes);
  }

  #bytes(bytes: Uint8Array): void {
    if (bytes.length >= BLOB) {
      this.#head(TAG.blob, this.blobs.length);
      this.blobs.push(bytes);
      return;
    }
    this.#head(TAG.bytes, bytes.length);
    this.#append(bytes);
  }

  #head(tag: number, value: number): void {
    this.#byte(tag);
    this.#whole(value);
  }

  #whole(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#byte((rest % 0x80) | 0x80);
    this.#byte(rest);
  }

  #byte(byte: number): void {
    this.#reserve(1);
    this.bytes[this.length++] = byte;
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  #reserve(size: number): void {
    if (this.length + size <= this.bytes.length) return;
    const grown = new Uint8Array(2 * (this.length + size));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

class Decoder {
  at = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #blobs: readonly Uint8Array[];
  #values = 0;

  constructor(bytes: Uint8Array, blobs: readonly Uint8Array[]) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#blobs = blobs;
  }

  value(depth: number): Plain {
    if (depth > DEEPEST || ++this.#values > MOST_VALUES) throw new StateError('its data is too large');
    switch (this.#byte()) {
      case TAG.null:
        return null;
      case TAG.false:
        return false;
      case TAG.true:
        return true;
      case TAG.whole:
        return this.#whole();
      case TAG.number:
        return this.#number();
      case TAG.text:
        return this.#text();
      case TAG.bytes:
        // A copy, because the rest of the input need not stay in memory.
        return this.#take(this.#whole()).slice();
      case TAG.blob:
        return this.#blob(this.#whole());
      case TAG.list:
        return Array.from({ length: this.#count(1) }, () => this.value(depth + 1));
      case TAG.record:
        return this.#record(depth);
      default:
        throw new StateError('its data is of an unknown kind');
    }
  }

  #record(depth: number): Plain {
    const record: { [name: string]: Plain } = {};
    for (let left = this.#count(2); left > 0; left--) {
      const name = this.#text();
      if (name === '__proto__' || Object.hasOwn(record, name)) throw new StateError(`it names ${name} twice`);
      record[name] = this.value(depth + 1);
    }
    return record;
  }

  #number(): number {
    const value = new DataView(this.#take(8).slice().buffer).getFloat64(0, true);
    if (!Number.isFinite(value)) throw new StateError('it holds a number that is none');
    return value;
  }

  #text(): string {
    // A copy, because decoders refuse shared memory.
    return decodeBytes(this.#take(this.#whole()).slice());
  }

  #blob(number: number): Uint8Array {
    const blob = this.#blobs[number];
    if (!blob) throw new StateError('a part of its data is missing');
    return blob;
  }

  /** A number of items, each of which takes at least `size` bytes. */
  #count(size: number): number {
    const count = this.#whole();
    if (count * size > this.#bytes.length - this.at) throw new StateError('its data ends early');
    if (count > MOST_VALUES) throw new StateError('its data is too large');
    return count;
  }

  #whole(): number {
    let value = 0;
    for (let unit = 1; ; unit *= 0x80) {
      const byte = this.#byte();
      value += (byte & 0x7f) * unit;
      if (!Number.isSafeInteger(value)) throw new StateError('it holds a number that is too large');
      if (byte < 0x80) return value;
      if (unit > Number.MAX_SAFE_INTEGER) throw new StateError('it holds a number that is too long');
    }
  }

  #byte(): number {
    if (this.at >= this.#bytes.length) throw new StateError('its data ends early');
    return this.#view.getUint8(this.at++);
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.at) throw new StateError('its data ends early');
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}
