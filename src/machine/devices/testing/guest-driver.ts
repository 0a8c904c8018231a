import {
  H_WAKE,
  HARTS,
  M_HARTS,
  M_PAGE_FLAGS,
  M_RAM_BASE,
  M_RAM_SIZE,
  PAGE_WRITTEN,
  PLIC_CONTEXTS,
  PLIC_LEVEL,
  Q_DESC,
  Q_DEVICE,
  Q_DRIVER,
  Q_NUM,
  Q_NUM_MAX,
  Q_READY,
  RAM_START,
  V_CONFIG,
  V_CONFIG_GENERATION,
  V_DEVICE_FEATURES,
  V_DRIVER_FEATURES,
  V_INTERRUPT_STATUS,
  V_MAX_QUEUES,
  V_NOTIFY,
  V_QUEUE_STRIDE,
  V_QUEUES,
  V_RESET,
  V_STATUS,
  VIRTIO,
  VIRTIO_FILE_SIZE,
} from '../../../../emulator-wasm/layout.ts';
import type { Plain } from '../../state.ts';
import { GuestMemory } from '../virtio/guest-memory.ts';
import { slotSource } from '../virtio/slots.ts';
import type { VirtioDevice } from '../virtio/virtio-device.ts';

export const ACKNOWLEDGE = 1;
export const DRIVER = 2;
export const DRIVER_OK = 4;
export const FEATURES_OK = 8;
export const NEEDS_RESET = 0x40;

export const INDIRECT_DESC = 2 ** 28;
export const EVENT_IDX = 2 ** 29;

export const NEXT = 1;
export const WRITE = 2;
export const INDIRECT = 4;

/** The initial content of buffers for the device to write. */
const UNTOUCHED = 0xa5;

const GAP = 7;
const ALL_SOURCES = 0xffff_fffe;

const PAGE_FLAGS = HARTS + 0x1000;

/** A machine's shared memory with one hart and little RAM, followed by a zone that nobody may access. */
export class TestMachine {
  static readonly RED_ZONE = 0x1_0000;
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly halfWords: Uint16Array;
  readonly view: DataView;
  readonly ram: Uint8Array;
  readonly memory: GuestMemory;
  readonly #ramBase: number;
  #allocated = 0;

