/** Finds the entries of a layer's tar while it streams through; contents stay in the tar. */

import { ImageError } from '../oci/errors.ts';
import { type ByteString, quote } from './byte-string.ts';
import {
  type PaxRecords,
  parsePaxRecords,
  paxNumber,
  paxString,
  paxTime,
  paxXattrs,
  SPARSE_PREFIX,
} from './pax.ts';
import { checkExtents, OldSparseMap, paxSparseMap, type SparseMap } from './sparse.ts';
import {
  checkEntry,
  type FileEntry,
  normalizePath,
  TAR_BLOCK,
  type TarEntry,
  type TarIndex,
} from './tar-entry.ts';
import { type Header, isZero, parseHeader, parseString } from './tar-header.ts';

export { decodeIndex, encodeIndex } from './tar-index.ts';

export interface TarLimits {
  readonly entries: number;
  /** The limit for all names, link targets, extended attributes and extended headers together, in bytes. */
  readonly names: number;
  /** The limit for one extended header or long name, in bytes. */
  readonly extension: number;
}

const DEFAULT_LIMITS: TarLimits = { entries: 1 << 20, names: 128 << 20, extension: 1 << 20 };

/** A header that describes the next entry, or all following entries. */
interface Extension {
  readonly type: string;
  readonly payload: Uint8Array;
  filled: number;
}

type Attributes = Omit<FileEntry, 'type' | 'size' | 'offset' | 'extents'>;

/** A file whose map of extents may be incomplete. */
interface SparseFile {
  readonly attributes: Attributes;
  readonly map: SparseMap;
  /** Bytes of contents in the tar. */
  readonly stored: number;
}

/** Type flags of headers that may have contents: file, contiguous file, GNU's old sparse file. */
const FILE_TYPES = '07S';
const EXTENSION_TYPES = 'xgLK';

/**
 * Reads v7, ustar, star, GNU and PAX tars. The input may be hostile: anything but a well-formed tar of
 * entries that a root file system can hold, within the limits, is an ImageError. Where the formats leave
 * room, it behaves like Go's archive/tar, with which container engines read layers. Like them it accepts a
 * tar that ends without its two zero blocks, or without the padding of its last file. After an error the
 * indexer must not be used.
 */
export class TarIndexer {
  readonly #limits: TarLimits;
  readonly #entries: TarEntry[] = [];
  #names = 0;
  /** Bytes taken so far. */
  #position = 0;
  /** The offset of the current entry's headers. */
  #entryStart = 0;
  /** The remaining bytes of contents and their padding. */
  #skip = 0;
  #contentsEnd = 0;
  readonly #block = new Uint8Array(TAR_BLOCK);
  #filled = 0;
  #zeroBlocks = 0;
  #extension: Extension | undefined;
  #sparse: SparseFile | undefined;
  readonly #global = new Map<ByteString, Uint8Array>();
  #local: PaxRecords | undefined;
  #longName: ByteString | undefined;
  #longLink: ByteString | undefined;

  constructor(limits: Partial<TarLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Takes the next bytes of the tar, and does not keep them. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const length = this.#take(bytes.subarray(at));
      this.#position += length;
      at += length;
      if (this.#filled === TAR_BLOCK) this.#takeBlock();
    }
  }

