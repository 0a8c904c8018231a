/**
 * Chromium keeps the code that V8 has optimised of a module, and has it at the next visit, if a service
 * worker answers the request for the module from a cache.
 */
import { toHex } from '../text/hex.ts';

/** Where pages ask for modules: below the scope of their service worker. No file has such a path. */
const FOLDER = 'compiled-code/';
const CACHE = 'linuxrun-compiled-code';
/** The most modules that are kept. A module has up to 6 MiB, and V8's code for it four times as much. */
const MOST = 16;
/** The longest wait for the service worker, in ms. */
const PATIENCE = 2000;

/** Whether this is Chromium, the only browser with client hints. */
export function keepsModules(): boolean {
  return 'userAgentData' in navigator;
}

/** Pages keep modules once a service worker has called this, because it answers their requests. */
export async function offerKeptModules(): Promise<void> {
  if (keepsModules()) await caches.open(CACHE);
}

/** @param scope of the service worker, where the files of machines are as well */
export function keptModules(scope: string | URL): string {
  return new URL(FOLDER, scope).href;
}

/** The service worker's answer, if a page asks for a module. */
export function findKeptModule(url: string, scope: string): Promise<Response> | undefined {
  if (!url.startsWith(keptModules(scope))) return undefined;
  return caches.match(url, { cacheName: CACHE }).then((kept) => kept ?? Response.error());
}

/**
 * Compiles a module, by V8's code for it if that is kept.
 * @param folder see `keptModules`
 * @throws CompileError if it is not valid
 */
export async function compileKept(
  folder: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<WebAssembly.Module> {
  try {
    if (!(await caches.has(CACHE))) return new WebAssembly.Module(bytes);
    const url = folder + toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
    await keep(url, bytes);
    return await WebAssembly.compileStreaming(fetch(url, { signal: AbortSignal.timeout(PATIENCE) }));
  } catch {
    // Browsers may refuse to store anything, and the page may have lost its service worker.
    return new WebAssembly.Module(bytes);
  }
}

async function keep(url: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const cache = await caches.open(CACHE);
  if (await cache.match(url)) return;
  await cache.put(url, new Response(bytes, { headers: { 'Content-Type': 'application/wasm' } }));
  const oldest = (await cache.keys()).slice(0, -MOST);
  await Promise.all(oldest.map((request) => cache.delete(request)));
}
