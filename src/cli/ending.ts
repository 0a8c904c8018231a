import { SIGHUP, SIGINT, SIGKILL, SIGTERM, STOP_GRACE } from '../options/signals.ts';

/** The time that a container has to end by itself without anyone to see its output, in ms. */
export const HANG_UP_GRACE = 2_000;
/** The time in ms in which a working kernel carries out SIGKILL. */
const KILL_GRACE = 1_000;
/** One request may come twice within this time, in ms: `timeout` signals a process, then its group. */
const SAME_REQUEST = 500;
/** The status after SIGKILL. */
const KILLED = 128 + SIGKILL;

interface Endable {
  kill(signal: number): void;
  askToEnd(signal: number): void;
}

interface Request {
  readonly signal: number;
  readonly time: number;
}

/** The end of a container by signals and other requests from outside. */
export class Ending {
  /**
   * Resolves with an exit status if the container is to end, but does not even obey SIGKILL, so that its
   * machine must end.
   */
  readonly overdue: Promise<number>;
  readonly #container: Endable;
  #giveUp = (_status: number) => {};
  /** The first SIGINT or SIGTERM. */
  #first: Request | undefined;
  #isHungUp = false;

  constructor(container: Endable) {
    this.#container = container;
    this.overdue = new Promise((resolve) => {
      this.#giveUp = resolve;
    });
  }

  /**
   * Passes a signal on, as `docker run` does. After SIGTERM the container has `STOP_GRACE` to end. The second
   * SIGINT or SIGTERM kills it.
   */
  signal(signal: number): void {
    const isRequest = signal === SIGINT || signal === SIGTERM;
    if (isRequest && this.#first) {
      if (!this.#isSame(signal, this.#first)) this.kill();
    } else if (signal === SIGTERM) {
      this.#container.askToEnd(signal);
      this.killAfter(STOP_GRACE);
    } else {
      this.#container.kill(signal);
    }
    if (isRequest) this.#first ??= { signal, time: performance.now() };
  }

  /** The terminal has gone. The container has `HANG_UP_GRACE` to end. */
  hangUp(): void {
    if (this.#isHungUp) return;
    this.#isHungUp = true;
    this.#container.askToEnd(SIGHUP);
    this.killAfter(HANG_UP_GRACE);
  }

  kill(): void {
    this.#container.kill(SIGKILL);
    setTimeout(() => this.#giveUp(KILLED), KILL_GRACE);
  }

  /** @param grace in ms */
  killAfter(grace: number): void {
    setTimeout(() => this.kill(), grace);
  }

  #isSame(signal: number, first: Request): boolean {
    return signal === first.signal && performance.now() - first.time < SAME_REQUEST;
  }
}
