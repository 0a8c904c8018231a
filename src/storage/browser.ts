import { IndexedDbStore } from './indexed-db-store.ts';
import { OpfsDiskFiles } from './opfs-disk-files.ts';
import { Store } from './store.ts';
import { WebLocks } from './web-locks.ts';

const values = new IndexedDbStore('linuxrun');
const files = {
  disks: new OpfsDiskFiles('linuxrun-disks'),
  sessions: new OpfsDiskFiles('linuxrun-sessions'),
};
/** Some builds of WebKit lack it, although they have IndexedDB. */
const manager = (): Partial<StorageManager> => navigator.storage ?? {};
const store = new Store(values, new WebLocks('linuxrun'), files, () => {
  // Only windows may ask, and a refusal is no failure.
  requestPersistence().catch(() => {});
});

/** Returns the origin's store, which its tabs and workers share. Some browsers refuse it. */
export function browserStore(): Store {
  return store;
}

/** Opens the store before its first use, which tells when that fails. */
export function preloadStore(): void {
  values.open().catch(() => {});
}

/** Asks the browser to keep the store even when space gets scarce. @returns whether it will */
export async function requestPersistence(): Promise<boolean> {
  return (await manager().persisted?.()) || (await manager().persist?.()) || false;
}

/** About how much the browser still grants to the whole origin, and whether it keeps the store. */
export async function browserRoom(): Promise<{ freeBytes: number | undefined; isPersistent: boolean }> {
  const { usage = 0, quota } = (await manager().estimate?.()) ?? {};
  const freeBytes = quota === undefined ? undefined : Math.max(quota - usage, 0);
  return { freeBytes, isPersistent: (await manager().persisted?.()) ?? false };
}
