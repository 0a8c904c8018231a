/** The visible properties of a file system's names, independent of the reader. */
import { crc32 } from 'node:zlib';
import { type ByteString, toBytes } from '../byte-string.ts';
import type { ReadInode } from './erofs-reader.ts';

export interface Facts {
  /** The mode including the type bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  /** The size. Zero for directories, because file systems differ. */
  readonly size: number;
  readonly mtime: number;
  readonly mtimeNs: number;
  readonly major: number;
  readonly minor: number;
  /**
   * The CRC-32 of a file's contents, or the target of a symbolic link in hexadecimal, with at least eight
   * digits.
   */
  readonly contents: string;
  /** The values in hexadecimal. */
  readonly xattrs: Readonly<Record<string, string>>;
  /** The first path of this inode. */
  readonly first: ByteString;
}

/** Facts by path, in byte order. '' is the root. */
export type Listing = ReadonlyMap<ByteString, Facts>;

export const TYPE_BITS = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
} as const;

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export const checksum = (bytes: Uint8Array): string => crc32(bytes).toString(16).padStart(8, '0');

/** @param inodes identifies the inode of a path */
export function makeListing(
  facts: Iterable<[path: ByteString, facts: Omit<Facts, 'first'>, inode: unknown]>,
): Listing {
  const sorted = [...facts].sort(([a], [b]) => (a < b ? -1 : 1));
  const first = new Map<unknown, ByteString>();
  for (const [path, , inode] of sorted) if (!first.has(inode)) first.set(inode, path);
  return new Map(sorted.map(([path, seen, inode]) => [path, { ...seen, first: first.get(inode) ?? path }]));
}

export function listErofs(found: ReadonlyMap<ByteString, ReadInode>): Listing {
  return makeListing([...found].map(([path, inode]) => [path, factsOf(inode), inode.number]));
}

function factsOf(inode: ReadInode): Omit<Facts, 'first'> {
  const type = inode.mode & 0o170000;
  const { mode, uid, gid, links, mtimeNs, device, contents } = inode;
  return {
    mode,
    uid,
    gid,
    links,
    size: type === TYPE_BITS.directory ? 0 : contents.length,
    mtime: Number(inode.mtime),
    mtimeNs,
    major: (device >> 8) & 0xfff,
    minor: (device & 0xff) | ((device >>> 12) & 0xfff00),
    contents: showContents(type, contents),
    xattrs: showXattrs(inode.xattrs),
  };
}

export function showContents(type: number, contents: Uint8Array): string {
  if (type === TYPE_BITS.file) return checksum(contents);
  return type === TYPE_BITS.symlink ? hex(contents) : '-';
}

export function showXattrs(xattrs: Iterable<[name: ByteString, value: Uint8Array]>): Record<string, string> {
  const sorted = [...xattrs].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([name, value]) => [hex(toBytes(name)), hex(value)]));
}

/** Parses the output of walk.c. */
export function listWalk(lines: readonly string[]): Listing {
  return makeListing(
    lines.map((line) => {
      const fields = line.split(' ');
      if (fields.length !== 12) throw new Error(`unexpected line: ${line}`);
      const [path, mode, uid, gid, links, size, mtime, mtimeNs, device, inode, contents, xattrs] = fields as [
        ...string[],
      ] & { length: 12 };
      const [major, minor] = (device as string).split(':').map(Number);
      const bits = Number.parseInt(mode as string, 8);
      return [
        Buffer.from(path as string, 'hex')
          .toString('latin1')
          .slice(1),
        {
          mode: bits,
          uid: Number(uid),
          gid: Number(gid),
          links: Number(links),
          size: (bits & 0o170000) === TYPE_BITS.directory ? 0 : Number(size),
          mtime: Number(mtime),
          mtimeNs: Number(mtimeNs),
          major: major as number,
          minor: minor as number,
          contents: contents as string,
          xattrs: Object.fromEntries(
            (xattrs as string)
              .split(',')
              .filter(Boolean)
              .map((pair) => pair.split('=')),
          ),
        },
        inode,
      ];
    }),
  );
}

/** Removes the link counts of directories, which depend on the file system. */
export function withoutDirectoryLinks(listing: Listing): Listing {
  const isDirectory = ({ mode }: Facts) => (mode & 0o170000) === TYPE_BITS.directory;
  return new Map(
    [...listing].map(([path, facts]) => [path, isDirectory(facts) ? { ...facts, links: 0 } : facts]),
  );
}

/** The first names that differ, with both sides' facts. */
export function differences(a: Listing, b: Listing): unknown[] {
  const paths = [...new Set([...a.keys(), ...b.keys()])];
  const show = (facts: Facts | undefined) => JSON.stringify(facts);
  return paths
    .filter((path) => show(a.get(path)) !== show(b.get(path)))
    .slice(0, 20)
    .map((path) => [path, a.get(path), b.get(path)]);
}
