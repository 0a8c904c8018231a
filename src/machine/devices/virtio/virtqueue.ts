import { Q_DESC, Q_DEVICE, Q_DRIVER, Q_NUM, Q_READY } from '../../../../emulator-wasm/layout.ts';
import { Chain } from './chain.ts';
import { DriverError, type GuestMemory } from './guest-memory.ts';

const DESC_SIZE = 16;
const DESC_F_NEXT = 1;
const DESC_F_WRITE = 2;
const DESC_F_INDIRECT = 4;
const AVAIL_F_NO_INTERRUPT = 1;
const MAX_CHAIN_BYTES = 2 ** 32 - 1;

/** The device's position in a queue's rings. All counts are modulo 2^16. */
export interface QueueCursor {
  /** Chains taken from the available ring. */
  taken: number;
  /** Chains put on the used ring. */
  used: number;
  /** Value of `used` when the device last decided on an interrupt. */
  signalled: number;
}

/** The device's side of a split virtqueue (virtio 1.2, section 2.7). Trusts nothing in guest memory. */
export class Virtqueue {
  readonly maxSize: number;
  readonly cursor: QueueCursor = { taken: 0, used: 0, signalled: 0 };
  readonly #memory: GuestMemory;
  readonly #registers: number;
  readonly #free: Chain[] = [];
  /** 0 while the queue is closed. */
  #size = 0;
  #descriptors = 0;
  #availableRing = 0;
  #usedRing = 0;
  /** The driver's index as last read. */
  #available = 0;
  #indirect = false;
  #eventIndex = false;

  /** @param registers byte address of the queue's words (Q_*) in the shared memory */
  constructor(memory: GuestMemory, registers: number, maxSize: number) {
    this.#memory = memory;
    this.#registers = registers;
    this.maxSize = maxSize;
  }

