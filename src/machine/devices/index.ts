import { VIRTIO_SLOTS } from '../../../emulator-wasm/layout.ts';
import type { BlockBackend } from '../../disk/block-backend.ts';
import type { DiskOptions } from '../../disk/disks.ts';
import { randomMac } from '../../network/ethernet.ts';
import type { ManagedCard, Network, NetworkOptions } from '../../network/network.ts';
import { PLAN } from '../../network/plan.ts';
import { MachineError } from '../errors.ts';
import { type Plain, StateReader } from '../state.ts';
import { FIRST_SIZE } from '../terminal-size.ts';
import { BlockDevice } from './block/device.ts';
import { ConsoleDevice } from './console/device.ts';
import type { Device } from './device.ts';
import { MovingFsDevice } from './fs/moving-device.ts';
import { NetDevice, type NetOptions } from './net/device.ts';
import { RngDevice } from './rng/device.ts';
import type { GuestMemory } from './virtio/guest-memory.ts';
import { OTHER_DEVICES } from './virtio/virtio-device.ts';
import { VsockDevice } from './vsock/device.ts';

const GUEST_CID = 3;

/** A device of a machine, as the machine's owner describes it. Structured-cloneable. */
export type DeviceOptions =
  | { readonly kind: 'console' }
  | { readonly kind: 'vsock' }
  | { readonly kind: 'rng' }
  | { readonly kind: 'fs' }
  | { readonly kind: 'net'; readonly network: NetworkOptions }
  /** @param serial the name by which the guest finds the disk, up to 20 bytes */
  | { readonly kind: 'block'; readonly serial: string; readonly disk: DiskOptions };

export type DeviceKind = DeviceOptions['kind'];

/** What devices need of the machine worker. */
export interface DeviceHost {
  readonly memory: GuestMemory;
  /** While a promise that it returned is pending, the guest's console waits. */
  onConsole(bytes: Uint8Array<ArrayBuffer>): void | Promise<void>;
  openDisk(disk: DiskOptions): BlockBackend;
  /** Missing where machines have no network. */
  readonly openNetwork?: ((options: NetworkOptions, card: ManagedCard) => Network) | undefined;
}

type Factory<Kind extends DeviceKind> = (
  host: DeviceHost,
  slot: number,
  options: Extract<DeviceOptions, { kind: Kind }>,
) => Device;

const FACTORIES = {
  console: ({ memory, onConsole }, slot) =>
    new ConsoleDevice(memory, slot, { onOutput: onConsole, size: FIRST_SIZE }),
  vsock: ({ memory }, slot) => new VsockDevice(memory, slot, GUEST_CID),
  rng: ({ memory }, slot) => new RngDevice(memory, slot),
  fs: ({ memory }, slot) => new MovingFsDevice(memory, slot),
  net: ({ memory, openNetwork }, slot, { network }) => {
    if (!openNetwork) throw new Error('there is no network here');
    return new NetDevice(memory, slot, {
      ...linkOf(network),
      openNetwork: (card) => openNetwork(network, card),
    });
  },
  block: ({ memory, openDisk }, slot, { disk, serial }) =>
    new BlockDevice(memory, slot, openDisk(disk), serial),
} satisfies { [Kind in DeviceKind]: Factory<Kind> };

/**
 * A relay of others is like a switch: it neither segments nor completes checksums, and several guests may be
 * at it.
 */
function linkOf({ relay }: NetworkOptions): Omit<NetOptions, 'openNetwork'> {
  return relay?.kind === 'foreign'
    ? { mac: randomMac(), mtu: 1500, offloads: false }
    : { mac: PLAN.guestMac, mtu: PLAN.mtu, offloads: true };
}

const KINDS = Object.keys(FACTORIES) as DeviceKind[];

type DeviceOf<Kind extends DeviceKind> = ReturnType<(typeof FACTORIES)[Kind]>;

/** The devices of a machine, each in the slot of its place in the list. */
export class Devices implements Iterable<Device> {
  readonly #devices: readonly { readonly kind: DeviceKind; readonly device: Device }[];

  /** To be called before any hart starts. */
  constructor(list: readonly DeviceOptions[], host: DeviceHost) {
    this.#devices = list.map((options, slot) => {
      const make = FACTORIES[options.kind] as Factory<DeviceKind>;
      return { kind: options.kind, device: make(host, slot, options) };
    });
  }

  *[Symbol.iterator](): Iterator<Device> {
    for (const { device } of this.#devices) yield device;
  }

  /** The first device of a kind. */
  find<Kind extends DeviceKind>(kind: Kind): DeviceOf<Kind> | undefined {
    return this.#devices.find((entry) => entry.kind === kind)?.device as DeviceOf<Kind> | undefined;
  }

  /**
   * Has all devices finish what the guest waits for, and then leave its RAM alone. To be called while no hart
   * runs.
   * @returns the state of each, in the order of their slots
   */
  suspend(): Promise<Plain[]> {
    const suspended = this.#devices.map(async ({ kind, device }) => ({
      kind,
      state: await device.suspend(),
    }));
    return Promise.all(suspended);
  }

  /** @throws MachineError unless these are states of the same kinds of devices */
  requireKinds(states: Plain): void {
    const kinds = new StateReader(states, 'devices')
      .list(VIRTIO_SLOTS)
      .map((state) => state.field('kind').oneOf(KINDS));
    if (kinds.join() !== this.#devices.map(({ kind }) => kind).join()) throw new MachineError(OTHER_DEVICES);
  }

  /**
   * Takes over from the devices of another machine, whose machine block and RAM are already in place.
   * @param states which `requireKinds` has accepted
   * @throws StateError if no devices can have been in these states; MachineError if these have other features
   */
  async resume(states: Plain): Promise<void> {
    const list = new StateReader(states, 'devices').list(VIRTIO_SLOTS);
    for (const [slot, { device }] of this.#devices.entries())
      await device.resume((list[slot] as StateReader).field('state').raw);
  }

  /** Serves the guest again after `suspend` or `resume`. */
  proceed(): void {
    for (const device of this) device.proceed();
  }

  /** The slots that hold a device. */
  get slots(): number[] {
    return this.#devices.map(({ device }) => device.slot);
  }
}
