/** A server has begun or ended to listen on a port. */
export interface PortChange {
  /** The number of the port. */
  readonly port: number;
  /** Whether a server listens on it. */
  readonly open: boolean;
}

interface Watcher {
  /** Changes that it has not taken yet. Opposite ones cancel each other, so there are no more than ports. */
  readonly changes: Map<number, boolean>;
  wake(): void;
}

/** The ports of a container on which servers listen, for any number of watchers, which may be slow. */
export class PortWatch {
  readonly #open = new Set<number>();
  readonly #watchers = new Set<Watcher>();
  readonly #setWatched: (watched: boolean) => void;
  #ended = false;

  /** @param setWatched called when the first watcher comes, and when the last one leaves */
  constructor(setWatched: (watched: boolean) => void) {
    this.#setWatched = setWatched;
  }

  /** Takes a change. It is one only if the port was not open, or closed, already. */
  note({ port, open }: PortChange): void {
    if (this.#open.has(port) === open) return;
    if (open) this.#open.add(port);
    else this.#open.delete(port);
    for (const { changes, wake } of this.#watchers) {
      if (!changes.delete(port)) changes.set(port, open);
      wake();
    }
  }

  /** The open ports, then changes. */
  watch(): ReadableStream<PortChange> {
    let wake = () => {};
    let left = false;
    const changes = new Map([...this.#open].map((port) => [port, true]));
    const watcher: Watcher = { changes, wake: () => wake() };
    // An iterator sees later additions, too. A new one would step over all deleted entries.
    let iterator = changes.entries();
    const take = (): PortChange | undefined => {
      let next = iterator.next();
      if (next.done) {
        iterator = changes.entries();
        next = iterator.next();
      }
      if (next.done) return undefined;
      const [port, open] = next.value;
      changes.delete(port);
      return { port, open };
    };
    return new ReadableStream<PortChange>(
      {
        start: () => this.#add(watcher),
        pull: async (controller) => {
          while (changes.size === 0 && !this.#ended && !left) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
          if (left) return;
          const change = take();
          if (change) controller.enqueue(change);
          else controller.close();
        },
        cancel: () => {
          this.#remove(watcher);
          left = true;
          wake();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Ends all watchers' streams after their pending changes. */
  end(): void {
    this.#ended = true;
    for (const { wake } of this.#watchers) wake();
  }

  #add(watcher: Watcher): void {
    this.#watchers.add(watcher);
    if (this.#watchers.size === 1) this.#setWatched(true);
  }

  #remove(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size === 0) this.#setWatched(false);
  }
}
