/** Bounds of the memory and the sockets that one guest can take. */
export interface Limits {
  readonly connections: number;
  /** Sockets for UDP. The one that was idle longest gives way. */
  readonly flows: number;
  /** Bytes that each connection may have waiting in each direction. */
  readonly connectionBytes: number;
  /** What busy connections may have waiting beyond that: one of them, and all together in each direction. */
  readonly busyBytes: number;
  readonly sharedBytes: number;
  /** Queries to name servers at a time. */
  readonly queries: number;
}

export const LIMITS: Limits = {
  connections: 256,
  flows: 128,
  connectionBytes: 32 << 10,
  busyBytes: 480 << 10,
  sharedBytes: 4 << 20,
  queries: 64,
};

/** Lends bytes to busy connections. */
export class Pool {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** @returns how many of the bytes are granted */
  take(bytes: number): number {
    const granted = Math.min(bytes, this.#left);
    this.#left -= granted;
    return granted;
  }

  give(bytes: number): void {
    this.#left += bytes;
  }
}

/** How much a connection may have waiting in one direction. Grows as long as it is used up. */
export class Allowance {
  readonly #pool: Pool;
  readonly #most: number;
  readonly #base: number;
  #lent = 0;

  constructor({ connectionBytes, busyBytes }: Limits, pool: Pool) {
    this.#base = connectionBytes;
    this.#most = busyBytes;
    this.#pool = pool;
  }

  get bytes(): number {
    return this.#base + this.#lent;
  }

  /** Doubles it, as far as there is room. */
  grow(): void {
    this.#lent += this.#pool.take(Math.min(this.bytes, this.#most - this.#lent));
  }

  release(): void {
    this.#pool.give(this.#lent);
    this.#lent = 0;
  }
}
