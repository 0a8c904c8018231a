import type { Figures } from '../machine/messages.ts';
import { type Reading, readingOf } from '../model/reading.ts';

const INTERVAL = 1000;

/** Asks a machine for its figures once a second while the page is visible. */
export class Meter {
  readonly #ask: () => Promise<Figures | undefined>;
  readonly #tell: (reading: Reading) => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #before: Figures | undefined;
  #isAsking = false;

  constructor(ask: () => Promise<Figures | undefined>, tell: (reading: Reading) => void) {
    this.#ask = ask;
    this.#tell = tell;
  }

  /** @param cpus of the machine */
  start(cpus: number): void {
    this.stop();
    this.#before = undefined;
    this.#isAsking = false;
    // A machine that ends in the meantime has no figures.
    const measure = () => !document.hidden && !this.#isAsking && this.#measure(cpus).catch(() => {});
    this.#timer = setInterval(measure, INTERVAL);
    measure();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #measure(cpus: number): Promise<void> {
    const timer = this.#timer;
    // An answer may come after the end, or even after the next start.
    const isCurrent = () => this.#timer === timer;
    this.#isAsking = true;
    const now = await this.#ask().finally(() => {
      if (isCurrent()) this.#isAsking = false;
    });
    if (!now || !isCurrent()) return;
    this.#tell(readingOf(now, this.#before, cpus));
    this.#before = now;
  }
}
