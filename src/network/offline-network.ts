import type { Host, TcpSocket } from './host.ts';
import type { Nat } from './nat.ts';
import type { Card, Network } from './network.ts';

/** The guest sends lost frames again. */
const MOST_PENDING = 256;

/** The NAT is the largest part of a network, and few machines need it in a browser. */
export const loadNat = () => import('./nat.ts');

/** A network that leads nowhere. It answers so that programs fail at once instead of waiting. */
export class OfflineNetwork implements Network {
  readonly #card: Card;
  readonly #onMissed: () => void;
  #nat: Nat | undefined;
  #loading: Promise<void> | undefined;
  #isClosed = false;
  /** Frames that came before the NAT was there. */
  readonly #pending: Uint8Array[] = [];

  /** @param onMissed called when the guest asks for a name, a connection or an echo */
  constructor(card: Card, onMissed: () => void) {
    this.#card = card;
    this.#onMissed = onMissed;
  }

  receive(frame: Uint8Array): void {
    if (this.#nat) {
      this.#nat.receive(frame);
      return;
    }
    if (this.#pending.length < MOST_PENDING) this.#pending.push(frame);
    // A later frame tries again. Until then the guest waits.
    this.#loading ??= this.#load().catch(() => {
      this.#loading = undefined;
    });
  }

  resume(): void {
    this.#nat?.resume();
  }

  close(): void {
    this.#isClosed = true;
    this.#nat?.close();
  }

  async #load(): Promise<void> {
    const { Nat } = await loadNat();
    if (this.#isClosed) return;
    this.#nat = new Nat({ host: new OfflineHost(this.#onMissed), card: this.#card });
    for (const frame of this.#pending.splice(0)) this.#nat.receive(frame);
  }
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
