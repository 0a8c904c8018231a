import type { SessionEvent } from '../machine/messages.ts';

/** How long the steps of a start may wait, in ms. */
const PATIENCE = 50;

/** The steps of a start, and what comes with them. */
const STEPS: readonly SessionEvent['type'][] = [
  'resolved',
  'progress',
  'stored',
  'retry',
  'built-in',
  'image-ready',
  'booted',
  'started',
  'network',
];

/**
 * Passes the events of a session on in their order, but the steps of its start together and a little later:
 * what the page draws for them would hold back the program's first output.
 */
export class StartEvents {
  readonly #pass: (event: SessionEvent, at: number) => void;
  #waiting: (readonly [event: SessionEvent, at: number])[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param pass takes an event and the time when it came, in ms */
  constructor(pass: (event: SessionEvent, at: number) => void) {
    this.#pass = pass;
  }

  add(event: SessionEvent): void {
    this.#waiting.push([event, performance.now()]);
    if (STEPS.includes(event.type)) this.#timer ??= setTimeout(() => this.flush(), PATIENCE);
    else this.flush();
  }

  /** Passes on what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [event, at] of this.#waiting.splice(0)) this.#pass(event, at);
  }
}