  /** @param buffer the memory of a machine of the same size, to share it between threads */
  constructor(ramSize = 1 << 20, buffer?: SharedArrayBuffer) {
    this.#ramBase = (PAGE_FLAGS + (ramSize >>> 12) + 0xffff) & ~0xffff;
    this.buffer = buffer ?? new SharedArrayBuffer(this.#ramBase + ramSize + TestMachine.RED_ZONE);
    this.halfWords = new Uint16Array(this.buffer);
    this.words = new Int32Array(this.buffer);
    this.view = new DataView(this.buffer);
    this.ram = new Uint8Array(this.buffer, this.#ramBase, ramSize);
    this.view.setUint32(M_HARTS, 1, true);
    this.view.setUint32(M_RAM_BASE, this.#ramBase, true);
    this.view.setUint32(M_RAM_SIZE, ramSize, true);
    this.view.setUint32(M_PAGE_FLAGS, PAGE_FLAGS, true);
    this.view.setUint32(PLIC_CONTEXTS, ALL_SOURCES, true);
    this.memory = new GuestMemory(this.buffer);
  }

  /** Reserves RAM, followed by a gap. Returns its guest physical address. */
  allocate(length: number, alignment = 16): number {
    const offset = Math.ceil(this.#allocated / alignment) * alignment;
    if (offset + length > this.ram.length) throw new Error('test machine out of RAM');
    this.#allocated = offset + length + GAP;
    return RAM_START + offset;
  }

  /** Bytes left for `allocate`, apart from alignment. */
  get room(): number {
    return this.ram.length - this.#allocated;
  }

  freeAll(): void {
    this.#allocated = 0;
  }

  /** A view of RAM at a guest physical address. */
  at(address: number, length: number): Uint8Array {
    return this.ram.subarray(address - RAM_START, address - RAM_START + length);
  }

  hostAddress(address: number): number {
    return address - RAM_START + this.#ramBase;
  }

  pageWritten(page: number): boolean {
    return ((new Uint8Array(this.buffer)[PAGE_FLAGS + page] as number) & PAGE_WRITTEN) !== 0;
  }

  clearPageFlags(): void {
    new Uint8Array(this.buffer, PAGE_FLAGS, this.#ramBase - PAGE_FLAGS).fill(0);
  }

  /** A copy of guest RAM and of the zone after it. */
  snapshot(): Uint8Array {
    return new Uint8Array(this.buffer).slice(this.#ramBase);
  }

  get wakeCount(): number {
    return this.words[(HARTS + H_WAKE) >>> 2] as number;
  }

  line(source: number): boolean {
    return (((this.words[PLIC_LEVEL >>> 2] as number) >>> source) & 1) === 1;
  }
}

/** A range of RAM (guest physical address) that the device may read, or write. */
export interface Placed {
  address: number;
  length: number;
  write: boolean;
}

/** A buffer of a request: bytes for the device to read, a length for it to write, or allocated RAM. */
export type Segment = Uint8Array | number | Placed;

export interface Request {
  head: number;
  /** Guest physical addresses of its descriptors. */
  descriptors: number[];
  /** Guest physical address and length of the segments the device may write. */
  writable: Placed[];
}

export interface Completion {
  request: Request;
  /** The number of bytes that the device reports as written. */
  length: number;
}

function refuse(head: number): never {
  throw new Error(`device completed ${head}, which it was not given`);
}

/** The driver's side of a split virtqueue (virtio 1.2, section 2.7). */
export class DriverQueue {
  readonly size: number;
  readonly descriptors: number;
  readonly available: number;
  readonly used: number;
  readonly #machine: TestMachine;
  readonly #eventIndex: boolean;
  readonly #free: number[];
  readonly #requests = new Map<number, { request: Request; indices: number[] }>();
  #added = 0;
  #seen = 0;
  #kicked = 0;

  constructor(machine: TestMachine, size: number, eventIndex: boolean) {
    this.#machine = machine;
    this.size = size;
    this.#eventIndex = eventIndex;
    this.#free = Array.from({ length: size }, (_, i) => size - 1 - i);
    this.descriptors = machine.allocate(16 * size, 16);
    this.available = machine.allocate(6 + 2 * size, 2);
    this.used = machine.allocate(6 + 8 * size, 4);
    for (const [start, length] of [
      [this.descriptors, 16 * size],
      [this.available, 6 + 2 * size],
      [this.used, 6 + 8 * size],
    ] as const)
      machine.at(start, length).fill(0);
  }

  get freeDescriptors(): number {
    return this.#free.length;
  }

  /** Makes a request available, with its descriptors in the ring or in one indirect table. */
  add(segments: Segment[], indirect = false): Request {
    const buffers = segments.map((segment) => this.#place(segment));
    const indices = Array.from({ length: indirect ? 1 : buffers.length }, () => this.#free.pop() as number);
    const head = indices[0] as number;
    const table = indirect ? this.#machine.allocate(16 * buffers.length) : this.descriptors;
    buffers.forEach(({ address, length, write }, i) => {
      const last = i === buffers.length - 1;
      const slot = indirect ? i : (indices[i] as number);
      const next = last ? 0 : indirect ? i + 1 : (indices[i + 1] as number);
      this.describe(table, slot, address, length, (last ? 0 : NEXT) | (write ? WRITE : 0), next);
    });
    if (indirect) this.describe(this.descriptors, head, table, 16 * buffers.length, INDIRECT, 0);
    const descriptors = buffers.map((_, i) => table + 16 * (indirect ? i : (indices[i] as number)));
    if (indirect) descriptors.push(this.descriptors + 16 * head);
    const request = { head, descriptors, writable: buffers.filter(({ write }) => write) };
    this.#requests.set(head, { request, indices });
    this.publish(head);
    return request;
  }

  #place(segment: Segment): Placed {
    if (typeof segment !== 'number' && !(segment instanceof Uint8Array)) return segment;
    const write = typeof segment === 'number';
    const length = write ? segment : segment.length;
    const address = this.#machine.allocate(length, 1);
    if (write) this.#machine.at(address, length).fill(UNTOUCHED);
    else this.#machine.at(address, length).set(segment);
    return { address, length, write };
  }

  describe(
    table: number,
    index: number,
    address: number | bigint,
    length: number,
    flags: number,
    next: number,
  ): void {
    const at = this.#machine.hostAddress(table) + 16 * index;
    this.#machine.view.setBigUint64(at, BigInt(address), true);
    this.#machine.view.setUint32(at + 8, length, true);
    this.#machine.view.setUint16(at + 12, flags, true);
    this.#machine.view.setUint16(at + 14, next, true);
  }

  /** Puts a head on the available ring without any check. */
  publish(head: number): void {
    const ring = this.#machine.hostAddress(this.available);
    this.#machine.view.setUint16(ring + 4 + 2 * (this.#added % this.size), head, true);
    this.#added = (this.#added + 1) & 0xffff;
    this.setAvailableIndex(this.#added);
  }

  setAvailableIndex(index: number): void {
    this.#store(this.available + 2, index);
  }

  /** Whether the device wants a notification of the requests added since the last call. */
  needsKick(): boolean {
    const old = this.#kicked;
    this.#kicked = this.#added;
    if (!this.#eventIndex) return this.#added !== old && (this.#load(this.used) & 1) === 0;
    const event = this.#load(this.used + 4 + 8 * this.size);
    return ((this.#added - event - 1) & 0xffff) < ((this.#added - old) & 0xffff);
  }

  /**
   * Requests an interrupt at the `count`-th completion from now on, and takes the existing completions.
   * @param onUnknown is called for each chain that `add` did not make
   */
  completions(count = 1, onUnknown: (head: number) => void = refuse): Completion[] {
    const done = this.#takeCompletions(onUnknown);
    this.#store(this.available + 4 + 2 * this.size, (this.#seen + count - 1) & 0xffff);
    // One may have come before the device saw the request.
    return [...done, ...this.#takeCompletions(onUnknown)];
  }

  #takeCompletions(onUnknown: (head: number) => void): Completion[] {
    const done: Completion[] = [];
    while (this.#seen !== this.#load(this.used + 2)) {
      const element = this.#machine.hostAddress(this.used) + 4 + 8 * (this.#seen % this.size);
      const head = this.#machine.view.getUint32(element, true);
      this.#seen = (this.#seen + 1) & 0xffff;
      const entry = this.#requests.get(head);
      if (entry === undefined) {
        onUnknown(head);
        continue;
      }
      this.#requests.delete(head);
      this.#free.push(...entry.indices);
      done.push({ request: entry.request, length: this.#machine.view.getUint32(element + 4, true) });
    }
    return done;
  }

  #load(address: number): number {
    return Atomics.load(this.#machine.halfWords, this.#machine.hostAddress(address) >>> 1);
  }

  #store(address: number, value: number): void {
    Atomics.store(this.#machine.halfWords, this.#machine.hostAddress(address) >>> 1, value);
  }

  /** The bytes that a completed request received, over all its segments. */
  received({ request, length }: Completion): Uint8Array {
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const { address, length: room } of request.writable) {
      const piece = Math.min(room, length - at);
      bytes.set(this.#machine.at(address, piece), at);
      at += piece;
    }
    return bytes;
  }
}

/** A correct driver together with the core's handling of the registers, for one device. */
export class GuestDriver {
  readonly machine: TestMachine;
  /** A test may put another one in its place, which has taken over from it. */
  device: VirtioDevice;
  readonly queues: DriverQueue[] = [];
  readonly file: number;

  constructor(machine: TestMachine, device: VirtioDevice) {
    this.machine = machine;
    this.device = device;
    this.file = VIRTIO + device.slot * VIRTIO_FILE_SIZE;
  }

  load(offset: number): number {
    return this.machine.view.getUint32(this.file + offset, true);
  }

  store(offset: number, value: number): void {
    this.machine.view.setUint32(this.file + offset, value, true);
  }

  get status(): number {
    return this.load(V_STATUS);
  }

  /**
   * Does what the core does on a write to Status. Writing 0 resets the device, and returns when it has
   * stopped.
   */
  async writeStatus(status: number): Promise<void> {
    if (status !== 0) {
      this.store(V_STATUS, status);
      this.device.poll();
      return;
    }
    this.beginReset();
    while (this.load(V_RESET) !== 0) await new Promise((resolve) => setTimeout(resolve));
  }

  beginReset(): void {
    this.store(V_STATUS, 0);
    this.store(V_INTERRUPT_STATUS, 0);
    this.store(V_NOTIFY, 0);
    for (let queue = 0; queue < V_MAX_QUEUES; queue++)
      for (const register of [
        Q_NUM,
        Q_READY,
        Q_DESC,
        Q_DESC + 4,
        Q_DRIVER,
        Q_DRIVER + 4,
        Q_DEVICE,
        Q_DEVICE + 4,
      ])
        this.store(V_QUEUES + queue * V_QUEUE_STRIDE + register, 0);
    this.store(V_RESET, 1);
    this.device.poll();
  }

  get offeredFeatures(): bigint {
    return BigInt(this.load(V_DEVICE_FEATURES)) | (BigInt(this.load(V_DEVICE_FEATURES + 4)) << 32n);
  }

  /** Resets the device and initializes it as in 3.1.1, with all offered features except `without`. */
  async start(without = 0): Promise<void> {
    await this.writeStatus(0);
    this.machine.freeAll();
    await this.writeStatus(ACKNOWLEDGE | DRIVER);
    const features = this.offeredFeatures & ~BigInt(without);
    this.store(V_DRIVER_FEATURES, Number(features & 0xffff_ffffn));
    this.store(V_DRIVER_FEATURES + 4, Number(features >> 32n));
    await this.writeStatus(ACKNOWLEDGE | DRIVER | FEATURES_OK);
    if ((this.status & FEATURES_OK) === 0) throw new Error('device refused its own features');
    this.queues.length = 0;
    for (let i = 0; i < V_MAX_QUEUES; i++) {
      const size = this.load(V_QUEUES + i * V_QUEUE_STRIDE + Q_NUM_MAX);
      if (size === 0) break;
      this.queues.push(this.setUpQueue(i, size, (features & BigInt(EVENT_IDX)) !== 0n));
    }
    await this.writeStatus(ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);
  }

  setUpQueue(index: number, size: number, eventIndex: boolean): DriverQueue {
    const queue = new DriverQueue(this.machine, size, eventIndex);
    const words = V_QUEUES + index * V_QUEUE_STRIDE;
    this.store(words + Q_NUM, size);
    this.store(words + Q_DESC, queue.descriptors);
    this.store(words + Q_DRIVER, queue.available);
    this.store(words + Q_DEVICE, queue.used);
    this.store(words + Q_READY, 1);
    return queue;
  }

  /** Puts another device in the place of the suspended one, as a machine does that goes on from a state. */
  async replace<T extends VirtioDevice>(make: () => T, state: Plain): Promise<T> {
    const block = new Uint8Array(this.machine.buffer).slice(0, this.file + VIRTIO_FILE_SIZE);
    const next = make();
    new Uint8Array(this.machine.buffer).set(block);
    await next.resume(structuredClone(state));
    this.device = next;
    return next;
  }

  queue(index: number): DriverQueue {
    return this.queues[index] as DriverQueue;
  }

  /** Notifies the device if it wants that. Returns whether it did. */
  kick(index: number): boolean {
    const wanted = this.queue(index).needsKick();
    if (wanted) this.notify(index);
    return wanted;
  }

  notify(index: number): void {
    Atomics.or(this.machine.words, (this.file + V_NOTIFY) >>> 2, 1 << index);
    this.device.poll();
  }

  /** Reads and acknowledges the interrupt status, as the core does. */
  takeInterrupt(): number {
    const status = this.load(V_INTERRUPT_STATUS);
    this.store(V_INTERRUPT_STATUS, 0);
    this.machine.memory.lowerLine(slotSource(this.device.slot));
    return status;
  }

  get configGeneration(): number {
    return this.load(V_CONFIG_GENERATION);
  }

  config(length: number): DataView {
    const bytes = new Uint8Array(this.machine.buffer, this.file + V_CONFIG, length).slice();
    return new DataView(bytes.buffer);
  }

  /** Adds a request, notifies, and waits for its completion. Returns the bytes that the device wrote. */
  async transact(index: number, segments: Segment[], indirect = false): Promise<Uint8Array> {
    const queue = this.queue(index);
    const request = queue.add(segments, indirect);
    this.kick(index);
    for (let turn = 0; turn < 1000; turn++) {
      const completion = queue.completions().find((done) => done.request === request);
      if (completion !== undefined) return queue.received(completion);
      await new Promise((resolve) => setTimeout(resolve));
    }
    throw new Error('request was not completed');
  }
}

/** Runs pending microtasks and due timers. */
export async function settle(turns = 3): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setTimeout(resolve));
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Returns `length` bytes that depend on place and seed. */
export function pattern(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i * 7 + (i >>> 8) * 13 + seed * 31;
  return bytes;
}
