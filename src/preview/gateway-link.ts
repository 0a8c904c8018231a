/** The service worker's end of its way to the gateway. */
import type { Greeting, WorkerMessage } from './messages.ts';
import { BRIDGE_PATH } from './names.ts';
import type { ServiceWorkerScope } from './worker-types.ts';

/** The longest wait for the gateway's greeting, in ms. */
const PATIENCE = 15_000;

/** The page with the machine is closed, or has ended the preview. */
export class PageClosedError extends Error {
  override name = 'PageClosedError';
}

/** A port to the gateway that works until the signal is aborted. */
export interface Gateway {
  readonly port: MessagePort;
  readonly lost: AbortSignal;
}

/**
 * Connects by the bridge, a frame of the page. A browser may stop a service worker at any time, and then
 * start it again without its state, so the next event connects anew.
 */
export class GatewayLink {
  readonly #scope: ServiceWorkerScope;
  #gateway: Promise<Gateway> | undefined;

  constructor(scope: ServiceWorkerScope) {
    this.#scope = scope;
  }

  /** @throws PageClosedError */
  async connect(): Promise<Gateway> {
    this.#gateway ??= this.#open();
    const attempt = this.#gateway;
    const forget = () => {
      if (this.#gateway === attempt) this.#gateway = undefined;
    };
    try {
      const gateway = await attempt;
      gateway.lost.addEventListener('abort', forget);
      return gateway;
    } catch (error) {
      forget();
      throw error;
    }
  }

  /** Sends a message with a port, whose other end is returned. */
  async send(message: WorkerMessage): Promise<{ port: MessagePort; lost: AbortSignal }> {
    const { port, lost } = await this.connect();
    const { port1, port2 } = new MessageChannel();
    port.postMessage(message, [port2]);
    return { port: port1, lost };
  }

  async #open(): Promise<Gateway> {
    const windows = await this.#scope.clients.matchAll({ includeUncontrolled: true, type: 'window' });
    const bridges = windows.filter(({ url }) => new URL(url).pathname === BRIDGE_PATH);
    if (bridges.length === 0) throw new PageClosedError('the page is closed');
    const channels = bridges.map((bridge) => {
      const { port1, port2 } = new MessageChannel();
      bridge.postMessage({}, [port2]);
      return port1;
    });
    // A script of the preview may have opened the bridge's document too, which then leads nowhere.
    const { port, lock } = await Promise.race(channels.map(greetingOn));
    for (const channel of channels) if (channel !== port) channel.close();
    return { port, lost: whenReleased(lock) };
  }
}

function greetingOn(port: MessagePort): Promise<{ port: MessagePort; lock: string }> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error('The page with the container does not answer')),
      PATIENCE,
    );
    port.onmessage = ({ data }: MessageEvent<Greeting>) => {
      clearTimeout(timer);
      resolve({ port, lock: data.lock });
    };
  });
}

/** The holder of a lock is gone when another one gets it. */
function whenReleased(lock: string): AbortSignal {
  const released = new AbortController();
  void navigator.locks.request(lock, { mode: 'shared' }, () =>
    released.abort(new PageClosedError('the page was closed')),
  );
  return released.signal;
}
