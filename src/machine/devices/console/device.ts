import { concat } from '../../../streams/concat.ts';
import type { Plain, StateReader } from '../../state.ts';
import type { TerminalSize } from '../../terminal-size.ts';
import type { Chain } from '../virtio/chain.ts';
import { DriverError, type GuestMemory } from '../virtio/guest-memory.ts';
import { VirtioDevice } from '../virtio/virtio-device.ts';

const F_SIZE = 0;
const RECEIVE = 0;
const TRANSMIT = 1;
/** Linux fills this queue with 4 KiB buffers at boot, so a long queue costs memory and time. */
const RECEIVE_SIZE = 16;
const TRANSMIT_SIZE = 64;
/** Maximum number of bytes of output passed on at once. */
const OUTPUT_CHUNK = 64 << 10;
/** The most input that waits for the guest in a saved state, in bytes. */
const MAX_INPUT = 64 << 20;

export interface ConsoleOptions {
  /**
   * Receives output of the guest, and may keep the bytes. While a promise that it returned is pending, the
   * device takes no more and the guest waits.
   */
  onOutput(bytes: Uint8Array<ArrayBuffer>): void | Promise<void>;
  /** The initial size. */
  size: TerminalSize;
}

interface PendingInput {
  bytes: Uint8Array;
  taken: number;
  done(): void;
}

/** Console device with a single port (virtio 1.2, section 5.3). */
export class ConsoleDevice extends VirtioDevice {
  readonly #onOutput: ConsoleOptions['onOutput'];
  readonly #input: PendingInput[] = [];
  readonly #output = new Uint8Array(OUTPUT_CHUNK);
  #outputLength = 0;
  #outputBlocked = false;
  /** The chain that the device is reading, when its bytes do not fit in one turn. */
  #transmitting: Chain | undefined;
  /** Bytes of the next chain that were read before the device was suspended. */
  #alreadyRead = 0;

  constructor(memory: GuestMemory, slot: number, { onOutput, size }: ConsoleOptions) {
    super(memory, slot, {
      id: 3,
      features: 1 << F_SIZE,
      queueSizes: [RECEIVE_SIZE, TRANSMIT_SIZE],
      config: sizeConfig(size),
    });
    this.#onOutput = onOutput;
  }

  /**
   * Sends input to the guest. The device keeps what the guest has no room for, also across resets of the
   * driver. The promise resolves when the guest has all of it; the bytes must not change before.
   */
  write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return Promise.resolve();
    return new Promise((done) => {
      this.#input.push({ bytes, taken: 0, done });
      this.wake();
    });
  }

  /** Tells the guest the size of the terminal. */
  resize(size: TerminalSize): void {
    this.setConfig(0, sizeConfig(size));
  }

  protected override service(): void {
    this.#receive();
    this.#transmit();
  }

  protected override stop(): void {
    this.#transmitting = undefined;
    this.#alreadyRead = 0;
    this.#flush();
  }

  protected override settle(): Plain {
    const chain = this.#transmitting;
    if (chain) {
      this.#alreadyRead = chain.readable.consumed;
      this.queue(TRANSMIT).giveBack(chain);
      this.#transmitting = undefined;
    }
    this.#flush();
    const input = concat(this.#input.map(({ bytes, taken }) => bytes.subarray(taken)));
    return { alreadyRead: this.#alreadyRead, input };
  }

  protected override restore(state: StateReader): void {
    this.#alreadyRead = state.field('alreadyRead').integer(0, 2 ** 32);
    void this.write(state.field('input').bytes(0, MAX_INPUT));
  }

  #receive(): void {
    while (this.#input.length > 0) {
      const chain = this.take(RECEIVE);
      if (chain === undefined) return;
      if (chain.writable.remaining === 0) throw new DriverError('receive buffer without room');
      this.#fill(chain);
      this.charge(RECEIVE, chain.writable.written);
      this.queue(RECEIVE).complete(chain);
    }
  }

  #fill({ writable }: Chain): void {
    for (let input = this.#input[0]; input !== undefined && writable.remaining > 0; input = this.#input[0]) {
      const end = input.taken + Math.min(input.bytes.length - input.taken, writable.remaining);
      writable.write(input.bytes, input.taken, end);
      input.taken = end;
      if (end < input.bytes.length) return;
      this.#input.shift();
      input.done();
    }
  }

  #transmit(): void {
    while (!this.#outputBlocked && !this.isSpent(TRANSMIT)) {
      this.#transmitting ??= this.#takeOutput();
      if (this.#transmitting === undefined) {
        this.#flush();
        return;
      }
      const { readable } = this.#transmitting;
      const length = Math.min(readable.remaining, OUTPUT_CHUNK - this.#outputLength);
      readable.read(this.#output, this.#outputLength, length);
      this.#outputLength += length;
      this.charge(TRANSMIT, length);
      if (readable.remaining === 0) {
        this.queue(TRANSMIT).complete(this.#transmitting);
        this.#transmitting = undefined;
      }
      if (this.#outputLength === OUTPUT_CHUNK) this.#flush();
    }
  }

  #takeOutput(): Chain | undefined {
    const chain = this.take(TRANSMIT);
    if (chain === undefined) return undefined;
    chain.readable.skip(this.#alreadyRead);
    this.#alreadyRead = 0;
    return chain;
  }

  #flush(): void {
    if (this.#outputLength === 0) return;
    const accepted = this.#onOutput(this.#output.slice(0, this.#outputLength));
    this.#outputLength = 0;
    if (accepted === undefined) return;
    this.#outputBlocked = true;
    void accepted.finally(() => {
      this.#outputBlocked = false;
      this.wake();
    });
  }
}

function sizeConfig({ columns, rows }: TerminalSize): Uint8Array {
  return new Uint8Array(new Uint16Array([columns, rows]).buffer);
}