  /**
   * Opens the queue on the rings that the driver has set up. A queue that is not ready stays closed.
   * @throws DriverError if size, alignment or place of the rings is not allowed.
   */
  open(indirect: boolean, eventIndex: boolean): void {
    this.close();
    if (this.#register(Q_READY) === 0) return;
    const size = this.#register(Q_NUM);
    if (size === 0 || size > this.maxSize || (size & (size - 1)) !== 0)
      throw new DriverError('bad queue size');
    this.#descriptors = this.#ring(Q_DESC, DESC_SIZE * size, 16);
    this.#availableRing = this.#ring(Q_DRIVER, 6 + 2 * size, 2);
    this.#usedRing = this.#ring(Q_DEVICE, 6 + 8 * size, 4);
    requireDisjoint([
      [this.#descriptors, DESC_SIZE * size],
      [this.#availableRing, 6 + 2 * size],
      [this.#usedRing, 6 + 8 * size],
    ]);
    this.#indirect = indirect;
    this.#eventIndex = eventIndex;
    this.#size = size;
  }

  /**
   * Opens the queue as `open` does, at the position at which another device has left it.
   * @throws DriverError as `open`, and if no driver can have brought a device to that position
   */
  resume({ taken, used, signalled }: QueueCursor, indirect: boolean, eventIndex: boolean): void {
    this.open(indirect, eventIndex);
    if (this.#size === 0) return;
    if (((taken - used) & 0xffff) > this.#size)
      throw new DriverError('more chains taken than the queue holds');
    Object.assign(this.cursor, { taken, used, signalled });
    this.#available = taken;
  }

  close(): void {
    this.#size = 0;
    this.#available = 0;
    Object.assign(this.cursor, { taken: 0, used: 0, signalled: 0 });
  }

  /**
   * The next chain that the driver has made available; undefined when there is none. In that case the driver
   * notifies the device of the next one. The chain belongs to the caller until `complete`.
   * @throws DriverError if the ring or the chain breaks a rule.
   */
  take(): Chain | undefined {
    if (this.#size === 0 || (this.cursor.taken === this.#available && !this.#refresh())) return undefined;
    const slot = this.cursor.taken & (this.#size - 1);
    const head = this.#memory.halfWords[(this.#availableRing + 4 + 2 * slot) >>> 1] as number;
    const chain = this.#free.pop() ?? new Chain(this.#memory);
    chain.begin(head);
    this.#collect(chain, head);
    this.cursor.taken = (this.cursor.taken + 1) & 0xffff;
    return chain;
  }

  /** Gives back the chain that was taken last, as if it had not been taken. */
  giveBack(chain: Chain): void {
    this.cursor.taken = (this.cursor.taken - 1) & 0xffff;
    this.#free.push(chain);
  }

  /** The number of chains that the driver can make available at a time; 0 while the queue is closed. */
  get size(): number {
    return this.#size;
  }

  /** Returns a chain to the driver, with the number of bytes written to it. */
  complete(chain: Chain): void {
    this.#use(chain);
    this.#publish();
  }

  /** Returns chains that belong together: the driver sees all of them or none. */
  completeAll(chains: readonly Chain[]): void {
    for (const chain of chains) this.#use(chain);
    this.#publish();
  }

  #use(chain: Chain): void {
    const { cursor } = this;
    const slot = cursor.used & (this.#size - 1);
    const element = (this.#usedRing + 4 + 8 * slot) >>> 2;
    chain.writable.markWritten();
    this.#memory.words[element] = chain.head;
    this.#memory.words[element + 1] = chain.writable.written;
    cursor.used = (cursor.used + 1) & 0xffff;
    this.#free.push(chain);
  }

  #publish(): void {
    Atomics.store(this.#memory.halfWords, (this.#usedRing + 2) >>> 1, this.cursor.used);
    this.#memory.markWritten(this.#usedRing, 4 + 8 * this.#size);
  }

  /** Whether the driver wants an interrupt for the chains completed since the last call (2.7.7). */
  takeSignal(): boolean {
    const { used, signalled } = this.cursor;
    if (used === signalled) return false;
    this.cursor.signalled = used;
    const { halfWords } = this.#memory;
    if (!this.#eventIndex)
      return (Atomics.load(halfWords, this.#availableRing >>> 1) & AVAIL_F_NO_INTERRUPT) === 0;
    const event = Atomics.load(halfWords, (this.#availableRing + 4 + 2 * this.#size) >>> 1);
    return ((used - event - 1) & 0xffff) < ((used - signalled) & 0xffff);
  }

  /**
   * Looks for new chains. If there are none, requests a notification and looks again, because one may have
   * come meanwhile.
   */
  #refresh(): boolean {
    if (this.#readAvailable()) return true;
    if (!this.#eventIndex) return false;
    const event = this.#usedRing + 4 + 8 * this.#size;
    Atomics.store(this.#memory.halfWords, event >>> 1, this.cursor.taken);
    this.#memory.markWritten(event, 2);
    return this.#readAvailable();
  }

  #readAvailable(): boolean {
    const index = Atomics.load(this.#memory.halfWords, (this.#availableRing + 2) >>> 1);
    if (((index - this.cursor.used) & 0xffff) > this.#size)
      throw new DriverError('more chains than the queue holds');
    if (((index - this.cursor.taken) & 0xffff) > this.#size)
      throw new DriverError('available index went back');
    this.#available = index;
    return index !== this.cursor.taken;
  }

  /** Walks a chain's descriptors. Reads each field once, because the guest may change it meanwhile. */
  #collect(chain: Chain, head: number): void {
    const { view } = this.#memory;
    const { readable, writable } = chain;
    let table = this.#descriptors;
    let entries = this.#size;
    let inTable = false;
    let index = head;
    for (let count = 0; count < this.#size; ) {
      if (index >= entries) throw new DriverError('descriptor index out of range');
      const descriptor = table + index * DESC_SIZE;
      const low = view.getUint32(descriptor, true);
      const high = view.getUint32(descriptor + 4, true);
      const length = view.getUint32(descriptor + 8, true);
      const flags = view.getUint16(descriptor + 12, true);
      if (length === 0) throw new DriverError('descriptor without length');
      const address = this.#memory.resolve(low, high, length);
      if ((flags & DESC_F_INDIRECT) !== 0) {
        if (!this.#indirect || inTable || (flags & DESC_F_NEXT) !== 0 || length % DESC_SIZE !== 0)
          throw new DriverError('bad indirect descriptor');
        table = address;
        entries = length / DESC_SIZE;
        inTable = true;
        index = 0;
        continue;
      }
      if ((flags & DESC_F_WRITE) !== 0) writable.add(address, length);
      else if (writable.remaining > 0) throw new DriverError('readable descriptor after a writable one');
      else readable.add(address, length);
      if (readable.remaining + writable.remaining > MAX_CHAIN_BYTES)
        throw new DriverError('chain over 2^32 bytes');
      if ((flags & DESC_F_NEXT) === 0) return;
      index = view.getUint16(descriptor + 14, true);
      count++;
    }
    throw new DriverError('chain longer than the queue');
  }

  #register(offset: number): number {
    return Atomics.load(this.#memory.words, (this.#registers + offset) >>> 2) >>> 0;
  }

  #ring(offset: number, length: number, alignment: number): number {
    const low = this.#register(offset);
    if (low % alignment !== 0) throw new DriverError('misaligned ring');
    return this.#memory.resolve(low, this.#register(offset + 4), length);
  }
}

function requireDisjoint(ranges: [start: number, length: number][]): void {
  ranges.sort(([a], [b]) => a - b);
  let end = 0;
  for (const [start, length] of ranges) {
    if (start < end) throw new DriverError('rings overlap');
    end = start + length;
  }
}
