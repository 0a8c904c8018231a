import {
  H_WAKE,
  HARTS,
  PLIC_LEVEL,
  Q_DESC,
  Q_DEVICE,
  Q_DRIVER,
  Q_NUM,
  RAM_START,
  V_QUEUE_STRIDE,
  V_QUEUES,
  VIRTIO_FILE_SIZE,
} from '../../../../emulator-wasm/layout.ts';
import { type GuestDriver, INDIRECT, NEXT, type TestMachine, WRITE } from './guest-driver.ts';

const MAX_CHAIN = 1024;
const MAX_QUEUE_SIZE = 256;
const GRANTED = 1;
/** Holds descriptors or indices, which tell the device what else is granted. */
const STRUCTURE = 2;

/** A queue's rings, by guest physical addresses. */
interface Rings {
  size: number;
  descriptors: number;
  available: number;
  used: number;
  /** The furthest available index that the device may have seen and not reached. */
  offered: number;
}

/**
 * Reads the rings independently to know which bytes of RAM the driver has ever granted to the device, and
 * reports whether the device has changed any other byte of the shared memory.
 */
export class WriteOracle {
  readonly #machine: TestMachine;
  readonly #driver: GuestDriver;
  readonly #marks: Uint8Array;
  /** The whole shared memory without the device's writes. */
  #expected: Uint8Array;
  #rings: Rings[] = [];

  constructor(driver: GuestDriver) {
    this.#machine = driver.machine;
    this.#driver = driver;
    this.#marks = new Uint8Array(driver.machine.ram.length);
    this.#expected = new Uint8Array();
    this.rebase();
  }

  /** Starts again with the current memory, no grants, and the rings that the registers name. */
  rebase(): void {
    this.#expected = new Uint8Array(this.#machine.buffer).slice();
    this.#marks.fill(0);
    this.#rings = this.#driver.device.transport.queues.map((_, index) => {
      const words = V_QUEUES + index * V_QUEUE_STRIDE;
      return {
        size: this.#driver.load(words + Q_NUM),
        descriptors: this.#register(words + Q_DESC),
        available: this.#register(words + Q_DRIVER),
        used: this.#register(words + Q_DEVICE),
        offered: 0,
      };
    });
    this.#noteGrants();
  }

  /** Runs an action that writes RAM for the driver, during which the device has no turn. */
  expectWrites(action: () => void): void {
    const before = this.#machine.ram.slice();
    action();
    const { ram } = this.#machine;
    const expected = this.#ramOf(this.#expected);
    forEachDifference(before, ram, (i) => {
      expected[i] = ram[i] as number;
    });
    this.#noteGrants();
  }

  /** Records everything that is available to the device. */
  #noteGrants(): void {
    this.#driver.device.transport.queues.forEach(({ taken }, index) => {
      const rings = this.#rings[index] as Rings;
      const { size, descriptors, available, used } = rings;
      if (size === 0 || size > MAX_QUEUE_SIZE) return;
      this.#mark(descriptors, 16 * size, STRUCTURE);
      this.#mark(available, 6 + 2 * size, STRUCTURE);
      this.#mark(used, 6 + 8 * size, GRANTED);
      // The device may still take what was available once, even after the driver has set its index back.
      const ahead = [rings.offered, this.#u16(available + 2)].map((end) => (end - taken) & 0xffff);
      const count = Math.max(0, ...ahead.filter((n) => n <= size));
      rings.offered = (taken + count) & 0xffff;
      for (let n = 0; n < count; n++)
        this.#walk(descriptors, this.#u16(available + 4 + 2 * ((taken + n) % size)));
    });
  }

  /**
   * The fault of the device, or undefined. RAM is not checked when the driver has granted the structures that
   * say what is granted.
   */
  verdict(): string | undefined {
    return this.#outsideRam() ?? (this.#selfModified() ? undefined : this.#insideRam());
  }

  #outsideRam(): string | undefined {
    const now = new Uint8Array(this.#machine.buffer);
    const allowed = [
      [PLIC_LEVEL, 4],
      [this.#driver.file, VIRTIO_FILE_SIZE],
      [HARTS + H_WAKE, 4],
      [HARTS + 0x1000, this.#machine.ram.length >>> 12],
      [this.#machine.hostAddress(RAM_START), this.#machine.ram.length],
    ] as const;
    let at = 0;
    for (const [start, length] of allowed) {
      if (Buffer.compare(now.subarray(at, start), this.#expected.subarray(at, start)) !== 0)
        return `shared memory outside RAM changed between ${at} and ${start}`;
      at = start + length;
    }
    if (Buffer.compare(now.subarray(at), this.#expected.subarray(at)) !== 0)
      return 'memory behind RAM changed';
    return undefined;
  }

  #insideRam(): string | undefined {
    let fault: string | undefined;
    forEachDifference(this.#machine.ram, this.#ramOf(this.#expected), (i) => {
      if (((this.#marks[i] as number) & GRANTED) === 0)
        fault ??= `RAM byte ${i} changed, which was not granted`;
      if (!this.#machine.pageWritten(i >>> 12)) fault ??= `RAM byte ${i} changed, its page not flagged`;
    });
    return fault;
  }

  #selfModified(): boolean {
    return this.#marks.includes(GRANTED | STRUCTURE);
  }

  #walk(ring: number, head: number): void {
    let table = ring;
    let index = head;
    for (let count = 0; count < MAX_CHAIN; count++) {
      const descriptor = table + 16 * index;
      const address = this.#u32(descriptor) + this.#u32(descriptor + 4) * 2 ** 32;
      const length = this.#u32(descriptor + 8);
      const flags = this.#u16(descriptor + 12);
      if ((flags & INDIRECT) !== 0) {
        this.#mark(address, length, STRUCTURE);
        if (table !== ring) return;
        table = address;
        index = 0;
        continue;
      }
      if ((flags & WRITE) !== 0) this.#mark(address, length, GRANTED);
      if ((flags & NEXT) === 0) return;
      index = this.#u16(descriptor + 14);
    }
  }

  /** Marks a range that lies completely in RAM; any other range grants nothing. */
  #mark(address: number, length: number, mark: number): void {
    const start = address - RAM_START;
    if (start < 0 || start + length > this.#marks.length) return;
    for (let i = start; i < start + length; i++) this.#marks[i] = (this.#marks[i] as number) | mark;
  }

  #register(register: number): number {
    return this.#driver.load(register) + this.#driver.load(register + 4) * 2 ** 32;
  }

  #u16(address: number): number {
    return this.#byte(address) | (this.#byte(address + 1) << 8);
  }

  #u32(address: number): number {
    return (this.#u16(address) | (this.#u16(address + 2) << 16)) >>> 0;
  }

  #byte(address: number): number {
    return this.#machine.ram[address - RAM_START] ?? 0;
  }

  #ramOf(memory: Uint8Array): Uint8Array {
    const base = this.#machine.hostAddress(RAM_START);
    return memory.subarray(base, base + this.#machine.ram.length);
  }
}

const PAGE = 4096;

function forEachDifference(a: Uint8Array, b: Uint8Array, visit: (index: number) => void): void {
  for (let page = 0; page < a.length; page += PAGE) {
    if (Buffer.compare(a.subarray(page, page + PAGE), b.subarray(page, page + PAGE)) === 0) continue;
    for (let i = page; i < page + PAGE; i++) if (a[i] !== b[i]) visit(i);
  }
}
