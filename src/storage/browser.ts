import { IndexedDbStore } from './indexed-db-store.ts';
import { Store } from './store.ts';
import { WebLocks } from './web-locks.ts';

/** The origin's store, shared by its tabs and workers. */
export function browserStore(): Store {
  return new Store(new IndexedDbStore('linuxrun'), new WebLocks('linuxrun'));
}

/** Asks the browser to keep what is stored even when room gets scarce. @returns whether it will */
export async function requestPersistence(): Promise<boolean> {
  return (await navigator.storage.persisted()) || (await navigator.storage.persist());
}

/** What the whole origin uses, and about how much it may use, in bytes. */
export async function browserQuota(): Promise<{ used: number; available: number }> {
  const { usage = 0, quota = 0 } = await navigator.storage.estimate();
  return { used: usage, available: quota };
}
