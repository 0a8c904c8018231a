import type { Usage } from '../../machine/machine.ts';
import type { Figures } from '../machine/messages.ts';

const INTERVAL = 1000;
const MILLION = 1e6;

/** Asks a machine for its figures from time to time while the page is visible. */
export class SpeedMeter {
  readonly #ask: () => Promise<Figures | undefined>;
  readonly #tell: (mips: number, usage: Usage) => void;
  #timer: ReturnType<typeof setInterval> | undefined;
  #before = { instructions: 0, seconds: 0 };

  constructor(ask: () => Promise<Figures | undefined>, tell: (mips: number, usage: Usage) => void) {
    this.#ask = ask;
    this.#tell = tell;
  }

  start(): void {
    this.#before = { instructions: 0, seconds: 0 };
    this.#timer = setInterval(() => {
      // A machine that ends in the meantime has no figures.
      if (!document.hidden) this.#measure().catch(() => {});
    }, INTERVAL);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #measure(): Promise<void> {
    const now = await this.#ask();
    if (!now || !this.#timer) return;
    const { instructions, seconds } = this.#before;
    if (now.seconds <= seconds) return;
    this.#tell((now.instructions - instructions) / (now.seconds - seconds) / MILLION, now.usage);
    this.#before = now;
  }
}
