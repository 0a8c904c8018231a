/** The way of documents and workers to the service worker. */
import type { CookieChange, SocketRequest } from './messages.ts';

type Message = SocketRequest | CookieChange;
/** Sends a message to the service worker, which passes it on to the gateway. */
export type Send = (message: Message, ports: MessagePort[]) => void;

/** The first message to a worker has this property, and a port to the document that made the worker. */
const MARK = '__linuxrun';

/**
 * Workers have no service worker to talk to, so each document and worker passes messages of those that it
 * makes on.
 */
export function shimWorkers(): Send {
  const send = 'document' in self ? sendFromDocument : sendFromWorker();
  const Native = self.Worker;
  if (!Native) return send;
  self.Worker = class Worker extends Native {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      if (!isServed(url)) return;
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data, ports }: MessageEvent<Message>) => send(data, [...ports]);
      this.postMessage({ [MARK]: true }, [port2]);
    }
  };
  return send;
}

/** Whether the service worker serves the script, with the shim in it. */
function isServed(url: string | URL): boolean {
  const { protocol, origin } = new URL(url, location.href);
  return /^https?:$/.test(protocol) && origin === self.origin;
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
