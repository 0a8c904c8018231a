import type { GuestMemory } from '../virtio/guest-memory.ts';
import { VirtioDevice } from '../virtio/virtio-device.ts';

/** The limit of crypto.getRandomValues, in bytes. */
const CHUNK = 65_536;

/**
 * Entropy device (virtio 1.2, section 5.4). Fills at most 64 KiB of each request, which the specification
 * allows.
 */
export class RngDevice extends VirtioDevice {
  /** crypto.getRandomValues refuses shared memory. */
  readonly #chunk = new Uint8Array(CHUNK);

  constructor(memory: GuestMemory, slot: number) {
    super(memory, slot, { id: 4, features: 0, queueSizes: [8], config: new Uint8Array(0) });
  }

  protected override service(): void {
    for (let chain = this.take(0); chain !== undefined; chain = this.take(0)) {
      const length = Math.min(chain.writable.remaining, CHUNK);
      crypto.getRandomValues(this.#chunk.subarray(0, length));
      chain.writable.write(this.#chunk, 0, length);
      this.queue(0).complete(chain);
      this.charge(0, length);
    }
  }

  protected override stop(): void {}

  protected override settle(): null {
    return null;
  }

  protected override restore(): void {}
}
