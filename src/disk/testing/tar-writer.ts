/** Tars for tests, written field by field, so that every field can be wrong. */
import { type ByteString, toBytes } from '../byte-string.ts';
import type { TarEntry, Xattr } from '../tar-entry.ts';

const BLOCK = 512;

/** Fields of a header block. Numbers are written in octal, byte strings unchanged. */
export interface Fields {
  readonly name?: ByteString;
  readonly mode?: number | ByteString;
  readonly uid?: number | ByteString;
  readonly gid?: number | ByteString;
  readonly size?: number | ByteString;
  readonly mtime?: number | ByteString;
  readonly checksum?: number | ByteString;
  readonly type?: ByteString;
  readonly linkName?: ByteString;
  /** The magic with the version; POSIX's unless given. */
  readonly magic?: ByteString;
  readonly major?: number | ByteString;
  readonly minor?: number | ByteString;
  readonly prefix?: ByteString;
  /** Bytes at other offsets of the block. */
  readonly extra?: readonly [at: number, bytes: ByteString][];
}

export function header(fields: Fields = {}): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: ByteString) => block.set(toBytes(text), at);
  const number = (at: number, length: number, value: number | ByteString) =>
    put(at, typeof value === 'string' ? value : `${value.toString(8).padStart(length - 1, '0')}\0`);
  put(0, fields.name ?? 'name');
  number(100, 8, fields.mode ?? 0o644);
  number(108, 8, fields.uid ?? 0);
  number(116, 8, fields.gid ?? 0);
  number(124, 12, fields.size ?? 0);
  number(136, 12, fields.mtime ?? 0);
  put(156, fields.type ?? '0');
  put(157, fields.linkName ?? '');
  put(257, fields.magic ?? 'ustar\x0000');
  number(329, 8, fields.major ?? 0);
  number(337, 8, fields.minor ?? 0);
  put(345, fields.prefix ?? '');
  for (const [at, bytes] of fields.extra ?? []) put(at, bytes);
  put(148, ' '.repeat(8));
  number(148, 7, fields.checksum ?? block.reduce((sum, byte) => sum + byte, 0));
  return block;
}

/** Returns a header, contents and their padding. */
export function file(fields: Fields, contents: Uint8Array | ByteString = ''): Uint8Array {
  const bytes = typeof contents === 'string' ? toBytes(contents) : contents;
  return concat(header({ size: bytes.length, ...fields }), pad(bytes));
}

export type PaxRecord = readonly [key: ByteString, value: ByteString];

export function paxRecord(key: ByteString, value: ByteString): ByteString {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length;
  return `${length}${rest}`;
}

/** Returns an extended header, which applies to all following entries if its type is 'g'. */
export function pax(records: readonly PaxRecord[], type = 'x'): Uint8Array {
  const payload = records.map(([key, value]) => paxRecord(key, value)).join('');
  return file({ name: 'PaxHeaders/0', type }, payload);
}

/** The two blocks of zeros. */
export function end(): Uint8Array {
  return new Uint8Array(2 * BLOCK);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function pad(bytes: Uint8Array): Uint8Array {
  return concat(bytes, new Uint8Array(-bytes.length & (BLOCK - 1)));
}

/** An entry without its place in the tar. */
export type EntrySpec = DistributiveOmit<TarEntry, 'offset' | 'extents' | 'size'> & {
  readonly contents?: Uint8Array;
};
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

const FLAGS = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

/** Returns an entry with a PAX header for values that do not fit the plain header. */
export function entry(spec: EntrySpec): Uint8Array {
  const { path, type, mode, uid, gid, mtime, mtimeNs, xattrs, contents = new Uint8Array(0) } = spec;
  const target = 'target' in spec ? spec.target : '';
  const records: PaxRecord[] = xattrs.map(({ name, value }: Xattr) => [
    `SCHILY.xattr.${name}`,
    String.fromCharCode(...value),
  ]);
  if (path.length > 100) records.push(['path', path]);
  if (target.length > 100) records.push(['linkpath', target]);
  if (uid > 0o7777777) records.push(['uid', String(uid)]);
  if (gid > 0o7777777) records.push(['gid', String(gid)]);
  const time = mtimeNs !== 0 || mtime < 0 || mtime >= 8 ** 11;
  if (time) records.push(['mtime', decimalTime(mtime, mtimeNs)]);
  const plain = file(
    {
      name: (path === '' ? './' : path).slice(0, 100),
      mode,
      uid: uid > 0o7777777 ? 0 : uid,
      gid: gid > 0o7777777 ? 0 : gid,
      mtime: time ? 0 : mtime,
      type: FLAGS[type],
      linkName: target.slice(0, 100),
      ...('major' in spec ? { major: spec.major, minor: spec.minor } : {}),
    },
    contents,
  );
  return records.length > 0 ? concat(pax(records), plain) : plain;
}

function decimalTime(seconds: number, nanoseconds: number): string {
  const total = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
  const magnitude = total < 0n ? -total : total;
  const digits = String(magnitude).padStart(10, '0');
  return `${total < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}
