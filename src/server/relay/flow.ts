import { Rate } from '../../network/rate.ts';
import { FrameQueue } from './frame-queue.ts';

/** The least cost of a frame, in bytes: small ones cost time. */
const LEAST_COST = 512;
/** The bytes that may pass at once after a pause, as a part of a second's. */
const BURST = 1 / 4;

export interface FlowOptions {
  readonly bytesPerSecond: number;
  /** Whether the receiver takes another frame. */
  hasRoom(): boolean;
  pass(frame: Uint8Array): void;
}

/** One direction of a session. Frames that have to wait do so here, and none is lost. */
export class Flow {
  readonly #options: FlowOptions;
  readonly #queue = new FrameQueue();
  readonly #rate: Rate;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isSlowed = false;

  constructor(options: FlowOptions) {
    this.#options = options;
    const { bytesPerSecond } = options;
    this.#rate = new Rate({ perSecond: bytesPerSecond, burst: bytesPerSecond * BURST });
  }

  /** Bytes of frames that wait. */
  get waiting(): number {
    return this.#queue.bytes;
  }

  /** Whether the rate has delayed a frame since the last call. */
  wasSlowed(): boolean {
    const wasSlowed = this.#isSlowed;
    this.#isSlowed = this.#timer !== undefined;
    return wasSlowed;
  }

  push(frame: Uint8Array): void {
    if (this.#queue.isEmpty && this.#mayPass()) this.#pass(frame);
    else this.#queue.push(frame);
  }

  /** The receiver may have room again. */
  resume(): void {
    while (!this.#queue.isEmpty && this.#mayPass()) this.#pass(this.#queue.shift() as Uint8Array);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#queue.clear();
  }

  #mayPass(): boolean {
    if (this.#timer !== undefined || !this.#options.hasRoom()) return false;
    const { delay } = this.#rate;
    if (delay === 0) return true;
    this.#isSlowed = true;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.resume();
    }, delay);
    return false;
  }

  #pass(frame: Uint8Array): void {
    this.#rate.spend(Math.max(frame.length, LEAST_COST));
    this.#options.pass(frame);
  }
}
