import { activated } from '../../preview/activated.ts';
import { isFramed } from '../support.ts';
import { registerWorker } from './keep.ts';
import { readRelease } from './release.ts';

/** Tells the page after its reload that it was reloaded. */
const KEY = 'linuxrun-isolates';
/** The longest wait for the service worker, in ms. */
const PATIENCE = 10_000;

/**
 * Isolates a page whose host does not send the headers for that: reloads it once, so that its service worker
 * adds them (service-worker.ts).
 * @returns whether the browser reloads the page
 */
export async function reloadsIsolated(): Promise<boolean> {
  // A second reload would change nothing.
  if (globalThis.crossOriginIsolated !== false || wasReloaded() || !canIsolate()) return false;
  try {
    await until(registerWorker().then(activated), PATIENCE);
    sessionStorage.setItem(KEY, '');
  } catch {
    // Browsers may refuse to store anything. The page says what is missing.
    return false;
  }
  location.reload();
  return true;
}

/** A frame is isolated only if the page around it is, so a service worker cannot help it. */
function canIsolate(): boolean {
  return 'serviceWorker' in navigator && readRelease().id !== undefined && !isFramed(globalThis);
}

/** Whether this is the load after the reload. The next one may try again. */
function wasReloaded(): boolean {
  try {
    const was = sessionStorage.getItem(KEY) !== null;
    sessionStorage.removeItem(KEY);
    return was;
  } catch {
    return false;
  }
}

function until<Value>(promise: Promise<Value>, ms: number): Promise<Value> {
  const late = new Promise<never>((_, reject) => setTimeout(reject, ms, new Error('no answer')));
  return Promise.race([promise, late]);
}
