import { SERVER_FOLDERS } from '../../../../emulator-wasm/layout.ts';
import { MachineError } from '../../errors.ts';
import type { Plain } from '../../state.ts';
import type { Chain } from '../virtio/chain.ts';
import { DriverError, type GuestMemory } from '../virtio/guest-memory.ts';
import { VirtioDevice } from '../virtio/virtio-device.ts';
import { ERRNO, IN_HEADER_SIZE, OUT_HEADER_SIZE, outHeader, UNIQUE_OFFSET } from './fuse.ts';
import { perform } from './perform.ts';
import type { FuseServer } from './server.ts';

/** By which the guest mounts it. */
export const TAG = 'linuxrun';

const TAG_SIZE = 36;
const FORGETS = 0;
const REQUESTS = 1;
/** Room for the pages of MAX_TRANSFER and the headers of a request. */
const QUEUE_SIZE = 256;

/**
 * File system device (virtio 1.2, section 5.11): shared folders by FUSE. Each is a folder in the root, named
 * by its number. Requests are carried out at the same time, and finish in any order.
 */
export class FsDevice extends VirtioDevice {
  readonly #server: FuseServer | undefined;
  readonly #inFlight = new Set<Promise<void>>();
  /** Changes when the driver's requests become void. */
  #run = 0;

  /** @param server missing as long as nothing is shared. It lives in the worker of the folders. */
  constructor(memory: GuestMemory, slot: number, server?: FuseServer) {
    super(memory, slot, {
      id: 26,
      features: 0,
      queueSizes: [QUEUE_SIZE, QUEUE_SIZE],
      config: configuration(),
      ...(server && { server: SERVER_FOLDERS }),
    });
    this.#server = server;
  }

  /** Makes durable what is in the folders, when the machine is off. */
  async close(): Promise<void> {
    this.poll();
    await this.#finish();
    await this.#server?.close();
  }

  protected override service(): void {
    for (const index of [FORGETS, REQUESTS])
      for (let chain = this.take(index); chain !== undefined; chain = this.take(index)) {
        this.charge(index, chain.readable.remaining + chain.writable.remaining);
        this.#start(chain, index);
      }
  }

  protected override stop(): void | Promise<void> {
    this.#run++;
    return this.#finish().then(() => void this.#server?.reset());
  }

  protected override async settle(): Promise<Plain> {
    // First, because a request that waits for a lock does not finish.
    if (this.#server?.isMounted)
      throw new MachineError(
        'a container with shared folders cannot be saved, because its files are open on the host: stop it, or start it without them',
      );
    await Promise.all(this.#inFlight);
    return null;
  }

  protected override restore(): void {}

  /** Ends the requests in progress. */
  async #finish(): Promise<void> {
    this.#server?.releaseLocks();
    await Promise.all(this.#inFlight);
  }

  #start(chain: Chain, index: number): void {
    if (index === REQUESTS && chain.writable.remaining < OUT_HEADER_SIZE)
      throw new DriverError('request without room for its reply');
    if (!this.#server) {
      refuse(chain);
      this.queue(index).complete(chain);
      return;
    }
    const run = this.#run;
    const answered = perform(this.#server, chain).then(() => {
      this.#inFlight.delete(answered);
      if (run !== this.#run) return chain.writable.markWritten();
      this.queue(index).complete(chain);
      this.wake();
    });
    this.#inFlight.add(answered);
  }
}

/** Nothing is there to be mounted. */
function refuse({ readable, writable }: Chain): void {
  if (readable.remaining < IN_HEADER_SIZE || writable.remaining < OUT_HEADER_SIZE) return;
  const header = new DataView(new ArrayBuffer(IN_HEADER_SIZE));
  readable.read(new Uint8Array(header.buffer));
  writable.write(outHeader(header.getBigUint64(UNIQUE_OFFSET, true), ERRNO.ENODEV as number, 0));
}

/** struct virtio_fs_config (5.11.4) */
function configuration(): Uint8Array {
  const config = new DataView(new ArrayBuffer(TAG_SIZE + 8));
  new Uint8Array(config.buffer).set(new TextEncoder().encode(TAG));
  config.setUint32(TAG_SIZE, 1, true); // num_request_queues
  return new Uint8Array(config.buffer);
}
