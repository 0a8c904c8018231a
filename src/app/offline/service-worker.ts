/**
 * Keeps the files of a release, so that the page works without its server, and adds the headers of the page's
 * hosts to the answers of hosts that cannot send them.
 *
 * Files never mix between releases: a page asks for the machine's files by the id of its own release, other
 * files are named by hashes of their content, and every file of a cache was verified. A page
 * comes from the server if that answers, so that a new release is taken at the next load.
 */

import { findKeptModule, offerKeptModules } from '../../code-cache/kept-modules.ts';
import { toHex } from '../../text/hex.ts';
import { type Keep, RELEASE_PREFIX } from './release.ts';

interface Release {
  readonly id: string;
  /** The SHA-256 of each file in hexadecimal, by its path. The empty path is the page. */
  readonly files: Readonly<Record<string, string>>;
  /** The headers that hosts should send with every file. */
  readonly headers: Readonly<Record<string, string>>;
}

interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

/** The part of ServiceWorkerGlobalScope in use, which TypeScript's DOM library lacks. */
interface Scope {
  readonly clients: { claim(): Promise<void> };
  readonly registration: ServiceWorkerRegistration;
  skipWaiting(): Promise<void>;
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void;
  addEventListener(type: 'message', listener: (event: ExtendableEvent & MessageEvent) => void): void;
  addEventListener(type: 'install' | 'activate', listener: (event: ExtendableEvent) => void): void;
}

/** Written by the set-up. */
declare const RELEASE: Release;

const scope = self as unknown as Scope;
const CACHE = RELEASE_PREFIX + RELEASE.id;
/** The longest wait for a server's answer before a kept file is used, in ms. */
const PATIENCE = 4000;
/** Files that are kept once they have been used: only machines unlike the usual one boot a kernel. */
const WAITS = /^kernel\/(?!booted$)/;
/** The entry of a cache with the hashes of its release. No file of a release has such a name. */
const HASHES = 'hashes-of-the-release';
const SERVER_ERROR = 500;
/** Only a page that was sent with it is isolated. */
const ISOLATES = 'Cross-Origin-Embedder-Policy';
/** Redirects of pages, which only the browser may follow, have no status that a script may use. */
const NO_STATUS = 0;

const base = scope.registration.scope;
const urlOf = (path: string) => new URL(path, base).href;

scope.addEventListener('install', (event) => event.waitUntil(install()));
scope.addEventListener('activate', (event) => event.waitUntil(activate()));
// The page sends it when it has loaded its own files.
scope.addEventListener('message', (event) => {
  const { release, used } = event.data as Keep;
  if (release === RELEASE.id) event.waitUntil(keep(new Set(used)));
});
scope.addEventListener('fetch', (event) => {
  const { request } = event;
  // A part of a file is asked for when a download broke off. The server continues it.
  if (request.method !== 'GET' || !request.url.startsWith(base) || request.headers.has('Range')) return;
  const keptModule = findKeptModule(request.url, base);
  if (keptModule) return event.respondWith(keptModule);
  const url = new URL(request.url);
  const path = url.pathname.slice(new URL(base).pathname.length).replace(/^index\.html$/, '');
  const id = url.searchParams.get('release');
  const answer = (response: Promise<Response>) => event.respondWith(response.then(withHeaders));
  if (id !== null) answer(ofRelease(id, path, request));
  else if (isNamedByHash(path)) answer(keptOrFetched(path, request));
  else if (Object.hasOwn(RELEASE.files, path)) answer(fetchedOrKept(path, request));
  else if (request.mode === 'navigate') answer(fetch(request));
  if (request.mode === 'navigate') event.waitUntil(removeUnused());
});

/** Scripts and styles of the page, and the blobs of the demo images. */
function isNamedByHash(path: string): boolean {
  return path.startsWith('assets/') || path.startsWith('images/blobs/');
}

async function install(): Promise<void> {
  // A page that waits for its isolation needs this worker at once. It asks for the files later.
  if ((await releases()).length > 0 || (await isIsolatedByHost())) await keep();
  // Pages of other releases keep their own caches, so the new worker need not wait for their end.
  await scope.skipWaiting();
}

async function isIsolatedByHost(): Promise<boolean> {
  const { headers } = await fetch(base, { method: 'HEAD', cache: 'no-cache' });
  return headers.has(ISOLATES);
}

