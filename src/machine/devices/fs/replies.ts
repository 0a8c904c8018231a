/** The structures in replies to FUSE requests. */
import type { FileStatus, FolderEntry } from '../../../folders/shared-folder.ts';
import { encodeBytes } from '../../../text/byte-text.ts';
import * as fuse from './fuse.ts';
import { Reply } from './fuse.ts';
import type { Node, Nodes } from './nodes.ts';

/** The most bytes of a READ or a WRITE; `QUEUE_SIZE` of the device has room for the pages. */
export const MAX_TRANSFER = 1 << 20;

export const EMPTY = new Reply(0);

/** Where a reply goes. */
export interface Room {
  /** Bytes after the header of the reply. */
  readonly size: number;
  /** Views of the next bytes after the header. */
  take(length: number): Uint8Array[];
}

/** A reply whose content is already in the guest's buffer. */
export interface Filled {
  readonly filled: number;
}

/** How long the guest relies on names and attributes, in seconds. It sees changes of the host after that. */
const VALID = 1;

export function addEntry(reply: Reply, node: Node, status: FileStatus): Reply {
  reply.u64(node.id).u64(0).u64(VALID).u64(VALID).u32(0).u32(0);
  return reply.attributes(status, inodeOf(node));
}

/** A reply that begins with the file of a name, which the guest knows from now on. */
export function entryReply(nodes: Nodes, size: number, node: Node, status: FileStatus): Reply {
  nodes.tell(node);
  return addEntry(new Reply(size), node, status);
}

export function attributesReply(status: FileStatus, inode: bigint): Reply {
  return new Reply(fuse.ATTR_OUT_SIZE).u64(VALID).u32(0).u32(0).attributes(status, inode);
}

/** Which differs from those of other shares in most cases. */
export function inodeOf({ id, inode, share }: Node): bigint {
  return BigInt.asUintN(64, (inode || id) ^ (BigInt(share.index) << 56n));
}

/** struct fuse_dirent. @returns whether it fits */
export function addName(reply: Reply, { name, type }: FolderEntry, index: number, inode: bigint): boolean {
  const bytes = encodeBytes(name);
  const size = nameSize(bytes);
  if (reply.length + size > reply.bytes.length) return false;
  reply
    .u64(inode)
    .u64(index + 1)
    .u32(bytes.length)
    .u32(type >>> 12)
    .raw(bytes);
  reply.skip(size - fuse.DIRENT_SIZE - bytes.length);
  return true;
}

function nameSize({ length }: Uint8Array): number {
  return (fuse.DIRENT_SIZE + length + 7) & ~7;
}

/** As many entries as a reply to READDIRPLUS has room for. */
export function fittingEntries(entries: readonly FolderEntry[], offset: number, size: number): FolderEntry[] {
  const fitting: FolderEntry[] = [];
  let used = 0;
  for (let at = offset; at < entries.length; at++) {
    const entry = entries[at] as FolderEntry;
    used += fuse.ENTRY_OUT_SIZE + nameSize(encodeBytes(entry.name));
    if (used > size) break;
    fitting.push(entry);
  }
  return fitting;
}
