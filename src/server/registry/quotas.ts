import { ProxyError } from './errors.ts';

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

interface Client {
  active: number;
  /** How many requests the client could make at the time `updated`. */
  tokens: number;
  updated: number;
}

const MAX_IDLE_CLIENTS = 10_000;

/** Shares the server among its clients, with a token bucket for each and a limit on open requests. */
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
   * @throws ProxyError
   */
  enter(key: string): () => void {
    const { concurrent, concurrentPerClient, rate } = this.#limits;
    const client = this.#client(key);
    if (client.tokens < 1) {
      const wait = Math.ceil((1 - client.tokens) / rate);
      throw tooMany(`you make too many requests to this server: try again in ${wait} s`, wait);
    }
    if (client.active >= concurrentPerClient)
      throw tooMany(`you have ${client.active} downloads open at this server: wait for one to end`, 1);
    if (this.#active >= concurrent)
      throw new ProxyError(503, 'UNAVAILABLE', 'this server is busy: try again in some seconds', {
        'Retry-After': '5',
      });
    client.tokens--;
    client.active++;
    this.#active++;
    return () => {
      client.active--;
      this.#active--;
    };
  }

  #client(key: string): Client {
    const { burst, rate } = this.#limits;
    const now = performance.now();
    const client = this.#clients.get(key) ?? { active: 0, tokens: burst, updated: now };
    client.tokens = Math.min(burst, client.tokens + ((now - client.updated) / 1000) * rate);
    client.updated = now;
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

function tooMany(message: string, seconds: number): ProxyError {
  return new ProxyError(429, 'TOOMANYREQUESTS', message, { 'Retry-After': String(seconds) });
}
