import { ProxyError } from './errors.ts';

/** The client has gone, so no one sees this error. */
export const CLIENT_LEFT = new ProxyError(499, 'UNAVAILABLE', 'the client has left');

/** A signal that aborts when the client leaves or a time limit passes. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #client: AbortSignal;
  readonly #total: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param client a signal that aborts when the client leaves
   * @param total the limit for the whole request, in ms
   * @param late the reason when that limit has passed
   */
  constructor(client: AbortSignal, total: number, late: ProxyError) {
    this.#client = client;
    this.#total = setTimeout(() => this.abort(late), total);
    if (client.aborted) this.#leave();
    else client.addEventListener('abort', this.#leave, { once: true });
  }

  /** The signal, whose reason is a ProxyError. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Sets a limit of `ms` from now, until the next call or `clear`. */
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
