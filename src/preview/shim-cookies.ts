/** `document.cookie`, whose cookies are in the gateway's jar. */
import type { CookieNews } from './messages.ts';
import type { Send } from './shim-workers.ts';

export function shimCookies(send: Send): void {
  let cookies = readCookies(String(Reflect.get(self, '__linuxrun')));
  Reflect.deleteProperty(self, '__linuxrun');
  const store = storeBeforeFetches(send);
  navigator.serviceWorker.addEventListener('message', (event: MessageEvent<CookieNews>) => {
    if (event.data?.type !== 'linuxrun-cookies') return;
    event.stopImmediatePropagation();
    cookies = readCookies(event.data.cookies);
  });
  navigator.serviceWorker.startMessages();
  // Its cookies would be the browser's, which the container never sees.
  Object.defineProperty(self, 'cookieStore', { configurable: true, value: undefined });
  Object.defineProperty(Document.prototype, 'cookie', {
    configurable: true,
    enumerable: true,
    get: () => [...cookies].map(([name, value]) => (name === '' ? value : `${name}=${value}`)).join('; '),
    set: (cookie: unknown) => {
      const text = String(cookie);
      apply(cookies, text);
      store(text);
    },
  });
}

/** Requests and cookies take different ways to the gateway, so a request waits for the cookies before it. */
function storeBeforeFetches(send: Send): (cookie: string) => void {
  const { fetch } = self;
  let stored: Promise<unknown> | undefined;
  self.fetch = async (...args) => {
    await stored;
    return fetch(...args);
  };
  return (cookie) => {
    const { port1, port2 } = new MessageChannel();
    const storing = new Promise((resolve) => {
      port1.onmessage = resolve;
    }).then(() => {
      if (stored === storing) stored = undefined;
    });
    stored = storing;
    send({ type: 'set-cookie', target: location.pathname, cookie }, [port2]);
  };
}

function readCookies(text: string): Map<string, string> {
  return new Map(
    text
      .split('; ')
      .filter((pair) => pair !== '')
      .map(readPair),
  );
}

function readPair(pair: string): [name: string, value: string] {
  const at = pair.indexOf('=');
  return [pair.slice(0, Math.max(at, 0)).trim(), pair.slice(at + 1).trim()];
}

/** Changes the document's view at once. The jar decides by all attributes. */
function apply(cookies: Map<string, string>, text: string): void {
  const [pair = '', ...attributes] = text.split(';');
  const [name, value] = readPair(pair);
  const attribute = (wanted: string) =>
    attributes.map(readPair).find(([each]) => each.toLowerCase() === wanted)?.[1];
  const age = attribute('max-age');
  const expires = attribute('expires');
  const isOver = age === undefined ? Date.parse(expires ?? '') < Date.now() : Number(age) <= 0;
  if (isOver) cookies.delete(name);
  else if (location.pathname.startsWith(attribute('path') || '/')) cookies.set(name, value);
}
