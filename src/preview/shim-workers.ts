/** The way of documents and workers to the service worker. */
import type { CookieChange, SocketRequest } from './messages.ts';

type Message = SocketRequest | CookieChange;
/** Sends a message to the service worker, which passes it on to the gateway. */
export type Send = (message: Message, ports: MessagePort[]) => void;

/** The first message to a worker has this property, and a port to the document that made the worker. */
const MARK = '__linuxrun';

/** The shim's own code, on one line, written by the set-up. */
declare const SHIM: string;

/**
 * Workers have no service worker to talk to, so each document and worker passes messages of those that it
 * makes on.
 */
export function shimWorkers(): Send {
  const send = waysOut();
  const shimmed = shimBlobs();
  const passOn = () => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data, ports }: MessageEvent<Message>) => send(data, [...ports]);
    return port2;
  };
  const { Worker: NativeWorker, SharedWorker: NativeSharedWorker } = self;
  if (NativeWorker)
    self.Worker = class Worker extends NativeWorker {
      constructor(url: string | URL, options?: WorkerOptions) {
        const script = shimmed(url);
        super(script ?? url, options);
        if (script !== undefined) this.postMessage({ [MARK]: true }, [passOn()]);
      }
    };
  if (NativeSharedWorker)
    self.SharedWorker = class SharedWorker extends NativeSharedWorker {
      constructor(url: string | URL, options?: string | WorkerOptions) {
        const script = shimmed(url);
        super(script ?? url, options);
        if (script === undefined) return;
        const { port1, port2 } = new MessageChannel();
        this.port.postMessage({ [MARK]: true }, [passOn(), port2]);
        Object.defineProperty(this, 'port', { value: port1 });
      }
    };
  return send;
}

function waysOut(): Send {
  if ('document' in self) return sendFromDocument;
  return 'onconnect' in self ? sendFromSharedWorker() : sendFromWorker();
}

/**
 * The service worker puts the shim into workers' scripts. It does not see those with `blob:` URLs, which get
 * the shim here.
 * @returns a function that returns the URL of a script with the shim, or undefined if there is none
 */
function shimBlobs(): (url: string | URL) => string | undefined {
  const { createObjectURL, revokeObjectURL } = URL;
  const blobs = new Map<string, Blob>();
  const shimmed = new Map<string, string>();
  URL.createObjectURL = (object) => {
    const url = createObjectURL(object);
    if (object instanceof Blob) blobs.set(url, object);
    return url;
  };
  URL.revokeObjectURL = (url) => {
    revokeObjectURL(url);
    revokeObjectURL(shimmed.get(url) ?? '');
    blobs.delete(url);
    shimmed.delete(url);
  };
  return (url) => {
    if (!URL.canParse(url, location.href)) return undefined;
    const { protocol, origin, href } = new URL(url, location.href);
    if (protocol !== 'blob:') return origin === self.origin ? href : undefined;
    const blob = blobs.get(href);
    if (blob && !shimmed.has(href)) shimmed.set(href, createObjectURL(new Blob([SHIM, blob], blob)));
    return shimmed.get(href);
  };
}

const sendFromDocument: Send = (message, ports) => {
  void navigator.serviceWorker.ready.then(({ active }) => active?.postMessage(message, ports));
};

function sendFromWorker(): Send {
  const parent = new Promise<MessagePort>((resolve) => {
    addEventListener('message', (event: MessageEvent) => {
      const [port] = event.ports;
      if (!port || !Object.hasOwn(Object(event.data), MARK)) return;
      event.stopImmediatePropagation();
      resolve(port);
    });
  });
  return (message, ports) => void parent.then((port) => port.postMessage(message, ports));
}

/**
 * A document gives a shared worker two ports: ours, and the one that the worker's script sees. Messages go to
 * the document that has connected last, because the others may be closed.
 */
function sendFromSharedWorker(): Send {
  let last: MessagePort | undefined;
  const connected = new Promise<void>((resolve) => {
    addEventListener('connect', (event) => {
      if (!event.isTrusted) return;
      event.stopImmediatePropagation();
      const [native] = (event as MessageEvent).ports;
      native?.addEventListener('message', ({ ports: [ours, theirs] }) => {
        if (!ours || !theirs) return;
        last = ours;
        resolve();
        dispatchEvent(new MessageEvent('connect', { data: '', ports: [theirs], source: theirs }));
      });
      native?.start();
    });
  });
  return (message, ports) => void connected.then(() => last?.postMessage(message, ports));
}
