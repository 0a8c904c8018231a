/**
 * Sparse files of GNU tar: a map of the extents that are not holes, then these extents one after the other.
 * The map is in the header (old format), in PAX records (0.0 and 0.1) or in blocks before the contents (1.0).
 */

import { ImageError } from '../oci/errors.ts';
import { type ByteString, toByteString } from './byte-string.ts';
import { type PaxRecords, parseDecimal, paxNumber } from './pax.ts';
import { type Extent, TAR_BLOCK } from './tar-entry.ts';
import { parseNumber } from './tar-header.ts';

const MAX_MAP_BLOCKS = 2048;
const MAX_LINE = 32;

const OLD_MAP = 386;
const OLD_MAP_ENTRIES = 4;
const OLD_EXTENDED = 482;
const OLD_REAL_SIZE = 483;
const EXTENSION_ENTRIES = 21;
const EXTENSION_EXTENDED = 504;
const OLD_ENTRY_SIZE = 24;
const OLD_NUMBER_SIZE = 12;

/** Collects a map that arrives in blocks. */
export interface SparseMap {
  /** Whether another block belongs to the map. */
  readonly incomplete: boolean;
  push(block: Uint8Array): void;
  /** Bytes of the file's contents in the tar that are the map itself. */
  readonly contentBytes: number;
  /** The size of the file with its holes, in bytes. */
  readonly realSize: number;
  readonly extents: readonly Extent[];
}

/** The format of type flag 'S', whose first block is the header itself. */
export class OldSparseMap implements SparseMap {
  readonly realSize: number;
  readonly contentBytes = 0;
  readonly extents: Extent[] = [];
  #incomplete = true;
  #blocks = 0;

  constructor(header: Uint8Array) {
    this.realSize = parseNumber(header, OLD_REAL_SIZE, OLD_NUMBER_SIZE, 'size of a sparse file');
    this.#take(header, OLD_MAP, OLD_MAP_ENTRIES, OLD_EXTENDED);
  }

  get incomplete(): boolean {
    return this.#incomplete;
  }

  push(block: Uint8Array): void {
    if (++this.#blocks > MAX_MAP_BLOCKS) throw tooLong();
    this.#take(block, 0, EXTENSION_ENTRIES, EXTENSION_EXTENDED);
  }

  #take(block: Uint8Array, start: number, entries: number, extended: number): void {
    for (let at = start; at < start + entries * OLD_ENTRY_SIZE && block[at] !== 0; at += OLD_ENTRY_SIZE)
      this.extents.push({
        offset: parseNumber(block, at, OLD_NUMBER_SIZE, 'sparse map'),
        length: parseNumber(block, at + OLD_NUMBER_SIZE, OLD_NUMBER_SIZE, 'sparse map'),
      });
    this.#incomplete = block[extended] !== 0;
  }
}

/** Version 1.0: lines of decimal numbers, the count of extents and then their offsets and lengths. */
class PaxSparseMap implements SparseMap {
  readonly realSize: number;
  readonly #numbers: number[] = [];
  /** The start of a line that ends in the next block. */
  #line: ByteString = '';
  #blocks = 0;

  constructor(realSize: number) {
    this.realSize = realSize;
  }

  get incomplete(): boolean {
    const count = this.#numbers[0];
    return count === undefined || this.#numbers.length < 1 + 2 * count;
  }

  get contentBytes(): number {
    return this.#blocks * TAR_BLOCK;
  }

  get extents(): Extent[] {
    return pairs(this.#numbers.slice(1));
  }

  push(block: Uint8Array): void {
    if (++this.#blocks > MAX_MAP_BLOCKS) throw tooLong();
    const lines = (this.#line + toByteString(block)).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) {
      if (!this.incomplete) return;
      this.#numbers.push(mapNumber(line));
    }
    if (this.incomplete && this.#line.length > MAX_LINE) throw malformed();
  }
}

/** The map of a file that its PAX records declare sparse. */
export function paxSparseMap(records: PaxRecords): SparseMap | undefined {
  const list = records.get('GNU.sparse.map');
  const realSize = paxNumber(records, 'GNU.sparse.realsize') ?? paxNumber(records, 'GNU.sparse.size');
  const version = paxNumber(records, 'GNU.sparse.major');
  if (list === undefined && realSize === undefined && version === undefined) return undefined;
  if (realSize === undefined) throw new ImageError('sparse file without a size');
  if (version === 1) return new PaxSparseMap(realSize);
  if (list === undefined || (version ?? 0) !== 0) throw new ImageError('unknown format of a sparse file');
  const numbers = list.length === 0 ? [] : toByteString(list).split(',');
  const extents = pairs(numbers.map(mapNumber));
  return { incomplete: false, push() {}, contentBytes: 0, realSize, extents };
}

/**
 * Returns extents in the form of `FileEntry.extents`.
 * @param stored the number of the file's bytes in the tar
 * @throws ImageError if the map contradicts itself or its extents are not whole blocks
 */
export function checkExtents(extents: readonly Extent[], realSize: number, stored: number): Extent[] {
  let end = 0;
  let total = 0;
  for (const { offset, length } of extents) {
    if (!(offset >= end && length >= 0 && offset + length <= realSize))
      throw new ImageError('sparse map with overlapping or misplaced extents');
    end = offset + length;
    total += length;
    const whole = end % TAR_BLOCK === 0 || end === realSize;
    if (length > 0 && (offset % TAR_BLOCK !== 0 || !whole))
      throw new ImageError(`sparse map with extents that are not multiples of ${TAR_BLOCK} bytes`);
  }
  if (total !== stored) throw new ImageError('sparse map that does not match the size of the contents');
  return extents.filter(({ length }) => length > 0);
}

function pairs(numbers: readonly number[]): Extent[] {
  if (numbers.length % 2 !== 0) throw malformed();
  const extents: Extent[] = [];
  for (let i = 0; i < numbers.length; i += 2)
    extents.push({ offset: numbers[i] as number, length: numbers[i + 1] as number });
  return extents;
}

function mapNumber(digits: ByteString): number {
  const number = parseDecimal(digits);
  if (number === undefined) throw malformed();
  return number;
}

function malformed(): ImageError {
  return new ImageError('malformed sparse map');
}

function tooLong(): ImageError {
  return new ImageError('sparse map is too long');
}
