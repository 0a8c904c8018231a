import { M_DOORBELL } from '../../emulator-wasm/layout.ts';
import type { VirtioDevice } from './devices/virtio/virtio-device.ts';

/** How long harts that ring the doorbell without pause may delay other events of the thread, in ms. */
const MAX_BUSY = 20;

/** Calls the devices whenever a hart has rung the doorbell. */
export class DeviceBus {
  readonly #doorbell: Int32Array;
  readonly #devices: Iterable<VirtioDevice>;
  readonly #onPoll: () => void;
  readonly #served: Int32Array | undefined;

  /**
   * @param onPoll called after the devices
   * @param served the word that tells harts in lockstep which ring of the doorbell has been answered
   */
  constructor(
    memory: WebAssembly.Memory,
    devices: Iterable<VirtioDevice>,
    onPoll: () => void,
    served?: SharedArrayBuffer,
  ) {
    this.#doorbell = new Int32Array(memory.buffer, M_DOORBELL, 1);
    this.#devices = devices;
    this.#onPoll = onPoll;
    this.#served = served && new Int32Array(served);
  }

  /** Polls whenever the doorbell moves. Without `Atomics.waitAsync`, harts send messages instead. */
  async watch(): Promise<never> {
    for (let idle = performance.now(); ; ) {
      const seen = Atomics.load(this.#doorbell, 0);
      this.poll();
      const changed = Atomics.waitAsync(this.#doorbell, 0, seen);
      if (changed.async) await changed.value;
      else if (performance.now() - idle > MAX_BUSY) await new Promise((resolve) => setTimeout(resolve));
      else continue;
      idle = performance.now();
    }
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
