import {
  Q_NUM_MAX,
  SERVER_MACHINE,
  V_CONFIG,
  V_CONFIG_GENERATION,
  V_CONFIG_SIZE,
  V_DEVICE_FEATURES,
  V_DEVICE_ID,
  V_DRIVER_FEATURES,
  V_INTERRUPT_STATUS,
  V_MAX_QUEUES,
  V_NOTIFY,
  V_QUEUE_STRIDE,
  V_QUEUES,
  V_RESET,
  V_SERVER,
  V_SOURCE,
  V_STATUS,
  VIRTIO,
  VIRTIO_FILE_SIZE,
  VIRTIO_SLOTS,
} from '../../../../emulator-wasm/layout.ts';
import { equalBytes } from '../../../network/bytes.ts';
import { MachineError } from '../../errors.ts';
import { type Plain, StateReader } from '../../state.ts';
import type { Device } from '../device.ts';
import type { Chain } from './chain.ts';
import { DriverError, type GuestMemory } from './guest-memory.ts';
import { slotSource } from './slots.ts';
import { type QueueCursor, Virtqueue } from './virtqueue.ts';

const STATUS_DRIVER_OK = 0x04;
const STATUS_FEATURES_OK = 0x08;
const STATUS_NEEDS_RESET = 0x40;

const F_INDIRECT_DESC = 1 << 28;
const F_EVENT_IDX = 1 << 29;
/** Bit 32, so bit 0 of the second word. */
const F_VERSION_1_HIGH = 1 << 0;

const INTERRUPT_QUEUE = 1;
const INTERRUPT_CONFIG = 2;

/** The work that each queue of a device may cause before other events of the thread get their turn. */
export const TURN_BYTES = 4 << 20;
/** The work that each chain counts for, in addition to its bytes. */
export const CHAIN_COST = 4 << 10;

/** The type of a device (virtio 1.2, chapter 5). */
export interface DeviceType {
  id: number;
  /** Feature bits 0-23 on offer. */
  features: number;
  /** Greatest size of each queue. */
  queueSizes: readonly number[];
  /** The initial configuration space. */
  config: Uint8Array;
  /** SERVER_*: the thread in which the device is, by default the machine's worker. */
  server?: number;
}

/** Why a state cannot go on here, though it is sound. */
export const OTHER_DEVICES =
  'the saved session needs a machine with the same disks and the same kind of network as before';

const PHASES = ['stopped', 'running', 'broken'] as const;

/** The state of the transport that is not in the shared memory. */
export interface TransportState {
  readonly phase: (typeof PHASES)[number];
  readonly queues: readonly Readonly<QueueCursor>[];
}

/**
 * A device on virtio-mmio (virtio 1.2, section 4.2), seen from the worker that serves it. The harts serve
 * the registers out of shared words, and ring that worker's doorbell on status changes and queue
 * notifications. The worker then polls its devices.
 */
export abstract class VirtioDevice implements Device {
  readonly slot: number;
  protected readonly memory: GuestMemory;
  readonly #type: DeviceType;
  /** The configuration space as the device has filled it in. */
  readonly #config = new Uint8Array(V_CONFIG_SIZE);
  readonly #queues: readonly Virtqueue[];
  /** The rest of TURN_BYTES, for each queue. */
  readonly #budgets: number[];
  readonly #registers: number;
  /** Interrupt source at the PLIC. */
  readonly #source: number;
  #phase: TransportState['phase'] = 'stopped';
  #resetting = false;
  #suspended = false;
  #woken = false;
  /** Whether the configuration changed while no driver ran. A starting driver may have read it already. */
  #configChanged = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Fills in the register file of `slot`. Must be called before any hart starts. */
  constructor(memory: GuestMemory, slot: number, type: DeviceType) {
    if (slot < 0 || slot >= VIRTIO_SLOTS) throw new RangeError(`no virtio slot ${slot}`);
    if (type.queueSizes.length > V_MAX_QUEUES) throw new RangeError('too many queues');
    this.memory = memory;
    this.slot = slot;
    this.#registers = VIRTIO + slot * VIRTIO_FILE_SIZE;
    this.#source = slotSource(slot);
    this.#type = type;
    this.#queues = type.queueSizes.map(
      (maxSize, index) => new Virtqueue(memory, this.#registers + queueRegisters(index), maxSize),
    );
    this.#describe();
    this.#budgets = type.queueSizes.map(() => TURN_BYTES);
    this.setConfig(0, type.config);
    this.#configChanged = false;
  }

