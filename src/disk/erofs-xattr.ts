/** Extended attributes in EROFS: a header and the attributes follow their inode, each padded to 4 bytes. */
import { type ByteString, writeByteString } from './byte-string.ts';
import type { TarEntry, Xattr } from './tar-entry.ts';

const HEADER_SIZE = 12;
const ENTRY_SIZE = 4;
const NONE = new Uint8Array(0);

/** The code for the beginning of a name, or for a whole name where nothing may follow. */
interface Namespace {
  readonly prefix: ByteString;
  readonly index: number;
  readonly whole?: boolean;
  /**
   * The types that have such attributes in Linux. On other types Linux lists them but cannot read them, and
   * copying fails.
   */
  readonly types: readonly EntryType[];
}

type EntryType = TarEntry['type'];

const ALL: readonly EntryType[] = ['file', 'directory', 'symlink', 'character', 'block', 'fifo'];
const NAMESPACES: readonly Namespace[] = [
  { prefix: 'user.', index: 1, types: ['file', 'directory'] },
  {
    prefix: 'system.posix_acl_access',
    index: 2,
    whole: true,
    types: ALL.filter((type) => type !== 'symlink'),
  },
  { prefix: 'system.posix_acl_default', index: 3, whole: true, types: ['directory'] },
  { prefix: 'trusted.', index: 4, types: ALL },
  { prefix: 'security.', index: 6, types: ALL },
];

/**
 * This disk is a lower layer for overlayfs, to which these attributes say what to hide or to look up
 * elsewhere.
 */
const OVERLAY = 'trusted.overlay.';

/** The attributes that Linux supports on such an entry; empty when there are none. A multiple of 4 bytes. */
export function encodeXattrs({ type, xattrs }: TarEntry): Uint8Array {
  if (xattrs.length === 0) return NONE;
  const entries = xattrs.map((xattr) => encodeXattr(xattr, type)).filter((entry) => entry !== undefined);
  if (entries.length === 0) return NONE;
  const body = new Uint8Array(entries.reduce((sum, { length }) => sum + length, HEADER_SIZE));
  let at = HEADER_SIZE;
  for (const entry of entries) {
    body.set(entry, at);
    at += entry.length;
  }
  return body;
}

/** The inode's i_xattr_icount for a body of this size in bytes. */
export function xattrCount(bodyLength: number): number {
  return bodyLength === 0 ? 0 : (bodyLength - HEADER_SIZE) / 4 + 1;
}

function encodeXattr({ name, value }: Xattr, type: EntryType): Uint8Array | undefined {
  const namespace = NAMESPACES.find(({ prefix, whole }) =>
    whole ? name === prefix : name.startsWith(prefix) && name.length > prefix.length,
  );
  if (!namespace?.types.includes(type) || name.startsWith(OVERLAY)) return undefined;
  const suffix = name.slice(namespace.prefix.length);
  const size = ENTRY_SIZE + suffix.length + value.length;
  const entry = new Uint8Array(Math.ceil(size / 4) * 4);
  const view = new DataView(entry.buffer);
  view.setUint8(0, suffix.length);
  view.setUint8(1, namespace.index);
  view.setUint16(2, value.length, true);
  writeByteString(suffix, entry, ENTRY_SIZE);
  entry.set(value, ENTRY_SIZE + suffix.length);
  return entry;
}
