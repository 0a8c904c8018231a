/**
 * Chromium keeps the code that V8 has optimised of a module, and has it at the next visit, if a service
 * worker answers the request for the module from a cache.
 */
import { toHex } from '../text/hex.ts';

/**
 * Where pages ask for modules: below the scope of their service worker. No file has such a path. The cache is
 * named by the whole URL, because an origin may have several service workers.
 */
const FOLDER = 'compiled-code/';
/** The maximum of kept modules. A module has at most 6 MiB, and V8's code for it is four times as large. */
const MOST = 16;
/** The longest wait for the service worker, in ms. */
const PATIENCE = 2000;

/**
 * Whether this worker's requests are answered by the service worker with the scope, if there is one, and this
 * is Chromium, the only browser with client hints.
 */
export function keepsModules(scope: string): boolean {
  return location.href.startsWith(scope) && 'userAgentData' in navigator;
}

/**
 * Pages keep modules once their service worker has called this, because it answers their requests. Modules
 * that were kept before leave, because most are of another release's compiler.
 */
export async function offerKeptModules(scope: string): Promise<void> {
  if (!keepsModules(scope)) return;
  const folder = keptModules(scope);
  await caches.delete(folder);
  await caches.open(folder);
}

/** @param scope of the service worker, where the files of machines are as well */
export function keptModules(scope: string): string {
  return new URL(FOLDER, scope).href;
}

/** The service worker's answer, if a page asks for a module. */
export function findKeptModule(url: string, scope: string): Promise<Response> | undefined {
  const folder = keptModules(scope);
  if (!url.startsWith(folder)) return undefined;
  return caches.match(url, { cacheName: folder }).then((kept) => kept ?? Response.error());
}

/**
 * Compiles the modules of one machine, by V8's code for them if that is kept.
 * @param folder see `keptModules`
 * @returns a function that throws a CompileError if a module is not valid
 */
export function keptCompiler(
  folder: string,
): (bytes: Uint8Array<ArrayBuffer>) => Promise<WebAssembly.Module> {
  const asked = new Set<string>();
  let hasFailed = false;
  return async (bytes) => {
    try {
      if (hasFailed || !(await caches.has(folder))) return new WebAssembly.Module(bytes);
      const url = folder + toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
      asked.add(url);
      await keep(await caches.open(folder), url, bytes, asked);
      return await WebAssembly.compileStreaming(fetch(url, { signal: AbortSignal.timeout(PATIENCE) }));
    } catch {
      // Browsers may refuse to store anything, and the page may have lost its service worker.
      hasFailed = true;
      return new WebAssembly.Module(bytes);
    }
  };
}

/** @param asked the modules that stay, because the next visit asks for most of them, too */
async function keep(
  cache: Cache,
  url: string,
  bytes: Uint8Array<ArrayBuffer>,
  asked: ReadonlySet<string>,
): Promise<void> {
  if (await cache.match(url)) return;
  await cache.put(url, new Response(bytes, { headers: { 'Content-Type': 'application/wasm' } }));
  const kept = await cache.keys();
  const oldest = kept.filter((request) => !asked.has(request.url)).slice(0, Math.max(kept.length - MOST, 0));
  await Promise.all(oldest.map((request) => cache.delete(request)));
}
