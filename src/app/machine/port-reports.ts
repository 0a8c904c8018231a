import type { PortChange } from '../../api/public.ts';

/** The most open ports that are reported to the page. */
const MOST = 64;
/** The least time between two reports, in ms. */
const INTERVAL = 20;

/**
 * Tells the page which ports open and close. A container can open all ports there are, and close them again
 * and again, which the page could not show in time.
 */
export class PortReports {
  readonly #tell: (change: PortChange) => void;
  readonly #told = new Set<number>();
  /** The latest state of the ports that have changed. */
  readonly #changed = new Map<number, boolean>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(tell: (change: PortChange) => void) {
    this.#tell = tell;
  }

  readonly note = ({ port, open }: PortChange): void => {
    this.#changed.set(port, open);
    if (this.#timer === undefined) this.#report();
  };

  end(): void {
    clearTimeout(this.#timer);
    this.#changed.clear();
  }

  /** Tells of one port, and of the next one later. */
  #report(): void {
    this.#timer = undefined;
    for (const [port, open] of this.#changed) {
      if (open && this.#told.size === MOST && !this.#told.has(port)) continue;
      this.#changed.delete(port);
      if (open === this.#told.has(port)) continue;
      if (open) this.#told.add(port);
      else this.#told.delete(port);
      this.#tell({ port, open });
      this.#timer = setTimeout(() => this.#report(), INTERVAL);
      return;
    }
  }
}
