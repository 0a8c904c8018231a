import type { NetworkEvents, NetworkStatus } from './network.ts';

/** How often changed counts are reported, in ms. */
const INTERVAL = 1000;

/** Reports the status of a network to the machine's owner. */
export class StatusReport {
  readonly #report: NetworkEvents['status'];
  #status: NetworkStatus = { state: 'idle', received: 0, sent: 0 };
  #timer: ReturnType<typeof setInterval> | undefined;
  #hasNews = false;

  constructor(events: NetworkEvents) {
    this.#report = (status) => events.status(status);
  }

  get state(): NetworkStatus['state'] {
    return this.#status.state;
  }

  change(change: Partial<NetworkStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.#report(this.#status);
  }

  /** Reports a change within the next second. */
  note(change: Partial<NetworkStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.#hasNews = true;
    this.#timer ??= setInterval(() => this.#tick(), INTERVAL);
  }

  count(received: number, sent: number): void {
    const status = this.#status;
    this.note({ received: status.received + received, sent: status.sent + sent });
  }

  /** A program wants the network while it is off. */
  miss(): void {
    if (this.state === 'off' && !this.#status.isMissed) this.change({ isMissed: true });
  }

  /** The last report in a row has no news, which tells that the traffic has ended. */
  #tick(): void {
    if (!this.#hasNews) this.close();
    this.#hasNews = false;
    this.#report(this.#status);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
