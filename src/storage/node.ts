import { join } from 'node:path';
import { FileLocks } from './file-locks.ts';
import { FileStore } from './file-store.ts';
import { Store } from './store.ts';

/** @param folder made when needed; may be shared by any number of processes */
export function nodeStore(folder: string): Store {
  return new Store(new FileStore(folder), new FileLocks(join(folder, 'locks')));
}
