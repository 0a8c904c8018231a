import { M_DOORBELLS, SERVER_MACHINE } from '../../emulator-wasm/layout.ts';
import type { Device } from './devices/device.ts';

/** How long harts that ring the doorbell without pause may delay other events of the thread, in ms. */
const MAX_BUSY = 20;
const WORD_SIZE = 4;

/** A thread looks at its doorbell before it waits while its waits are shorter than this, in ms. */
const LONGEST_LOOK = 0.2;
const SHORTEST_LOOK = 0.01;

export interface BusOptions {
  /** SERVER_*: the thread of the devices, by default the machine's worker. */
  readonly server?: number | undefined;
  /** Called after the devices. */
  readonly onPoll?: (() => void) | undefined;
  /** The word that tells harts in lockstep which ring of the doorbell has been answered. */
  readonly served?: SharedArrayBuffer | undefined;
}

/** Calls the devices of a thread whenever a hart has rung its doorbell. */
export class DeviceBus {
  readonly #doorbell: Int32Array;
  readonly #devices: Iterable<Pick<Device, 'poll'>>;
  readonly #onPoll: () => void;
  readonly #served: Int32Array | undefined;
  /** How long the thread looks before it waits, in ms. */
  #look = 0;

  constructor(memory: WebAssembly.Memory, devices: Iterable<Pick<Device, 'poll'>>, options: BusOptions = {}) {
    const { server = SERVER_MACHINE, onPoll = () => {}, served } = options;
    this.#doorbell = new Int32Array(memory.buffer, M_DOORBELLS + server * WORD_SIZE, 1);
    this.#devices = devices;
    this.#onPoll = onPoll;
    this.#served = served && new Int32Array(served);
  }

  /** Polls whenever the doorbell moves. Without `Atomics.waitAsync`, harts send messages instead. */
  async watch(): Promise<never> {
    for (let idle = performance.now(); ; ) {
      const seen = Atomics.load(this.#doorbell, 0);
      this.poll();
      const begin = performance.now();
      if (this.#look > 0) await this.#lookUntil(begin + this.#look, seen);
      const changed = Atomics.waitAsync(this.#doorbell, 0, seen);
      if (changed.async) {
        await changed.value;
        this.#adapt(performance.now() - begin);
      } else if (performance.now() - idle > MAX_BUSY) await this.#giveTurn();
      else continue;
      idle = performance.now();
    }
  }

  /** Lets other events have their turn, without the millisecond or four that a timer takes. */
  #giveTurn(): Promise<unknown> {
    const { port1, port2 } = new MessageChannel();
    const received = new Promise((resolve) => {
      port1.onmessage = resolve;
    });
    port2.postMessage(null);
    return received.finally(() => port1.close());
  }

  /** Lets microtasks run meanwhile, in which devices finish requests. */
  async #lookUntil(end: number, seen: number): Promise<void> {
    while (Atomics.load(this.#doorbell, 0) === seen && performance.now() < end) await undefined;
  }

  /** An event takes 50 to 100 µs to arrive, so short waits are worth a look. A long one ends the looking. */
  #adapt(waited: number): void {
    const longer = Math.max(2 * this.#look, SHORTEST_LOOK);
    this.#look = waited > LONGEST_LOOK ? 0 : Math.min(longer, LONGEST_LOOK);
  }

  poll(): void {
    const rung = Atomics.load(this.#doorbell, 0);
    for (const device of this.#devices) device.poll();
    this.#onPoll();
    // Devices may have put off work to microtasks, which comes first.
    if (this.#served) setTimeout(() => this.#release(rung));
  }

  /** Wakes the hart that waits in lockstep for an answer to its doorbell. */
  #release(rung: number): void {
    const served = this.#served as Int32Array;
    Atomics.store(served, 0, rung);
    Atomics.notify(served, 0);
  }
}
