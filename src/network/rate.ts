/** How often something may happen. */
export interface RateLimit {
  readonly perSecond: number;
  /** What may happen at once, after a pause. */
  readonly burst: number;
}

/** A token bucket. */
export class Rate {
  readonly #limit: RateLimit;
  #tokens: number;
  #filledAt = performance.now();

  constructor(limit: RateLimit) {
    this.#limit = limit;
    this.#tokens = limit.burst;
  }

  /** Counts another event, if it may happen now. @returns whether it may */
  tryTake(): boolean {
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Counts events that have happened, even if they were too many. The next ones then wait for longer. */
  spend(events: number): void {
    this.#tokens -= events;
  }

  /** The time in ms until the next event may happen. */
  get delay(): number {
    this.#fill();
    return Math.max(0, Math.ceil(((1 - this.#tokens) / this.#limit.perSecond) * 1000));
  }

  #fill(): void {
    const now = performance.now();
    const { perSecond, burst } = this.#limit;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * perSecond);
    this.#filledAt = now;
  }
}

/** Admits items in their order, no more often than a rate allows. Those that are too early wait. */
export class Throttle<Item> {
  readonly #rate: Rate;
  readonly #admit: (item: Item) => void;
  readonly #waiting = new Set<Item>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(limit: RateLimit, admit: (item: Item) => void) {
    this.#rate = new Rate(limit);
    this.#admit = admit;
  }

  add(item: Item): void {
    this.#waiting.add(item);
    if (this.#timer === undefined) this.#next();
  }

  /** Takes back an item that waits. */
  delete(item: Item): void {
    this.#waiting.delete(item);
  }

  close(): void {
    this.#waiting.clear();
    clearTimeout(this.#timer);
  }

  #next(): void {
    this.#timer = undefined;
    for (const item of this.#waiting) {
      if (!this.#rate.tryTake()) {
        this.#timer = setTimeout(() => this.#next(), this.#rate.delay);
        return;
      }
      this.#waiting.delete(item);
      this.#admit(item);
    }
  }
}

/** Tasks, only few of which are under way at a time, and which begin no more often than a rate allows. */
export class Tasks {
  readonly #most: number;
  readonly #throttle: Throttle<() => void>;
  /** Tasks that wait or are under way. */
  #pending = 0;

  constructor(most: number, limit: RateLimit) {
    this.#most = most;
    this.#throttle = new Throttle(limit, (begin) => begin());
  }

  /** @returns undefined if there are too many tasks already */
  run<T>(task: () => Promise<T>): Promise<T> | undefined {
    if (this.#pending >= this.#most) return undefined;
    this.#pending++;
    return this.#begin(task).finally(() => this.#pending--);
  }

  /** Tasks that wait never begin. */
  close(): void {
    this.#throttle.close();
  }

  async #begin<T>(task: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => this.#throttle.add(resolve));
    return task();
  }
}
