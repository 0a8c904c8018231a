/**
 * The hidden frame of the page at a preview's origin. It installs the service worker and hands its ports on
 * to the gateway. The preview's own scripts have the same origin and can do anything here, so the page
 * trusts none of its messages.
 */
import { activated } from './activated.ts';
import type { BridgeReport, Introduction, StayAlive } from './messages.ts';
import { readPreviewHost, WORKER_PATH } from './names.ts';

const page = `${location.protocol}//${readPreviewHost(location.host)?.page}`;

function report(message: BridgeReport): void {
  parent.postMessage(message, page);
}

async function install(): Promise<ServiceWorkerRegistration> {
  const options = { scope: '/', updateViaCache: 'none' } as const;
  const registration = await navigator.serviceWorker.register(WORKER_PATH, options);
  await activated(registration);
  return registration;
}

/** The page's port to the gateway. */
function welcome(): Promise<MessagePort> {
  return new Promise((resolve) => {
    addEventListener('message', ({ origin, source, ports: [port] }) => {
      if (origin === page && source === parent && port) resolve(port);
    });
  });
}

/** Takes a lock that the browser releases when this frame ends. @returns its name */
function holdLock(): Promise<string> {
  const name = `linuxrun-${crypto.randomUUID()}`;
  return new Promise((resolve, reject) => {
    const hold = () => {
      resolve(name);
      return new Promise<never>(() => {});
    };
    navigator.locks.request(name, hold).catch(reject);
  });
}

async function open(): Promise<void> {
  if (!navigator.serviceWorker) throw new Error('this browser has no service workers here');
  const welcomed = welcome();
  const locked = holdLock();
  // At once, because browsers drop messages that nobody listens for.
  navigator.serviceWorker.addEventListener('message', async ({ ports: [port] }) => {
    const [gateway, lock] = await Promise.all([welcomed, locked]);
    if (port) gateway.postMessage({ type: 'worker', lock } satisfies Introduction, [port]);
  });
  report({ type: 'here' });
  const [registration] = await Promise.all([install(), locked]);
  report({ type: 'ready' });
  const gateway = await welcomed;
  gateway.onmessage = () => registration.active?.postMessage({ type: 'stay' } satisfies StayAlive);
}

open().catch((error: unknown) => report({ type: 'failed', reason: String(error) }));
