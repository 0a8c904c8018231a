/** Answers requests for compiled code, as the app's service worker does. */
import { findKeptModule, offerKeptModules } from '../../src/code-cache/kept-modules.ts';

interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface FetchEvent extends Event {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

const scope = self as unknown as {
  readonly registration: ServiceWorkerRegistration;
  readonly clients: { claim(): Promise<void> };
};

addEventListener('activate', (event) => {
  (event as ExtendableEvent).waitUntil(offerKeptModules(scope.registration.scope));
  void scope.clients.claim();
});
addEventListener('fetch', (event) => {
  const fetching = event as FetchEvent;
  const kept = findKeptModule(fetching.request.url, scope.registration.scope);
  if (kept) fetching.respondWith(kept);
});