/** @param used files that the page has used, before this worker could see it */
async function keep(used: ReadonlySet<string> = new Set()): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.put(urlOf(HASHES), new Response(JSON.stringify(RELEASE.files)));
  for (const [path, hash] of Object.entries(RELEASE.files)) {
    const isKept = await cache.match(urlOf(path));
    const isWanted = !WAITS.test(path) || used.has(path) || (await wasUsed(path));
    if (!isKept && isWanted) await cache.put(urlOf(path), await load(path, hash));
  }
}

/** Whether a release before has kept a file. */
async function wasUsed(path: string): Promise<boolean> {
  return (await caches.match(urlOf(path))) !== undefined;
}

async function activate(): Promise<void> {
  await removeUnused();
  // Browsers may refuse to store anything.
  await offerKeptModules(base).catch(() => {});
  // Firefox waits for every worker of the pages, harts that sleep in Atomics.wait among them, and answers no
  // request until the activation has ended.
  void scope.clients.claim();
}

/** Takes a file from the cache of another release, if it has not changed since, or from the server. */
async function load(path: string, hash: string): Promise<Response> {
  for (const name of await releases()) {
    const kept = await (await caches.open(name)).match(urlOf(path));
    const verified = kept && (await verify(kept, hash));
    if (verified) return verified;
  }
  const verified = await verify(await fetch(urlOf(path), { cache: 'no-cache' }), hash);
  // The server has changed meanwhile. Its new worker will install the new files.
  if (!verified) throw new Error(`${path || 'the page'} is of another release`);
  return verified;
}

async function verify(response: Response, hash: string): Promise<Response | undefined> {
  if (!response.ok) return undefined;
  const body = await response.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
  const found = toHex(digest);
  // A new response, because browsers refuse one that was redirected as the answer for a page.
  return found === hash ? new Response(body, { headers: response.headers }) : undefined;
}

/** Adds the headers that the host has not sent. */
function withHeaders(response: Response): Response {
  const missing = Object.entries(RELEASE.headers).filter(([name]) => !response.headers.has(name));
  if (missing.length === 0 || response.status === NO_STATUS) return response;
  const { body, status, statusText } = response;
  const headers = new Headers(response.headers);
  for (const [name, value] of missing) headers.set(name, value);
  return new Response(body, { status, statusText, headers });
}

async function releases(): Promise<string[]> {
  return (await caches.keys()).filter((name) => name.startsWith(RELEASE_PREFIX));
}

/** Deletes the caches of other releases, except for those that an open page names in a lock. */
async function removeUnused(): Promise<void> {
  // Its cache is not in use yet.
  if (scope.registration.installing) return;
  const { held = [] } = await navigator.locks.query();
  const used = new Set([CACHE, ...held.map(({ name }) => name)]);
  for (const name of await releases()) if (!used.has(name)) await caches.delete(name);
}

async function keptOrFetched(path: string, request: Request): Promise<Response> {
  return (await caches.match(urlOf(path))) ?? fetch(request);
}

/** Answers with the file of a release, which is kept from now on. */
async function ofRelease(id: string, path: string, request: Request): Promise<Response> {
  const cacheName = RELEASE_PREFIX + id;
  const kept = await caches.match(urlOf(path), { cacheName });
  if (kept) return kept;
  const hash = (await hashesOf(cacheName))?.[path];
  const fetched = await fetch(request);
  // This worker is older than the page, or the page has not asked for its files to be kept.
  if (hash === undefined || !fetched.ok) return fetched;
  const verified = await verify(fetched, hash);
  // The server has another release by now.
  if (!verified) return Response.error();
  const cache = await caches.open(cacheName);
  // Without room, the page works as long as its server does.
  await cache.put(urlOf(path), verified.clone()).catch(() => {});
  return verified;
}

async function hashesOf(cacheName: string): Promise<Release['files'] | undefined> {
  return (await caches.match(urlOf(HASHES), { cacheName }))?.json();
}

async function fetchedOrKept(path: string, request: Request): Promise<Response> {
  const giveUp = new AbortController();
  const fetched = fetch(request, { signal: giveUp.signal });
  fetched.catch(() => {});
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, PATIENCE));
  const answer = await Promise.race([fetched, late]).catch(() => undefined);
  if (answer && answer.status < SERVER_ERROR) return answer;
  const kept = await caches.match(urlOf(path), { cacheName: CACHE });
  // Browsers have few connections to a server, which hung requests would all hold.
  if (kept) giveUp.abort();
  return kept ?? fetched;
}
