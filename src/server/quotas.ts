import { Rate } from '../network/rate.ts';

export interface QuotaLimits {
  /** Requests of all clients being answered. */
  readonly concurrent: number;
  /** Requests of one client being answered. */
  readonly concurrentPerClient: number;
  /** Requests that one client may make at once after a pause. */
  readonly burst: number;
  /** Requests per second that one client may make in the long run. */
  readonly rate: number;
}

/**
 * - `rate`: the client makes too many requests
 * - `client`: too many requests of the client are being answered
 * - `server`: too many requests of all clients are being answered
 */
export type Quota = 'rate' | 'client' | 'server';

/** A request must wait. */
export class QuotaError extends Error {
  override name = 'QuotaError';
  readonly quota: Quota;
  /** Of HTTP. */
  readonly status: 429 | 503;
  /** When to try again, in seconds. */
  readonly wait: number;

  constructor(quota: Quota, wait: number) {
    super(quota);
    this.quota = quota;
    this.status = quota === 'server' ? 503 : 429;
    this.wait = wait;
  }
}

interface Client {
  active: number;
  readonly rate: Rate;
}

const MAX_IDLE_CLIENTS = 10_000;

/** Shares the server among its clients, with a rate for each and a limit on open requests. */
export class Quotas {
  readonly #limits: QuotaLimits;
  readonly #clients = new Map<string, Client>();
  #active = 0;

  constructor(limits: QuotaLimits) {
    this.#limits = limits;
  }

  /**
   * Admits a request.
   * @returns a function to call once, after the answer
   * @throws QuotaError
   */
  enter(key: string): () => void {
    this.check(key);
    const client = this.#client(key);
    client.rate.spend(1);
    client.active++;
    this.#active++;
    return () => {
      client.active--;
      this.#active--;
    };
  }

  /** @throws QuotaError when a request would not be admitted now */
  check(key: string): void {
    const { concurrent, concurrentPerClient } = this.#limits;
    const { active, rate } = this.#client(key);
    if (rate.delay > 0) throw new QuotaError('rate', Math.ceil(rate.delay / 1000));
    if (active >= concurrentPerClient) throw new QuotaError('client', 1);
    if (this.#active >= concurrent) throw new QuotaError('server', 5);
  }

  #client(key: string): Client {
    const { burst, rate } = this.#limits;
    const client = this.#clients.get(key) ?? { active: 0, rate: new Rate({ perSecond: rate, burst }) };
    // The latest client moves to the end of the map, so the first ones have been away for longest.
    this.#clients.delete(key);
    this.#clients.set(key, client);
    if (this.#clients.size > MAX_IDLE_CLIENTS) this.#forgetOldest();
    return client;
  }

  #forgetOldest(): void {
    for (const [key, { active }] of this.#clients) {
      if (active > 0) continue;
      this.#clients.delete(key);
      return;
    }
  }
}
