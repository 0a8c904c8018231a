import { savesData } from '../support.ts';
import { type Keep, RELEASE_PREFIX, readRelease } from './release.ts';

const WORKER = 'service-worker.js';

/** Protects the cache of the page's release for as long as the page is open (service-worker.ts). */
export function holdRelease(): void {
  const { id } = readRelease();
  if (id === undefined || !('locks' in navigator)) return;
  const forever = () => new Promise<never>(() => {});
  // Pages that are not fully active get no lock. They load no files either.
  navigator.locks.request(RELEASE_PREFIX + id, { mode: 'shared' }, forever).catch(() => {});
}

export function registerWorker(): Promise<ServiceWorkerRegistration> {
  return navigator.serviceWorker.register(WORKER, { updateViaCache: 'none' });
}

/**
 * Keeps the release for use without the server, unless the user wants to save data.
 * @param used the machine's files that the page has used so far
 */
export function keepOffline(used: () => readonly string[]): void {
  const { id } = readRelease();
  if (id === undefined || !('serviceWorker' in navigator) || savesData()) return;
  registerWorker()
    .then(() => navigator.serviceWorker.ready)
    // A worker that isolated this page has kept nothing yet.
    .then(({ active }) => active?.postMessage({ type: 'keep', release: id, used: used() } satisfies Keep))
    // Browsers may refuse to store anything. The page works as long as its server does.
    .catch(() => {});
}
