import type { RateLimit } from './rate.ts';

/** Bounds of the memory and the sockets that one guest can take. */
export interface Limits {
  readonly connections: number;
  /** Connections that the host begins. Those beyond it wait. */
  readonly newConnections: RateLimit;
  /** Sockets for UDP. The one that was idle longest gives way. */
  readonly flows: number;
  /** Sockets for UDP that are opened. Datagrams that would need more are refused. */
  readonly newFlows: RateLimit;
  /** Bytes that each connection may have waiting in each direction. */
  readonly connectionBytes: number;
  /** What busy connections may have waiting beyond that: one of them, and all together in each direction. */
  readonly busyBytes: number;
  readonly sharedBytes: number;
  /** Queries to name servers at a time, whether they wait or are under way. */
  readonly queries: number;
  /** Queries that are begun. Those beyond it wait. */
  readonly newQueries: RateLimit;
  /** Echo requests at a time, because the host runs a program for each. */
  readonly echoes: number;
  readonly newEchoes: RateLimit;
}

/** For a guest on its user's own host. The rates keep a program out of control from using up its ports. */
export const LIMITS: Limits = {
  connections: 256,
  newConnections: { perSecond: 500, burst: 1000 },
  flows: 128,
  newFlows: { perSecond: 500, burst: 1000 },
  connectionBytes: 32 << 10,
  busyBytes: 480 << 10,
  sharedBytes: 4 << 20,
  queries: 64,
  newQueries: { perSecond: 500, burst: 1000 },
  echoes: 4,
  newEchoes: { perSecond: 4, burst: 8 },
};

/**
 * For a stranger's guest, behind a relay. All that waits in its connections is at most 4 MiB: 128 times 8 KiB
 * in each direction, and 1 MiB in each that the busy ones share.
 */
export const SESSION_LIMITS: Limits = {
  connections: 128,
  newConnections: { perSecond: 32, burst: 64 },
  flows: 64,
  newFlows: { perSecond: 32, burst: 64 },
  connectionBytes: 8 << 10,
  busyBytes: 504 << 10,
  sharedBytes: 1 << 20,
  queries: 64,
  newQueries: { perSecond: 50, burst: 100 },
  echoes: 4,
  newEchoes: { perSecond: 2, burst: 4 },
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
