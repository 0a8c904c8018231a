import { FolderError, type SharedFolder } from '../../../folders/shared-folder.ts';
import { MachineError } from '../../errors.ts';
import type { Plain } from '../../state.ts';
import type { Chain } from '../virtio/chain.ts';
import { DriverError, type GuestMemory } from '../virtio/guest-memory.ts';
import { VirtioDevice } from '../virtio/virtio-device.ts';
import type { Reply } from './fuse.ts';
import { BATCH_FORGET, ERRNO, FORGET, OUT_HEADER_SIZE } from './fuse.ts';
import { Request } from './request.ts';
import { errorNumber, type Filled, FuseServer, type Room } from './server.ts';

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
  readonly #server = new FuseServer();
  readonly #inFlight = new Set<Promise<void>>();
  /** Changes when the driver's requests become void. */
  #run = 0;

  constructor(memory: GuestMemory, slot: number) {
    super(memory, slot, {
      id: 26,
      features: 0,
      queueSizes: [QUEUE_SIZE, QUEUE_SIZE],
      config: configuration(),
    });
  }

  /** Shares a folder; returns the name of its root in that of the device. */
  share(folder: SharedFolder | Promise<SharedFolder>, readOnly: boolean): string {
    return `${this.#server.add(folder, readOnly)}`;
  }

  /** Makes durable what is in the folders, when the machine is off. */
  async close(): Promise<void> {
    await Promise.all(this.#inFlight);
    await this.#server.close();
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
    return Promise.all(this.#inFlight).then(() => this.#server.reset());
  }

  protected override async settle(): Promise<Plain> {
    await Promise.all(this.#inFlight);
    if (this.#server.isMounted)
      throw new MachineError(
        'a container with shared folders cannot be saved, because its files are open on the host: stop it, or start it without them',
      );
    return null;
  }

  protected override restore(): void {}

  #start(chain: Chain, index: number): void {
    const request = new Request(chain);
    if (request.opcode === FORGET || request.opcode === BATCH_FORGET) {
      this.#forget(request);
      this.queue(index).complete(chain);
      return;
    }
    if (chain.writable.remaining < OUT_HEADER_SIZE)
      throw new DriverError('request without room for its reply');
    const run = this.#run;
    const header = chain.writable.views(OUT_HEADER_SIZE);
    const settled = this.#answer(request, chain).then((reply) => {
      this.#inFlight.delete(settled);
      if (run === this.#run) this.#finish(chain, index, header, request.unique, reply);
      else chain.writable.markWritten();
    });
    this.#inFlight.add(settled);
  }

  /** A malformed one is ignored, because it has no reply. */
  #forget(request: Request): void {
    try {
      if (request.isWhole) this.#server.forget(request);
    } catch (error) {
      if (!(error instanceof FolderError)) throw error;
    }
  }

  /** @returns the reply, or the number of an error */
  async #answer(request: Request, { writable }: Chain): Promise<Reply | Filled | number> {
    if (!request.isWhole) return ERRNO.EINVAL as number;
    const room: Room = { size: writable.remaining, take: (length) => writable.views(length) };
    try {
      const reply = await this.#server.answer(request, room);
      const length = 'filled' in reply ? 0 : reply.length;
      return length > writable.remaining ? (ERRNO.EIO as number) : reply;
    } catch (error) {
      return errorNumber(error);
    }
  }

  #finish(
    chain: Chain,
    index: number,
    header: readonly Uint8Array[],
    unique: bigint,
    reply: Reply | Filled | number,
  ): void {
    const isError = typeof reply === 'number';
    const length = isError ? 0 : 'filled' in reply ? reply.filled : reply.length;
    if (!isError && 'bytes' in reply) chain.writable.write(reply.bytes, 0, length);
    const fields = new DataView(new ArrayBuffer(OUT_HEADER_SIZE));
    fields.setUint32(0, OUT_HEADER_SIZE + length, true);
    fields.setInt32(4, isError ? -reply : 0, true);
    fields.setBigUint64(8, unique, true);
    fill(header, new Uint8Array(fields.buffer));
    this.queue(index).complete(chain);
    this.wake();
  }
}

function fill(views: readonly Uint8Array[], bytes: Uint8Array): void {
  let at = 0;
  for (const view of views) {
    view.set(bytes.subarray(at, at + view.length));
    at += view.length;
  }
}

/** struct virtio_fs_config (5.11.4) */
function configuration(): Uint8Array {
  const config = new DataView(new ArrayBuffer(TAG_SIZE + 8));
  new Uint8Array(config.buffer).set(new TextEncoder().encode(TAG));
  config.setUint32(TAG_SIZE, 1, true); // num_request_queues
  return new Uint8Array(config.buffer);
}
