import {
  H_WAKE,
  HART_STRIDE,
  HARTS,
  M_HARTS,
  M_PAGE_FLAGS,
  M_RAM_BASE,
  M_RAM_SIZE,
  PAGE_DIRTY,
  PAGE_WRITTEN,
  PLIC_CONTEXT_STRIDE,
  PLIC_CONTEXTS,
  PLIC_LEVEL,
  RAM_START,
} from '../../../../emulator-wasm/layout.ts';

/** The guest's driver has broken the virtio specification. The device stops until the driver resets it. */
export class DriverError extends Error {
  override name = 'DriverError';
}

const PAGE_SHIFT = 12;
const TWO_TO_32 = 2 ** 32;

/**
 * The machine's shared memory as devices see it: guest RAM, its page flags, and interrupt lines. The host
 * must have filled in the machine block before. The memory never grows.
 */
export class GuestMemory {
  /** Views of the whole shared memory; indices are host addresses. */
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  readonly halfWords: Uint16Array<SharedArrayBuffer>;
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly view: DataView<SharedArrayBuffer>;
  readonly #ramBase: number;
  readonly #ramSize: number;
  readonly #pageFlags: number;
  readonly #harts: number;

  constructor(buffer: SharedArrayBuffer) {
    this.bytes = new Uint8Array(buffer);
    this.halfWords = new Uint16Array(buffer);
    this.words = new Int32Array(buffer);
    this.view = new DataView(buffer);
    this.#ramBase = this.view.getUint32(M_RAM_BASE, true);
    this.#ramSize =
      this.view.getUint32(M_RAM_SIZE, true) + this.view.getUint32(M_RAM_SIZE + 4, true) * TWO_TO_32;
    this.#pageFlags = this.view.getUint32(M_PAGE_FLAGS, true);
    this.#harts = this.view.getUint32(M_HARTS, true);
    if (this.#ramBase + this.#ramSize > buffer.byteLength)
      throw new RangeError('guest RAM exceeds the shared memory');
  }

  /**
   * Host address of the guest physical range that begins at the 64-bit address `high:low` (each an
   * unsigned 32-bit number) and is `length` bytes long, at most 2^32.
   * @throws DriverError unless the whole range is RAM.
   */
  resolve(low: number, high: number, length: number): number {
    // Above 2^53 the sum is rounded, but stays far outside RAM.
    const offset = high * TWO_TO_32 + low - RAM_START;
    if (offset < 0 || offset > this.#ramSize - length) throw new DriverError('address outside RAM');
    return this.#ramBase + offset;
  }

  /**
   * Notes that this range of RAM (host address) was written, so that harts run no stale code, and so that it
   * is saved.
   */
  markWritten(address: number, length: number): void {
    const first = (address - this.#ramBase) >>> PAGE_SHIFT;
    const last = (address - this.#ramBase + length - 1) >>> PAGE_SHIFT;
    const flags = PAGE_WRITTEN | PAGE_DIRTY;
    for (let page = first; page <= last; page++) Atomics.or(this.bytes, this.#pageFlags + page, flags);
  }

  /** Raises a PLIC source's line, and wakes the harts that have enabled it. Others look when they do. */
  raiseLine(source: number): void {
    Atomics.or(this.words, PLIC_LEVEL >>> 2, 1 << source);
    for (let hart = 0; hart < this.#harts; hart++) {
      if (!(this.#enabled(hart) & (1 << source))) continue;
      const wake = (HARTS + hart * HART_STRIDE + H_WAKE) >>> 2;
      Atomics.add(this.words, wake, 1);
      Atomics.notify(this.words, wake);
    }
  }

  /** The sources that interrupt a hart in M-mode or S-mode. */
  #enabled(hart: number): number {
    const machine = (PLIC_CONTEXTS + 2 * hart * PLIC_CONTEXT_STRIDE) >>> 2;
    const supervisor = machine + (PLIC_CONTEXT_STRIDE >>> 2);
    return Atomics.load(this.words, machine) | Atomics.load(this.words, supervisor);
  }

  lowerLine(source: number): void {
    Atomics.and(this.words, PLIC_LEVEL >>> 2, ~(1 << source));
  }
}
