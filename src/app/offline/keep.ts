import { savesData } from '../support.ts';
import { RELEASE_PREFIX, readRelease } from './release.ts';

const WORKER = 'service-worker.js';

/** Protects the cache of the page's release for as long as the page is open (service-worker.ts). */
export function holdRelease(): void {
  const { id } = readRelease();
  if (id === undefined || !('locks' in navigator)) return;
  const forever = () => new Promise<never>(() => {});
  // Pages that are not fully active get no lock. They load no files either.
  navigator.locks.request(RELEASE_PREFIX + id, { mode: 'shared' }, forever).catch(() => {});
}

/** Keeps all files for use without the server, unless the user wants to save data. */
export function keepOffline(): void {
  if (readRelease().id === undefined || !('serviceWorker' in navigator) || savesData()) return;
  // Browsers may refuse to store anything. The page works as long as its server does.
  navigator.serviceWorker.register(WORKER, { updateViaCache: 'none' }).catch(() => {});
}
