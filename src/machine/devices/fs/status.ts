/** The status of files, and how requests change it. */
import { type Changes, type FileStatus, S_IFMT, S_IFREG } from '../../../folders/shared-folder.ts';
import { fail } from './errors.ts';
import * as fuse from './fuse.ts';
import { type Node, type OpenHandle, wayOf } from './nodes.ts';
import type { Request } from './request.ts';

export const PERMISSIONS = 0o7777;
const SET_USER = 0o4000;
const SET_GROUP = 0o2000;
const GROUP_EXECUTE = 0o010;
const NANOSECONDS = 1_000_000_000;
const NANOSECONDS_PER_MS = 1_000_000n;

export async function statusOf(node: Node): Promise<FileStatus> {
  for (const { file } of node.opened) return file.status();
  const status = await node.share.folder.status(wayOf(node));
  requireSame(node, status);
  return status;
}

/** struct fuse_setattr_in after the handle */
export async function changesOf(request: Request, valid: number, node: Node): Promise<Changes> {
  const size = request.u64();
  request.skip(8);
  const [atime, mtime] = [request.u64(), request.u64()];
  request.skip(8);
  const [atimeRest, mtimeRest] = [request.u32(), request.u32()];
  request.skip(4);
  const mode = request.u32() & PERMISSIONS;
  request.skip(4);
  const [user, group] = [request.u32(), request.u32()];
  const has = (bits: number) => (valid & bits) !== 0;
  const changesOwner = has(fuse.FATTR_UID | fuse.FATTR_GID);
  return {
    mode: has(fuse.FATTR_MODE)
      ? mode
      : changesOwner || (has(fuse.FATTR_SIZE) && has(fuse.FATTR_KILL_SUIDGID))
        ? await withoutPrivileges(node)
        : undefined,
    user: has(fuse.FATTR_UID) ? user : undefined,
    group: has(fuse.FATTR_GID) ? group : undefined,
    size: has(fuse.FATTR_SIZE) ? sizeOf(size) : undefined,
    accessed: timeOf(has(fuse.FATTR_ATIME), has(fuse.FATTR_ATIME_NOW), atime, atimeRest),
    modified: timeOf(has(fuse.FATTR_MTIME), has(fuse.FATTR_MTIME_NOW), mtime, mtimeRest),
  };
}

/** Permissions without those to act as others, if a program has them. */
export async function withoutPrivileges(node: Node): Promise<number | undefined> {
  const { mode } = await statusOf(node);
  if ((mode & S_IFMT) !== S_IFREG) return undefined;
  const dropped = SET_USER | (mode & GROUP_EXECUTE ? SET_GROUP : 0);
  return mode & dropped ? mode & PERMISSIONS & ~dropped : undefined;
}

/** A file without a name can be changed where it is open. */
export async function change(node: Node, changes: Changes, given?: OpenHandle): Promise<void> {
  if (Object.values(changes).every((value) => value === undefined)) return;
  const resizes = changes.size !== undefined;
  const usable = (handle: OpenHandle) => handle.node === node && (handle.writable || !resizes);
  const handle = given && usable(given) ? given : [...node.opened].find(usable);
  await (handle ? handle.file.change(changes) : node.share.folder.change(wayOf(node), changes));
}

/** Another file may have the name now. @throws ESTALE, after which the guest looks again */
export function requireSame(node: Node, { inode }: FileStatus): void {
  if (node.inode !== 0n && inode !== node.inode) fail('ESTALE');
}

export function sizeOf(value: bigint): number {
  const size = Number(value);
  return Number.isSafeInteger(size) ? size : fail('EFBIG');
}

function timeOf(isGiven: boolean, isNow: boolean, seconds: bigint, rest: number): bigint | undefined {
  if (isNow) return BigInt(Date.now()) * NANOSECONDS_PER_MS;
  if (!isGiven) return undefined;
  if (rest >= NANOSECONDS) fail('EINVAL');
  return BigInt.asIntN(64, seconds) * BigInt(NANOSECONDS) + BigInt(rest);
}
