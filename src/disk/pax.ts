/** Extended headers of POSIX tars (IEEE Std 1003.1, pax), whose records override fields of the header. */

import { ImageError } from '../oci/errors.ts';
import { type ByteString, quote, toByteString } from './byte-string.ts';
import type { Xattr } from './tar-entry.ts';

/** Values by key; an empty value cancels an override. */
export type PaxRecords = ReadonlyMap<ByteString, Uint8Array>;

const LINE_FEED = 10;
const SPACE = 32;
const EQUALS = 61;
const COMMA = 44;
const XATTR_PREFIX = 'SCHILY.xattr.';
export const SPARSE_PREFIX = 'GNU.sparse.';
const KEYS = new Set(['path', 'linkpath', 'size', 'uid', 'gid', 'mtime']);

/**
 * The known records; others would only take memory.
 * @throws ImageError when a record is not `length key=value\n`
 */
export function parsePaxRecords(payload: Uint8Array): PaxRecords {
  const records = new Map<ByteString, Uint8Array>();
  const sparse: Uint8Array[] = [];
  for (let at = 0; at < payload.length; ) {
    const [record, end] = takeRecord(payload, at);
    const equals = record.indexOf(EQUALS);
    if (equals <= 0) throw malformed();
    const key = toByteString(record.subarray(0, equals));
    at = end;
    if (!KEYS.has(key) && !key.startsWith(XATTR_PREFIX) && !key.startsWith(SPARSE_PREFIX)) continue;
    const value = record.slice(equals + 1);
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') sparse.push(value);
    else records.set(key, value);
  }
  // Version 0.0 of GNU's sparse files repeats two keys; 0.1 has their values in one list.
  if (sparse.length > 0) records.set('GNU.sparse.map', join(sparse));
  return records;
}

function takeRecord(payload: Uint8Array, at: number): [record: Uint8Array, end: number] {
  const space = payload.subarray(at, at + 16).indexOf(SPACE);
  const length = space < 0 ? undefined : parseDecimal(toByteString(payload.subarray(at, at + space)));
  if (length === undefined || length < space + 2) throw malformed();
  const end = at + length;
  if (end > payload.length || payload[end - 1] !== LINE_FEED) throw malformed();
  return [payload.subarray(at + space + 1, end - 1), end];
}

function malformed(): ImageError {
  return new ImageError('malformed PAX record');
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const list: number[] = [];
  for (const part of parts) {
    if (list.length > 0) list.push(COMMA);
    for (const byte of part) list.push(byte);
  }
  return Uint8Array.from(list);
}

export function paxString(records: PaxRecords, key: string): ByteString | undefined {
  const value = records.get(key);
  if (value === undefined || value.length === 0) return undefined;
  if (value.includes(0)) throw new ImageError(`NUL in the PAX record ${quote(key)}`);
  return toByteString(value);
}

/** A non-negative integer. */
export function paxNumber(records: PaxRecords, key: string): number | undefined {
  const value = records.get(key);
  if (value === undefined || value.length === 0) return undefined;
  const number = parseDecimal(toByteString(value));
  if (number === undefined) throw new ImageError(`bad number in the PAX record ${quote(key)}`);
  return number;
}

/** Seconds since 1970, rounded down, and nanoseconds. Finer fractions are cut off. */
export function paxTime(
  records: PaxRecords,
  key: string,
): [seconds: number, nanoseconds: number] | undefined {
  const text = paxString(records, key);
  if (text === undefined) return undefined;
  const [, sign, whole, fraction = ''] = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text) ?? [];
  if (whole === undefined) throw new ImageError(`bad time in the PAX record ${quote(key)}`);
  const seconds = Number(whole);
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'));
  if (sign === '') return [seconds, nanoseconds];
  return nanoseconds === 0 ? [-seconds || 0, 0] : [-seconds - 1, 1e9 - nanoseconds];
}

export function paxXattrs(records: PaxRecords): Xattr[] {
  const xattrs: Xattr[] = [];
  for (const [key, value] of records)
    if (key.startsWith(XATTR_PREFIX)) xattrs.push({ name: key.slice(XATTR_PREFIX.length), value });
  return xattrs;
}

/** A number that a double can represent exactly. */
export function parseDecimal(digits: ByteString): number | undefined {
  const number = /^\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}
