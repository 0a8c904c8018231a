import { IndexedDbStore } from './indexed-db-store.ts';
import type { KeyValueStore, Locks } from './key-value.ts';
import { LateFiles, LateLocks, LateValues } from './late.ts';
import { MemoryLocks, MemoryStore } from './memory.ts';
import { OpfsDiskFiles } from './opfs-disk-files.ts';
import { BorrowedValues, lendValues, RefusedFiles } from './refused.ts';
import { Store } from './store.ts';
import { WebLocks } from './web-locks.ts';

/** The most that images may take of the page's memory. */
const MEMORY_CAPACITY = 2 ** 30;

/** Some builds of WebKit lack it, although they have IndexedDB. */
const manager = (): Partial<StorageManager> => navigator.storage ?? {};

const database = new IndexedDbStore('linuxrun');
const webLocks = new WebLocks('linuxrun');
const memoryLocks = new MemoryLocks();
/** The values of this thread, or of the one that has started it, where the browser refuses to keep any. */
let memory: KeyValueStore = new MemoryStore(MEMORY_CAPACITY);
let keeping: Promise<boolean> | undefined;

/**
 * Whether the browser lets this page keep anything. Settings that block site data refuse it. Without locks,
 * tabs would delete what others use.
 */
function isKeeping(): Promise<boolean> {
  keeping ??= Promise.all([webLocks.held(), database.open()]).then(
    () => true,
    () => false,
  );
  return keeping;
}

const values = new LateValues(async () => ((await isKeeping()) ? database : memory));
const locks: Locks = new LateLocks(webLocks.place, async () =>
  (await isKeeping()) ? webLocks : memoryLocks,
);

function filesIn(scope: string): LateFiles {
  const files = new OpfsDiskFiles(scope);
  const refused = new RefusedFiles();
  return new LateFiles(async () => ((await isKeeping()) ? files : refused));
}

const files = { disks: filesIn('linuxrun-disks'), sessions: filesIn('linuxrun-sessions') };
const store = new Store(values, locks, files, () => {
  // Only windows may ask, and a refusal is no failure.
  requestPersistence().catch(() => {});
});

/** Where the origin keeps folders. */
export const folderFiles = filesIn('linuxrun-folders');
/** The locks of all that the origin keeps. */
export const originLocks = locks;

/** Returns the origin's store, which its tabs and workers share, or one in memory where it is refused. */
export function browserStore(): Store {
  return store;
}

/** Ends this thread's transactions in the store, which is not used any more. */
export function abandonStore(): void {
  database.abandon();
}

/** Opens the store before its first use, which tells when that fails. */
export function preloadStore(): void {
  void isKeeping();
}

/** Returns the end of a channel by which a worker shares this thread's store if that is in memory. */
export function lendStore(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  lendValues(values, isKeeping, port1);
  return port2;
}

/** Takes what `lendStore` has returned in the thread that has started this one. Both use the same store. */
export function borrowStore(port: MessagePort): void {
  const lender = new BorrowedValues(port);
  const here = isKeeping();
  keeping = lender.isKeeping().then((there) => there && here);
  memory = lender;
}

/** Asks the browser to keep the store even when space gets scarce. @returns whether it will */
export async function requestPersistence(): Promise<boolean> {
  return (await manager().persisted?.()) || (await manager().persist?.()) || false;
}

/**
 * About how much the browser still grants to the whole origin, whether it keeps anything, and whether for
 * certain.
 */
export async function browserRoom(): Promise<{
  freeBytes: number | undefined;
  isKept: boolean;
  isPersistent: boolean;
}> {
  if (!(await isKeeping())) return { freeBytes: undefined, isKept: false, isPersistent: false };
  const { usage = 0, quota } = (await manager().estimate?.()) ?? {};
  const freeBytes = quota === undefined ? undefined : Math.max(quota - usage, 0);
  return { freeBytes, isKept: true, isPersistent: (await manager().persisted?.()) ?? false };
}
