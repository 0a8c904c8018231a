import type { SessionEvent } from './messages.ts';

/** Between two reports of a layer's progress, ms: as often as an eye can follow. */
const INTERVAL = 100;

/** Passes events on in their order, but of those that come in hundreds only the latest now and then. */
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
