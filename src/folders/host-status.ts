/** What the host says of its files, and how names are written there. */
import type { BigIntStats } from 'node:fs';
import { encodeBytes } from '../text/byte-text.ts';
import type { FileStatus } from './shared-folder.ts';

/** Missing on Windows, where files have no users. */
const OWN = { user: process.getuid?.() ?? 0, group: process.getgid?.() ?? 0 };
export const IS_ROOT = process.getuid?.() === 0;

export function statusOf(status: BigIntStats): FileStatus {
  const user = Number(status.uid);
  const group = Number(status.gid);
  return {
    mode: Number(status.mode),
    size: Number(status.size),
    links: Number(status.nlink),
    // The container's root stands for the user of this process.
    user: !IS_ROOT && user === OWN.user ? 0 : user,
    group: !IS_ROOT && group === OWN.group ? 0 : group,
    accessed: status.atimeNs,
    modified: status.mtimeNs,
    changed: status.ctimeNs,
    // Folders of other file systems may be mounted in the folder.
    inode: BigInt.asUintN(64, status.ino ^ (status.dev << 40n)) || 1n,
    allocated: Number(status.blocks ?? 0n) * 512,
  };
}

/** Byte text, as Node wants it: a buffer if it has bytes that are not UTF-8. */
export function hostText(text: string): string | Buffer {
  return /[\udc80-\udcff]/u.test(text) ? Buffer.from(encodeBytes(text)) : text;
}
