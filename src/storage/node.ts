import { statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { FileLocks } from './file-locks.ts';
import { FileStore } from './file-store.ts';
import { NodeDiskFiles } from './node-disk-files.ts';
import { Store } from './store.ts';

/** @param folder created if needed; any number of processes may share it */
export function nodeStore(folder: string): Store {
  return new Store(new FileStore(folder), new FileLocks(join(folder, 'locks')), {
    disks: nodeDisks(folder),
    sessions: nodeSessions(folder),
  });
}

/** The disks of a store. */
export function nodeDisks(folder: string): NodeDiskFiles {
  return new NodeDiskFiles(join(folder, 'disks'));
}

/** The memory of suspended containers in a store. */
export function nodeSessions(folder: string): NodeDiskFiles {
  return new NodeDiskFiles(join(folder, 'sessions'));
}

/** The bytes that are left on the disk of a folder, which may not exist yet. */
export async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    const parent = dirname(resolve(folder));
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === resolve(folder)) throw error;
    return freeBytes(parent);
  }
}
