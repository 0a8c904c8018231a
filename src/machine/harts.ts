import { H_REQUEST, REQUEST_PAUSE, REQUEST_SFENCE } from '../../emulator-wasm/layout.ts';
import { type Deferred, deferred } from './deferred.ts';
import { MachineError } from './errors.ts';
import { hartWord, powerDown, wakeHarts } from './hart-words.ts';
import type { FromHart, HartStartingPoint, ToHart } from './protocol.ts';

/** How long harts may take to leave `run` once the machine is off, in ms. */
const HALT_PATIENCE = 2000;
/** How long harts may take to pause, in ms: one that prints waits until the owner takes its output. */
const PAUSE_PATIENCE = 5000;

export interface HartEvents {
  /** @param server SERVER_* */
  doorbell(server: number): void;
  hot(): void;
  trace(text: string): void;
  /** A hart has traced a part. It goes on when the promise has resolved. */
  traced(): Promise<void>;
  /** A hart has left `run`, as the first, because the machine is off. @param power POWER_* */
  halted(power: number): void;
}

/** The harts of a machine, which start, pause and end together. */
export class Harts {
  readonly #words: Int32Array;
  readonly #ports: readonly MessagePort[];
  readonly #events: HartEvents;
  #ready = 0;
  readonly #allReady = deferred<void>();
  /** While harts pause or are paused: those that are. */
  #paused: Set<MessagePort> | undefined;
  #allPaused: Deferred<void> | undefined;
  #halted = 0;
  readonly #allHalted = deferred<void>();
  #seconds = 0;

  constructor(memory: WebAssembly.Memory, ports: readonly MessagePort[], events: HartEvents) {
    this.#words = new Int32Array(memory.buffer);
    this.#ports = ports;
    this.#events = events;
    for (const port of ports)
      port.onmessage = ({ data }: MessageEvent<FromHart>) => this.#receive(port, data);
  }

  /** Host time for which the harts ran, that of the longest. */
  get seconds(): number {
    return this.#seconds;
  }

  /** Prepares all harts before one runs, because it may start another. */
  prepare(message: HartStartingPoint): Promise<void> {
    for (const port of this.#ports) port.postMessage(message);
    return this.#allReady.promise;
  }

  run(): void {
    for (const port of this.#ports) run(port);
  }

  /**
   * Resolves when no hart runs and their blocks are complete.
   * @throws MachineError if a hart takes too long, or the machine has ended: nothing is paused then
   */
  async pause(): Promise<void> {
    const pausing = deferred<void>();
    this.#allPaused = pausing;
    this.#paused = new Set();
    this.#request((requests) => requests | REQUEST_PAUSE);
    wakeHarts(this.#words, this.#ports.length);
    const reason = 'a CPU does not pause: its output waits for a reader';
    const timer = setTimeout(() => pausing.reject(new MachineError(reason)), PAUSE_PATIENCE);
    if (this.#halted > 0) pausing.reject(new MachineError('the machine has ended'));
    try {
      await pausing.promise;
    } catch (error) {
      this.proceed();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the pause. The harts drop their store TLBs, so that the next store to each page marks it. */
  proceed(): void {
    this.#request((requests) => (requests & ~REQUEST_PAUSE) | REQUEST_SFENCE);
    for (const port of this.#paused ?? []) run(port);
    this.#paused = undefined;
  }

  /** Makes all harts leave `run`. Resolves when they have, or after a while. */
  async end(power: number): Promise<void> {
    powerDown(this.#words, this.#ports.length, power);
    const timer = setTimeout(() => this.#allHalted.resolve(), HALT_PATIENCE);
    await this.#allHalted.promise;
    clearTimeout(timer);
  }

  #receive(port: MessagePort, message: FromHart): void {
    switch (message.type) {
      case 'ready':
        if (++this.#ready === this.#ports.length) this.#allReady.resolve();
        break;
      case 'doorbell':
        this.#events.doorbell(message.server);
        break;
      case 'hot':
        this.#events.hot();
        break;
      case 'trace':
        this.#events.trace(message.text);
        break;
      case 'traced':
        void this.#events.traced().then(() => run(port));
        break;
      case 'paused':
        this.#notePause(port);
        break;
      case 'halted':
        this.#noteEnd(message);
    }
  }

  #notePause(port: MessagePort): void {
    this.#paused?.add(port);
    // The pause may have been given up meanwhile.
    if (!this.#paused) run(port);
    else if (this.#paused.size === this.#ports.length) this.#allPaused?.resolve();
  }

  #noteEnd({ power, seconds }: Extract<FromHart, { type: 'halted' }>): void {
    this.#seconds = Math.max(this.#seconds, seconds);
    this.#allPaused?.reject(new MachineError('the machine has ended'));
    if (++this.#halted === 1) this.#events.halted(power);
    if (this.#halted === this.#ports.length) this.#allHalted.resolve();
  }

  /** Changes the requests that each hart finds in its mailbox. */
  #request(change: (requests: number) => number): void {
    for (const hart of this.#ports.keys()) {
      const word = hartWord(hart, H_REQUEST) >>> 2;
      for (let seen = Atomics.load(this.#words, word); ; ) {
        const before = Atomics.compareExchange(this.#words, word, seen, change(seen));
        if (before === seen) break;
        seen = before;
      }
    }
  }
}

function run(port: MessagePort): void {
  port.postMessage({ type: 'run' } satisfies ToHart);
}