  /** @throws ImageError if the tar ends within an entry */
  finish(): TarIndex {
    const open = this.#filled > 0 || this.#position < this.#contentsEnd;
    if ((open || this.#awaitsMore()) && !this.#ended) throw new ImageError('the tar ends within an entry');
    return { size: this.#position, entries: this.#entries };
  }

  /** Anything may follow two blocks of zeros. */
  get #ended(): boolean {
    return this.#zeroBlocks === 2;
  }

  #awaitsMore(): boolean {
    const parts = [this.#extension, this.#sparse, this.#local, this.#longName, this.#longLink];
    return parts.some((part) => part !== undefined);
  }

  /** Takes the bytes of one step, and returns their number. */
  #take(bytes: Uint8Array): number {
    if (this.#ended) return bytes.length;
    if (this.#skip > 0) {
      const length = Math.min(this.#skip, bytes.length);
      this.#skip -= length;
      return length;
    }
    const part = bytes.subarray(0, TAR_BLOCK - this.#filled);
    this.#block.set(part, this.#filled);
    this.#filled += part.length;
    return part.length;
  }

  #takeBlock(): void {
    this.#filled = 0;
    try {
      if (this.#extension) this.#extend(this.#extension);
      else if (this.#sparse) this.#extendSparse(this.#sparse);
      else this.#takeHeader();
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      throw new ImageError(`tar entry at byte ${this.#entryStart}: ${error.message}`);
    }
  }

  #takeHeader(): void {
    if (!this.#awaitsMore()) this.#entryStart = this.#position - TAR_BLOCK;
    if (isZero(this.#block)) {
      if (this.#awaitsMore()) throw new ImageError('the entry of an extended header is missing');
      this.#zeroBlocks++;
      return;
    }
    if (this.#zeroBlocks > 0) throw new ImageError('a lone block of zeros before it');
    const header = parseHeader(this.#block);
    if (EXTENSION_TYPES.includes(header.type)) this.#beginExtension(header);
    else this.#takeEntry(header);
  }

  #beginExtension({ type, size }: Header): void {
    if (size < 0 || size > this.#limits.extension)
      throw new ImageError(`extended header of ${size} bytes, over the limit of ${this.#limits.extension}`);
    const extension = { type, payload: new Uint8Array(size), filled: 0 };
    if (size === 0) this.#applyExtension(extension);
    else this.#extension = extension;
  }

  #extend(extension: Extension): void {
    const { payload, filled } = extension;
    const part = this.#block.subarray(0, payload.length - filled);
    payload.set(part, filled);
    extension.filled += part.length;
    if (extension.filled < payload.length) return;
    this.#extension = undefined;
    this.#applyExtension(extension);
  }

  #applyExtension({ type, payload }: Extension): void {
    this.#countNames(payload.length);
    switch (type) {
      case 'x':
        this.#local = parsePaxRecords(payload);
        break;
      case 'g':
        for (const [key, value] of parsePaxRecords(payload))
          if (!key.startsWith(SPARSE_PREFIX)) this.#global.set(key, value);
        break;
      case 'L':
        this.#longName = parseString(payload, 0, payload.length);
        break;
      case 'K':
        this.#longLink = parseString(payload, 0, payload.length);
        break;
    }
  }

  #takeEntry(header: Header): void {
    const records: PaxRecords = this.#local ? new Map([...this.#global, ...this.#local]) : this.#global;
    const attributes = this.#attributes(header, records);
    const link = this.#longLink ?? paxString(records, 'linkpath') ?? header.linkName;
    this.#local = this.#longName = this.#longLink = undefined;
    if (!FILE_TYPES.includes(header.type)) {
      this.#add(entryWithoutContents(header, attributes, link));
      return;
    }
    const stored = paxNumber(records, 'size') ?? header.size;
    const map = header.type === 'S' ? new OldSparseMap(this.#block) : paxSparseMap(records);
    if (map) this.#takeSparse({ attributes, map, stored });
    else this.#addFile({ ...attributes, type: 'file', size: stored, offset: this.#position }, stored);
  }

  #attributes(header: Header, records: PaxRecords): Attributes {
    const name = this.#longName ?? paxString(records, 'GNU.sparse.name') ?? paxString(records, 'path');
    const [mtime, mtimeNs] = paxTime(records, 'mtime') ?? [header.mtime, 0];
    return {
      path: normalizePath(name ?? header.name),
      mode: header.mode & 0o7777,
      uid: paxNumber(records, 'uid') ?? header.uid,
      gid: paxNumber(records, 'gid') ?? header.gid,
      mtime,
      mtimeNs,
      xattrs: paxXattrs(records),
    };
  }

  #extendSparse(file: SparseFile): void {
    file.map.push(this.#block);
    this.#takeSparse(file);
  }

  #takeSparse(file: SparseFile): void {
    const { attributes, map, stored } = file;
    this.#sparse = map.incomplete ? file : undefined;
    if (map.incomplete) return;
    const left = stored - map.contentBytes;
    const extents = checkExtents(map.extents, map.realSize, left);
    this.#addFile({ ...attributes, type: 'file', size: map.realSize, offset: this.#position, extents }, left);
  }

  /** @param stored bytes of contents that follow */
  #addFile(file: FileEntry, stored: number): void {
    this.#add(file);
    this.#contentsEnd = this.#position + stored;
    this.#skip = Math.ceil(stored / TAR_BLOCK) * TAR_BLOCK;
  }

  #add(entry: TarEntry): void {
    checkEntry(entry);
    this.#countNames(entry.path.length + ('target' in entry ? entry.target.length : 0));
    for (const { name, value } of entry.xattrs) this.#countNames(name.length + value.length);
    if (this.#entries.length === this.#limits.entries)
      throw new ImageError(`more than ${this.#limits.entries} entries`);
    this.#entries.push(entry);
  }

  #countNames(bytes: number): void {
    this.#names += bytes;
    if (this.#names > this.#limits.names)
      throw new ImageError(`names and attributes of over ${this.#limits.names} bytes`);
  }
}

function entryWithoutContents(header: Header, attributes: Attributes, link: ByteString): TarEntry {
  const { type, major, minor } = header;
  switch (type) {
    case '1':
      return { ...attributes, type: 'hardlink', target: normalizePath(link) };
    case '2':
      return { ...attributes, type: 'symlink', target: link };
    case '3':
      return { ...attributes, type: 'character', major, minor };
    case '4':
      return { ...attributes, type: 'block', major, minor };
    case '5':
      return { ...attributes, type: 'directory' };
    case '6':
      return { ...attributes, type: 'fifo' };
    default:
      throw new ImageError(`unsupported type of entry ${quote(type)}`);
  }
}
