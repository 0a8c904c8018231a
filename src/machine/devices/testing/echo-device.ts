import type { GuestMemory } from '../virtio/guest-memory.ts';
import { VirtioDevice } from '../virtio/virtio-device.ts';

export const ECHO_QUEUE_SIZE = 16;

/** A device that answers every request with its own bytes, cut to the room in the reply. */
export class EchoDevice extends VirtioDevice {
  /** The number of completed requests. */
  served = 0;
  stops = 0;

  constructor(memory: GuestMemory, slot = 0) {
    super(memory, slot, {
      id: 0x7f,
      features: 1,
      queueSizes: [ECHO_QUEUE_SIZE],
      config: new Uint8Array([1, 2, 3, 4]),
    });
  }

  setByte(offset: number, value: number): void {
    this.setConfig(offset, new Uint8Array([value]));
  }

  protected override service(): void {
    for (let chain = this.take(0); chain !== undefined; chain = this.take(0)) {
      const bytes = new Uint8Array(Math.min(chain.readable.remaining, chain.writable.remaining));
      chain.readable.read(bytes);
      chain.writable.write(bytes);
      this.charge(0, bytes.length);
      this.queue(0).complete(chain);
      this.served++;
    }
  }

  protected override stop(): void {
    this.stops++;
  }

  protected override settle(): null {
    return null;
  }

  protected override restore(): void {}
}
