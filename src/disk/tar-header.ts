/** Header blocks of a tar: v7, POSIX ustar, star and GNU. */

import { ImageError } from '../oci/errors.ts';
import { type ByteString, toByteString } from './byte-string.ts';
import { TAR_BLOCK } from './tar-entry.ts';

export interface Header {
  readonly name: ByteString;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  /** The type flag; '0' if an old tar has NUL. */
  readonly type: string;
  readonly linkName: ByteString;
  /** Zero unless the entry is a device. */
  readonly major: number;
  readonly minor: number;
}

const SPACE = 32;
const ZERO = 48;
const CHECKSUM = 148;
const CHECKSUM_LENGTH = 8;

/** @throws ImageError if the checksum or a number is wrong */
export function parseHeader(block: Uint8Array): Header {
  verifyChecksum(block);
  const flag = String.fromCharCode(block[156] as number);
  const name = fullName(block);
  const device = flag === '3' || flag === '4';
  return {
    name,
    mode: parseNumber(block, 100, 8, 'mode'),
    uid: parseNumber(block, 108, 8, 'user'),
    gid: parseNumber(block, 116, 8, 'group'),
    size: parseNumber(block, 124, 12, 'size'),
    mtime: parseNumber(block, 136, 12, 'time'),
    type: flag === '\0' ? (name.endsWith('/') ? '5' : '0') : flag,
    linkName: parseString(block, 157, 100),
    major: device ? parseNumber(block, 329, 8, 'device number') : 0,
    minor: device ? parseNumber(block, 337, 8, 'device number') : 0,
  };
}

export function isZero(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** The bytes up to the first NUL. */
export function parseString(block: Uint8Array, at: number, length: number): ByteString {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return toByteString(end < 0 ? field : field.subarray(0, end));
}

/** A number in octal digits, or big-endian in two's complement when the topmost bit is set (GNU). */
export function parseNumber(block: Uint8Array, at: number, length: number, what: string): number {
  const first = block[at] as number;
  const value = first >= 0x80 ? parseBinary(block, at, length) : parseOctal(block, at, length);
  if (value === undefined || !Number.isSafeInteger(value))
    throw new ImageError(`bad ${what} in a tar header`);
  return value;
}

function parseBinary(block: Uint8Array, at: number, length: number): number {
  // The topmost bit is only the mark; the one below it is the sign.
  const first = block[at] as number;
  let value = first & 0x40 ? first - 0x100 : first & 0x3f;
  for (let i = 1; i < length; i++) value = value * 256 + (block[at + i] as number);
  return value;
}

/** Digits between any number of spaces and NULs. */
function parseOctal(block: Uint8Array, at: number, length: number): number | undefined {
  const end = at + length;
  let i = at;
  while (i < end && isPadding(block[i])) i++;
  let value = 0;
  for (; i < end && !isPadding(block[i]); i++) {
    const digit = (block[i] as number) - ZERO;
    if (digit < 0 || digit > 7) return undefined;
    value = value * 8 + digit;
  }
  while (i < end && isPadding(block[i])) i++;
  return i === end ? value : undefined;
}

function isPadding(byte: number | undefined): boolean {
  return byte === 0 || byte === SPACE;
}

/**
 * The sum of the header's bytes, with the bytes of the checksum itself as spaces. Some old tars added signed
 * bytes.
 */
function verifyChecksum(block: Uint8Array): void {
  let sum = CHECKSUM_LENGTH * SPACE;
  let negative = 0;
  for (let i = 0; i < TAR_BLOCK; i++) {
    if (i >= CHECKSUM && i < CHECKSUM + CHECKSUM_LENGTH) continue;
    const byte = block[i] as number;
    sum += byte;
    if (byte >= 0x80) negative++;
  }
  const expected = parseOctal(block, CHECKSUM, CHECKSUM_LENGTH);
  if (expected !== sum && expected !== sum - 256 * negative)
    throw new ImageError('bad checksum of a tar header');
}

function fullName(block: Uint8Array): ByteString {
  const name = parseString(block, 0, 100);
  // With GNU's magic "ustar  " there are other fields in place of the prefix; star has a shorter one.
  const posix = parseString(block, 257, 6) === 'ustar';
  if (!posix) return name;
  const star = parseString(block, 508, 4) === 'tar';
  const prefix = parseString(block, 345, star ? 131 : 155);
  return prefix === '' ? name : `${prefix}/${name}`;
}