  get transport(): TransportState {
    return { phase: this.#phase, queues: this.#queues.map((queue) => ({ ...queue.cursor })) };
  }

  /**
   * Stops serving the driver, once the requests in progress are done, until `proceed`. To be called while no
   * hart runs. Afterwards the device leaves guest RAM alone.
   * @returns the state that is not in the shared memory
   */
  async suspend(): Promise<Plain> {
    this.#suspended = true;
    const own = await this.settle();
    return { ...this.transport, configChanged: this.#configChanged, own } as unknown as Plain;
  }

  /**
   * Takes over from another device, whose machine block and RAM are already in place. The driver is served
   * from `proceed` on.
   * @throws StateError if no device can have been in that state
   */
  async resume(state: Plain): Promise<void> {
    const reader = new StateReader(state, `device ${this.slot}`);
    this.#suspended = true;
    const known = this.memory.bytes.slice(
      this.#registers + V_CONFIG,
      this.#registers + V_CONFIG + V_CONFIG_SIZE,
    );
    this.#describe();
    this.#phase = reader.field('phase').oneOf(PHASES);
    this.#configChanged = reader.field('configChanged').boolean();
    if (this.running) this.#resumeQueues(reader.field('queues'));
    await this.restore(reader.field('own'));
    if (!equalBytes(known, this.#config)) this.#announceConfig();
  }

  /** Serves the driver again after `suspend` or `resume`. */
  proceed(): void {
    this.#suspended = false;
    this.poll();
    if (this.running) this.#freshTurn();
  }

  /**
   * Does what the guest requests in the register file and the queues. Must be called whenever the doorbell
   * has changed. The work of one call is bounded; later turns of the event loop do the rest without a further
   * call.
   */
  poll(): void {
    if (this.#suspended) return;
    if (this.#load(V_RESET) !== 0) {
      this.#reset();
      return;
    }
    const notified = Atomics.exchange(this.memory.words, this.#index(V_NOTIFY), 0) !== 0;
    const status = this.#load(V_STATUS);
    if (this.#phase === 'stopped') this.#negotiate(status);
    else if (this.#phase === 'broken') this.#or(V_STATUS, STATUS_NEEDS_RESET);
    else if (notified) this.#freshTurn();
  }

  /** Serves the chains that `take` gives. When the budget is spent, a later turn continues. */
  protected abstract service(): void;

  /**
   * The driver has reset the device or broken it: releases everything that belongs to this run of the driver.
   * The device may access the guest's buffers until the returned promise has settled.
   */
  protected abstract stop(): void | Promise<void>;

  /**
   * Finishes the requests that the driver waits for, or gives their chains back to the queue.
   * @returns the device's own state, for `restore`
   */
  protected abstract settle(): Plain | Promise<Plain>;

  /** Takes over a state of `settle`. @throws StateError */
  protected abstract restore(state: StateReader): void | Promise<void>;

  /**
   * Calls `service` soon, after an event on the host's side. A microtask runs before any other event, so it
   * does not refill the budget: otherwise requests that complete at once could follow each other forever.
   */
  protected wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    queueMicrotask(() => {
      this.#woken = false;
      this.#turn();
    });
  }

  protected queue(index: number): Virtqueue {
    return this.#queues[index] as Virtqueue;
  }

  /** The next chain of a queue; undefined when there is none, or when the queue has spent its budget. */
  protected take(index: number): Chain | undefined {
    if (this.isSpent(index)) return undefined;
    const chain = this.queue(index).take();
    if (chain !== undefined) this.charge(index, CHAIN_COST);
    return chain;
  }

  /** Charges work to a queue: bytes moved, or an equivalent. */
  protected charge(index: number, bytes: number): void {
    this.#budgets[index] = (this.#budgets[index] as number) - bytes;
  }

  protected isSpent(index: number): boolean {
    return (this.#budgets[index] as number) <= 0;
  }

  /** Between `suspend` or `resume`, and `proceed`. */
  protected get suspended(): boolean {
    return this.#suspended;
  }

  protected get running(): boolean {
    return this.#phase === 'running';
  }

  /** Whether the driver has accepted feature bit `bit`, 0 to 23. */
  protected accepted(bit: number): boolean {
    return ((this.#load(V_DRIVER_FEATURES) >>> bit) & 1) === 1;
  }

  /** Changes bytes of the configuration space and notifies a running driver. */
  protected setConfig(offset: number, bytes: Uint8Array): void {
    if (offset + bytes.length > V_CONFIG_SIZE) throw new RangeError('configuration space overflow');
    // The generation changes before and after, so that a driver that reads meanwhile sees it change.
    Atomics.add(this.memory.words, this.#index(V_CONFIG_GENERATION), 1);
    this.#config.set(bytes, offset);
    this.memory.bytes.set(bytes, this.#registers + V_CONFIG + offset);
    Atomics.add(this.memory.words, this.#index(V_CONFIG_GENERATION), 1);
    this.#announceConfig();
  }

  #announceConfig(): void {
    if (this.running) this.#interrupt(INTERRUPT_CONFIG);
    else this.#configChanged = true;
  }

  /** Fills in the registers that say which device this is. */
  #describe(): void {
    const { id, features, server = SERVER_MACHINE } = this.#type;
    this.#store(V_DEVICE_ID, id);
    this.#store(V_SOURCE, this.#source);
    this.#store(V_SERVER, server);
    this.#store(V_DEVICE_FEATURES, features | F_INDIRECT_DESC | F_EVENT_IDX);
    this.#store(V_DEVICE_FEATURES + 4, F_VERSION_1_HIGH);
    for (const [index, { maxSize }] of this.#queues.entries())
      this.#store(queueRegisters(index) + Q_NUM_MAX, maxSize);
    this.memory.bytes.set(this.#config, this.#registers + V_CONFIG);
  }

  /** The driver runs: the registers must hold what `#negotiate` accepts. */
  #resumeQueues(queues: StateReader): void {
    const list = queues.list(this.#queues.length);
    const features = this.#load(V_DRIVER_FEATURES);
    if (this.#refusesFeatures) throw new MachineError(OTHER_DEVICES);
    for (const [index, queue] of this.#queues.entries()) {
      const position = list[index] ?? queues.fail('are too few');
      const count = (name: string) => position.field(name).integer(0, 0xffff);
      const cursor = { taken: count('taken'), used: count('used'), signalled: count('signalled') };
      try {
        queue.resume(cursor, (features & F_INDIRECT_DESC) !== 0, (features & F_EVENT_IDX) !== 0);
      } catch (error) {
        if (!(error instanceof DriverError)) throw error;
        position.fail(`is impossible: ${error.message}`);
      }
    }
  }

  get #refusesFeatures(): boolean {
    return (
      (this.#load(V_DRIVER_FEATURES) & ~this.#load(V_DEVICE_FEATURES)) !== 0 ||
      this.#load(V_DRIVER_FEATURES + 4) !== F_VERSION_1_HIGH
    );
  }

  /** The driver's way to DRIVER_OK (3.1.1). */
  #negotiate(status: number): void {
    if ((status & (STATUS_FEATURES_OK | STATUS_DRIVER_OK)) === 0) return;
    const refused = this.#refusesFeatures;
    if (refused) Atomics.and(this.memory.words, this.#index(V_STATUS), ~STATUS_FEATURES_OK);
    if ((status & STATUS_DRIVER_OK) === 0) return;
    this.#guarded(() => {
      if (refused || (status & STATUS_FEATURES_OK) === 0) throw new DriverError('features not agreed on');
      const features = this.#load(V_DRIVER_FEATURES);
      for (const queue of this.#queues)
        queue.open((features & F_INDIRECT_DESC) !== 0, (features & F_EVENT_IDX) !== 0);
      this.#phase = 'running';
      if (this.#configChanged) this.#interrupt(INTERRUPT_CONFIG);
      this.#configChanged = false;
    });
    this.#freshTurn();
  }

  #freshTurn(): void {
    this.#budgets.fill(TURN_BYTES);
    this.#turn();
  }

  #turn(): void {
    if (!this.running || this.#suspended) return;
    this.#guarded(() => this.service());
    if (!this.running) return;
    let signal = false;
    for (const queue of this.#queues) signal = queue.takeSignal() || signal;
    if (signal) this.#interrupt(INTERRUPT_QUEUE);
    if (this.#queues.some((_, index) => this.isSpent(index)))
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#freshTurn();
      });
  }

  /** A driver that breaks the rules gets DEVICE_NEEDS_RESET (2.1.2) and nothing more until it resets. */
  #guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof DriverError)) throw error;
      this.#phase = 'broken';
      this.stop();
      this.#or(V_STATUS, STATUS_NEEDS_RESET);
      this.#interrupt(INTERRUPT_CONFIG);
    }
  }

  #reset(): void {
    if (this.#resetting) return;
    this.#phase = 'stopped';
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const stopped = this.stop();
    if (stopped === undefined) {
      this.#acknowledgeReset();
      return;
    }
    this.#resetting = true;
    void stopped.then(() => {
      this.#resetting = false;
      this.#acknowledgeReset();
    });
  }

  /** The hart that wrote Status = 0 waits for this. */
  #acknowledgeReset(): void {
    for (const queue of this.#queues) queue.close();
    Atomics.store(this.memory.words, this.#index(V_NOTIFY), 0);
    // The device may have interrupted between the hart's clearing of these and now.
    this.#store(V_STATUS, 0);
    this.#store(V_INTERRUPT_STATUS, 0);
    this.memory.lowerLine(this.#source);
    this.#store(V_RESET, 0);
    Atomics.notify(this.memory.words, this.#index(V_RESET));
  }

  #interrupt(cause: number): void {
    this.#or(V_INTERRUPT_STATUS, cause);
    this.memory.raiseLine(this.#source);
  }

  #index(offset: number): number {
    return (this.#registers + offset) >>> 2;
  }

  #load(offset: number): number {
    return Atomics.load(this.memory.words, this.#index(offset));
  }

  #store(offset: number, value: number): void {
    Atomics.store(this.memory.words, this.#index(offset), value);
  }

  #or(offset: number, bits: number): void {
    Atomics.or(this.memory.words, this.#index(offset), bits);
  }
}

/** The place of a queue's words in the register file. */
function queueRegisters(index: number): number {
  return V_QUEUES + index * V_QUEUE_STRIDE;
}
