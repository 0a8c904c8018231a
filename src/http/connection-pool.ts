/** The connections to one port: open ones are used again, and few are open at once. */
import { Connection, type Duplex } from './connection.ts';

/** As many as a small server serves well at once. */
const USUAL = 8;
/** Streams of events occupy connections for hours. If none is released for a while, there is one more. */
const PATIENCE = 1000;
const MOST = 64;
const IDLE_TIME = 5000;

type Timer = ReturnType<typeof setTimeout>;

export class ConnectionPool {
  readonly #connect: (signal: AbortSignal | undefined) => Promise<Duplex>;
  readonly #open = new Set<Connection>();
  /** Open connections without an exchange, the longest unused first, with the timers that close them. */
  readonly #idle = new Map<Connection, Timer>();
  /** Requests that wait for a connection. */
  readonly #waiting = new Set<() => void>();
  #connecting = 0;
  /** When a connection was opened, released or closed last. */
  #changed = 0;
  #closed = false;

  constructor(connect: (signal: AbortSignal | undefined) => Promise<Duplex>) {
    this.#connect = connect;
  }

  /**
   * Returns a connection for one exchange.
   * @param fresh a new one, for a request that cannot be repeated when the server has closed an old one
   * @throws the reason of the signal, or the error of connecting
   */
  async acquire(fresh: boolean, signal: AbortSignal | undefined): Promise<Connection> {
    const start = performance.now();
    for (;;) {
      signal?.throwIfAborted();
      if (this.#closed) throw new Error('the HTTP client is closed');
      const idle = [...this.#idle.keys()];
      const newest = fresh ? undefined : idle.at(-1);
      if (newest) return this.#take(newest);
      const patience = Math.max(start, this.#changed) + PATIENCE - performance.now();
      if (this.#open.size + this.#connecting < (patience > 0 ? USUAL : MOST)) return this.#add(signal);
      if (idle[0]) this.#take(idle[0]).close();
      else await this.#change(patience > 0 ? patience : undefined, signal);
    }
  }

  /** Takes back a connection whose exchange is complete. */
  release(connection: Connection): void {
    connection.reused = true;
    const timer = setTimeout(() => connection.close(), IDLE_TIME);
    this.#idle.set(connection, timer);
    if (this.#closed) connection.close();
    // The server closes it, or sends something that nobody asked for.
    void connection.watch().then(() => {
      if (this.#idle.get(connection) === timer) connection.close();
    });
    this.#wake();
  }

  /** Closes unused connections, and refuses further requests. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#idle.keys()) connection.close();
    this.#wake();
  }

  #take(connection: Connection): Connection {
    clearTimeout(this.#idle.get(connection));
    this.#idle.delete(connection);
    return connection;
  }

  async #add(signal: AbortSignal | undefined): Promise<Connection> {
    this.#connecting++;
    try {
      const connection = new Connection(await this.#connect(signal));
      this.#open.add(connection);
      void connection.closed.then(() => this.#remove(connection));
      return connection;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      this.#connecting--;
      this.#wake();
    }
  }

  #remove(connection: Connection): void {
    this.#take(connection);
    this.#open.delete(connection);
    this.#wake();
  }

  #wake(): void {
    this.#changed = performance.now();
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves when a connection is released or closed, when the time is over, or when the signal aborts. */
  async #change(time: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    let wake = () => {};
    const change = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const timer = time === undefined ? undefined : setTimeout(wake, time);
    this.#waiting.add(wake);
    signal?.addEventListener('abort', wake);
    await change;
    signal?.removeEventListener('abort', wake);
    this.#waiting.delete(wake);
    clearTimeout(timer);
  }
}
