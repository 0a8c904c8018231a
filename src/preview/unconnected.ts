/** The page at a preview's origin that the server sends, because no service worker has answered. */
import { readPreviewHost } from './names.ts';

/** A reload past all caches goes past the service worker too; an ordinary one does not. */
async function reconnect(): Promise<boolean> {
  const container = navigator.serviceWorker;
  if (!container || container.controller) return false;
  const registration = await container.getRegistration();
  if (!registration?.active) return false;
  location.reload();
  return true;
}

async function open(): Promise<void> {
  if (await reconnect()) return;
  const { port, page } = readPreviewHost(location.host) ?? {};
  const link = document.querySelector('a');
  if (link && page) link.href = `${location.protocol}//${page}/`;
  const place = document.querySelector('#port');
  if (place && port) place.textContent = ` of port ${port}`;
  document.body.hidden = false;
}

void open().catch(() => {});
