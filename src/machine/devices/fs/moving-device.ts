import type { FolderOptions } from '../../../folders/folder-options.ts';
import type { Plain } from '../../state.ts';
import type { Device } from '../device.ts';
import type { GuestMemory } from '../virtio/guest-memory.ts';
import { DeviceChannel } from './channel.ts';
import { FsDevice } from './device.ts';

/**
 * The file system device for the machine's worker. With the first shared folder it moves to a worker that may
 * wait for files: harts ring that worker's doorbell from then on.
 */
export class MovingFsDevice implements Device {
  readonly #first: FsDevice;
  /** To the worker in which the device lives. */
  #moved: DeviceChannel | undefined;
  #isSuspended = false;

  constructor(memory: GuestMemory, slot: number) {
    this.#first = new FsDevice(memory, slot);
  }

  get slot(): number {
    return this.#first.slot;
  }

  /** Moves the device to the worker at the other end. */
  move(port: MessagePort): void {
    const channel = new DeviceChannel(port);
    this.#moved = channel;
    void this.#first.suspend().then((state) => {
      channel.post({ type: 'take-over', slot: this.slot, state });
      if (!this.#isSuspended) channel.post({ type: 'proceed' });
    });
  }

  /** Shares a folder, whose root is in that of the device by its number, once the device has moved. */
  share(folder: FolderOptions, readOnly: boolean): void {
    this.#moved?.share(folder, readOnly);
  }

  /** Makes durable what is in the folders, when the machine is off. */
  async close(): Promise<void> {
    await this.#moved?.ask('close');
  }

  /** A hart has rung the doorbell of the device's worker, which cannot watch it. */
  ring(): void {
    this.#moved?.post({ type: 'doorbell' });
  }

  poll(): void {
    this.#first.poll();
  }

  suspend(): Promise<Plain> {
    this.#isSuspended = true;
    return this.#moved ? this.#moved.ask('suspend') : this.#first.suspend();
  }

  resume(state: Plain): Promise<void> {
    this.#isSuspended = true;
    return this.#first.resume(state);
  }

  proceed(): void {
    this.#isSuspended = false;
    if (this.#moved) this.#moved.post({ type: 'proceed' });
    else this.#first.proceed();
  }
}
