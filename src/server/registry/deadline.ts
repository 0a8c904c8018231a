import { ProxyError } from './errors.ts';

/** Nobody sees it. */
export const CLIENT_LEFT = new ProxyError(499, 'UNAVAILABLE', 'the client has left');

/** A signal that aborts when a client leaves, or when something takes longer than it may. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #client: AbortSignal;
  readonly #total: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param client aborted when the client leaves
   * @param total of the whole request, ms
   * @param late the reason when that has passed
   */
  constructor(client: AbortSignal, total: number, late: ProxyError) {
    this.#client = client;
    this.#total = setTimeout(() => this.abort(late), total);
    if (client.aborted) this.#leave();
    else client.addEventListener('abort', this.#leave, { once: true });
  }

  /** Its reason is a ProxyError. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** From now on something has to happen within `ms`: until the next call or `clear`. */
  set(ms: number, late: ProxyError): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.abort(late), ms);
  }

  abort(reason: ProxyError): void {
    this.#controller.abort(reason);
    this.clear();
  }

  clear(): void {
    clearTimeout(this.#total);
    clearTimeout(this.#timer);
    this.#client.removeEventListener('abort', this.#leave);
  }

  readonly #leave = () => this.abort(CLIENT_LEFT);
}
