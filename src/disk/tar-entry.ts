/** The entries of a layer's tar as the rest of LinuxRun sees them, and the rules that each entry keeps. */

import { ImageError } from '../oci/errors.ts';
import { type ByteString, quote } from './byte-string.ts';

/** Contents of files begin at multiples of this in a tar. It is also the block size of the root disk. */
export const TAR_BLOCK = 512;

/** The prefix of a name that a layer removes. */
export const WHITEOUT = '.wh.';

export interface Xattr {
  /** The name with its namespace, such as `security.capability`. */
  readonly name: ByteString;
  readonly value: Uint8Array;
}

/** A range of a sparse file that is not a hole, in bytes. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

interface Common {
  /** Components joined by '/', none of them empty, '.' or '..'. Empty for the root itself. */
  readonly path: ByteString;
  /** Permissions, setuid, setgid and sticky: 12 bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970, rounded down. */
  readonly mtime: number;
  readonly mtimeNs: number;
  readonly xattrs: readonly Xattr[];
}

export interface FileEntry extends Common {
  readonly type: 'file';
  /** The size in bytes, including holes. */
  readonly size: number;
  /** The offset of the contents in the tar, a multiple of TAR_BLOCK. */
  readonly offset: number;
  /**
   * For a sparse file, the extents that the tar holds, one after the other from `offset` on, in ascending
   * order, none empty. Each begins and ends at a multiple of TAR_BLOCK or at the end of the file.
   */
  readonly extents?: readonly Extent[] | undefined;
}

export interface DirectoryEntry extends Common {
  readonly type: 'directory';
}

export interface SymlinkEntry extends Common {
  readonly type: 'symlink';
  readonly target: ByteString;
}

export interface HardLinkEntry extends Common {
  readonly type: 'hardlink';
  /** A path like `path`. */
  readonly target: ByteString;
}

export interface DeviceEntry extends Common {
  readonly type: 'character' | 'block';
  readonly major: number;
  readonly minor: number;
}

export interface FifoEntry extends Common {
  readonly type: 'fifo';
}

export type TarEntry = FileEntry | DirectoryEntry | SymlinkEntry | HardLinkEntry | DeviceEntry | FifoEntry;

export interface TarIndex {
  /** The size of the tar, in bytes. */
  readonly size: number;
  /** The entries in the order of the tar. */
  readonly entries: readonly TarEntry[];
}

const MAX_NAME = 255;
const MAX_PATH = 4096;
const MAX_TARGET = 4095;
const MAX_XATTR_NAME = 255;
const MAX_XATTR_VALUE = 0xffff;
/** The limit for the names and values of one entry together. EROFS can hold 256 KiB with its headers. */
const MAX_XATTRS = 128 << 10;
/** 2^32 - 1 means "no owner" to Linux. */
const MAX_ID = 0xffff_fffe;
const MAX_MAJOR = 0xfff;
const MAX_MINOR = 0xf_ffff;

/**
 * Returns the path in the form of `TarEntry.path`, without leading slashes, as container tools do. A
 * component '..' takes away the one before it, and has no effect after a leading slash.
 * @throws ImageError if the path leads out of its directory, or is longer than Linux supports
 */
export function normalizePath(path: ByteString): ByteString {
  const components: ByteString[] = [];
  for (const component of path.split('/')) {
    if (component === '..') {
      if (components.pop() === undefined && !path.startsWith('/'))
        throw new ImageError(`path ${quote(path)} leads out of its directory ("..")`);
    } else if (component !== '' && component !== '.') components.push(component);
  }
  const last = components.length - 1;
  const tooLong = components.some((name, i) => {
    const limit = i === last && name.startsWith(WHITEOUT) ? WHITEOUT.length + MAX_NAME : MAX_NAME;
    return name.length > limit;
  });
  if (tooLong) throw new ImageError(`path ${quote(path)} has a name over ${MAX_NAME} bytes`);
  const normal = components.join('/');
  if (normal.length > MAX_PATH) throw new ImageError(`path ${quote(path)} is over ${MAX_PATH} bytes`);
  return normal;
}

/** @throws ImageError when the entry breaks a rule of its type above, except those of `extents` */
export function checkEntry(entry: TarEntry): void {
  const fault = findFault(entry);
  if (fault !== undefined) throw new ImageError(`${quote(entry.path)}: ${fault}`);
}

function findFault(entry: TarEntry): string | undefined {
  if (entry.path.includes('\0')) return 'NUL in the path';
  if (entry.path === '' && entry.type !== 'directory') return 'the root is not a directory';
  if (!within(entry.uid, MAX_ID) || !within(entry.gid, MAX_ID)) return 'owner out of range';
  if (!within(entry.mode, 0o7777)) return 'mode out of range';
  if (!Number.isSafeInteger(entry.mtime) || !within(entry.mtimeNs, 999_999_999)) return 'time out of range';
  return findXattrFault(entry.xattrs) ?? findContentFault(entry);
}

function findXattrFault(xattrs: readonly Xattr[]): string | undefined {
  let total = 0;
  for (const { name, value } of xattrs) {
    if (name === '' || name.length > MAX_XATTR_NAME || name.includes('\0'))
      return `bad name of an extended attribute: ${quote(name)}`;
    if (value.length > MAX_XATTR_VALUE) return `extended attribute ${quote(name)} is too large`;
    total += name.length + value.length;
  }
  return total > MAX_XATTRS ? 'too many extended attributes' : undefined;
}

function findContentFault(entry: TarEntry): string | undefined {
  switch (entry.type) {
    case 'file':
      if (!Number.isSafeInteger(entry.offset + entry.size) || entry.size < 0) return 'size out of range';
      return entry.offset % TAR_BLOCK === 0 && entry.offset >= 0 ? undefined : 'contents out of place';
    case 'symlink':
      if (entry.target === '') return 'symbolic link to nothing';
      if (entry.target.includes('\0')) return 'NUL in the target of a symbolic link';
      return entry.target.length > MAX_TARGET ? 'target of a symbolic link is too long' : undefined;
    case 'hardlink':
      return entry.target === '' ? 'hard link to the root' : undefined;
    case 'character':
    case 'block':
      return within(entry.major, MAX_MAJOR) && within(entry.minor, MAX_MINOR)
        ? undefined
        : 'device number out of range';
  }
}

function within(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}
