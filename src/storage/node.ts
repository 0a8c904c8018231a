import { join } from 'node:path';
import { FileLocks } from './file-locks.ts';
import { FileStore } from './file-store.ts';
import { Store } from './store.ts';

/** @param folder created if needed; any number of processes may share it */
export function nodeStore(folder: string): Store {
  return new Store(new FileStore(folder), new FileLocks(join(folder, 'locks')));
}
