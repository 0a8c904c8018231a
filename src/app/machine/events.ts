import type { SessionEvent } from './messages.ts';

/** The time between two progress reports of a layer, in ms. Eyes follow no faster. */
const INTERVAL = 100;

/** Passes events on in order, but frequent ones only from time to time, with the latest state. */
export class Throttle {
  readonly #pass: (event: SessionEvent) => void;
  readonly #latest = new Map<string, SessionEvent>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(pass: (event: SessionEvent) => void) {
    this.#pass = pass;
  }

  readonly send = (event: SessionEvent): void => {
    if (event.type === 'progress') {
      this.#latest.set(event.diffId, event);
      this.#timer ??= setTimeout(() => this.#flush(), INTERVAL);
      return;
    }
    this.#flush();
    this.#pass(event);
  };

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const event of this.#latest.values()) this.#pass(event);
    this.#latest.clear();
  }
}
