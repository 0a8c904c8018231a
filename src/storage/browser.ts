import { IndexedDbStore } from './indexed-db-store.ts';
import { Store } from './store.ts';
import { WebLocks } from './web-locks.ts';

/** Returns the origin's store, which its tabs and workers share. */
export function browserStore(): Store {
  return new Store(new IndexedDbStore('linuxrun'), new WebLocks('linuxrun'));
}

/** Asks the browser to keep the store even when space gets scarce. @returns whether it will */
export async function requestPersistence(): Promise<boolean> {
  return (await navigator.storage.persisted()) || (await navigator.storage.persist());
}

/** Returns how much the whole origin uses, and about how much it may use, in bytes. */
export async function browserQuota(): Promise<{ used: number; available: number }> {
  const { usage = 0, quota = 0 } = await navigator.storage.estimate();
  return { used: usage, available: quota };
}
