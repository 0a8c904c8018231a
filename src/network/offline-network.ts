import type { Host, TcpSocket } from './host.ts';
import { Nat } from './nat.ts';
import type { Card, Network } from './network.ts';

/**
 * A network that leads nowhere. It answers so that programs fail at once instead of waiting.
 * @param onMissed called when the guest asks for a name, a connection or an echo
 */
export function offlineNetwork(card: Card, onMissed: () => void): Network {
  return new Nat({ host: new OfflineHost(onMissed), card });
}

const NOWHERE: TcpSocket = {
  waiting: 0,
  write() {},
  end() {},
  pause() {},
  resume() {},
  abort() {},
};

class OfflineHost implements Host {
  readonly #onMissed: () => void;

  constructor(onMissed: () => void) {
    this.#onMissed = onMissed;
  }

  connect(...[, , events]: Parameters<Host['connect']>): ReturnType<Host['connect']> {
    this.#onMissed();
    queueMicrotask(() => events.failed('unreachable'));
    return NOWHERE;
  }

  openUdp(...[, , events]: Parameters<Host['openUdp']>): ReturnType<Host['openUdp']> {
    this.#onMissed();
    queueMicrotask(() => events.refused());
    return { send() {}, close() {} };
  }

  query(): Promise<never> {
    this.#onMissed();
    return Promise.reject(new Error('no network'));
  }

  async echo(): Promise<undefined> {
    this.#onMissed();
  }

  ownAddresses(): readonly string[] {
    return [];
  }
}
