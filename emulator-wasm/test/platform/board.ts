/** A machine without an interpreter: the test accesses its shared memory and the core's devices directly. */
import { Worker } from 'node:worker_threads';
import {
  H_ID,
  H_RUN,
  H_WAKE,
  H_X,
  HART_STRIDE,
  HARTS,
  M_DOORBELLS,
  M_HARTS,
  M_MODE,
  M_PAGE_FLAGS,
  M_RAM_BASE,
  M_RAM_SIZE,
  RUN_STARTED,
  UART_RX_HEAD,
  UART_RX_RING,
  UART_RX_SIZE,
} from '../../layout.ts';
import type { CoreExports } from './core.ts';

const PAGE_FLAGS_SIZE = 0x1_0000;
export const RAM_SIZE = 0x10_0000;

export const hartBlock = (id: number) => HARTS + id * HART_STRIDE;

/** Runs in a worker. `body` sees only `core`, `words` and `data`. */
const THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
const { module, memory, body, data } = workerData;
const host = {
  now: () => performance.now() * 1e4,
  wallClock: () => Date.now() * 1e6,
  output: (address, length) => parentPort.postMessage(new Uint8Array(memory.buffer, address, length).slice()),
  doorbell() {},
  hot() {},
};
const core = new WebAssembly.Instance(module, { env: { memory }, host }).exports;
new Function('core', 'words', 'data', body)(core, new Int32Array(memory.buffer), data);
`;

export class Board {
  readonly memory: WebAssembly.Memory;
  readonly core: CoreExports;
  readonly words: Int32Array;
  readonly doubles: BigInt64Array;
  readonly bytes: Uint8Array;
  readonly ramBase: number;
  readonly pageFlags: number;
  /** Ticks, and nanoseconds since 1970. */
  now = 0;
  wallClock = 0;
  /** The guest's output, one string per call. */
  output: string[] = [];
  onDoorbell: (server: number) => void = () => {};
  readonly #module: WebAssembly.Module;

  constructor(module: WebAssembly.Module, harts: number, mode = 0) {
    this.#module = module;
    this.pageFlags = hartBlock(harts);
    this.ramBase = this.pageFlags + PAGE_FLAGS_SIZE;
    const pages = (this.ramBase + RAM_SIZE) / 0x1_0000;
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
    this.words = new Int32Array(this.memory.buffer);
    this.doubles = new BigInt64Array(this.memory.buffer);
    this.bytes = new Uint8Array(this.memory.buffer);
    this.set(M_HARTS, harts);
    this.set(M_MODE, mode);
    this.set(M_RAM_BASE, this.ramBase);
    this.set64(M_RAM_SIZE, BigInt(RAM_SIZE));
    this.set(M_PAGE_FLAGS, this.pageFlags);
    for (let id = 0; id < harts; id++) {
      this.set(hartBlock(id) + H_ID, id);
      this.set(hartBlock(id) + H_RUN, RUN_STARTED);
    }
    const host = {
      now: () => this.now,
      wallClock: () => this.wallClock,
      output: (address: number, length: number) => {
        this.output.push(
          Buffer.from(this.bytes.slice(address >>> 0, (address >>> 0) + length)).toString('latin1'),
        );
      },
      doorbell: (server: number) => this.onDoorbell(server),
    };
    const instance = new WebAssembly.Instance(module, { env: { memory: this.memory }, host });
    this.core = instance.exports as unknown as CoreExports;
  }

  /** Reads an unsigned word. */
  get(address: number): number {
    return Atomics.load(this.words, address / 4) >>> 0;
  }

  set(address: number, value: number): void {
    Atomics.store(this.words, address / 4, value);
  }

  get64(address: number): bigint {
    return BigInt.asUintN(64, Atomics.load(this.doubles, address / 8));
  }

  set64(address: number, value: bigint): void {
    Atomics.store(this.doubles, address / 8, value);
  }

  /** Reads the device register at a guest physical address. Throws on an access fault. */
  read(pa: number, size = 4, hart = 0): number {
    return Number(this.read64(pa, size, hart));
  }

  read64(pa: number, size = 8, hart = 0): bigint {
    const value = BigInt.asUintN(64, this.core.busRead(hartBlock(hart), BigInt(pa), size));
    if (this.core.busFault.value) throw new Error('access fault');
    return value;
  }

  write(pa: number, value: number | bigint, size = 4, hart = 0): void {
    this.core.busWrite(hartBlock(hart), BigInt(pa), size, BigInt(value));
    if (this.core.busFault.value) throw new Error('access fault');
  }

  /** Returns MEIP and SEIP of a hart. */
  external(hart: number): number {
    return this.core.plicPending(hartBlock(hart));
  }

  wakes(hart: number): number {
    return this.get(hartBlock(hart) + H_WAKE);
  }

  doorbells(): number {
    return this.get(M_DOORBELLS);
  }

  /** Delivers keyboard input as the host does. */
  type(text: string): void {
    for (const byte of Buffer.from(text, 'latin1')) {
      const head = this.get(UART_RX_HEAD);
      this.bytes[UART_RX_RING + (head % UART_RX_SIZE)] = byte;
      this.set(UART_RX_HEAD, head + 1);
    }
  }

  register(hart: number, index: number): bigint {
    return BigInt.asIntN(64, this.get64(hartBlock(hart) + H_X + 8 * index));
  }

  /** Makes an SBI call on this hart, with a7, a6, a0… as arguments. Returns a0 (error) and a1 (value). */
  sbi(hart: number, extension: number, func: number, ...args: (number | bigint)[]) {
    const x = hartBlock(hart) + H_X;
    args.forEach((value, i) => {
      this.set64(x + 8 * (10 + i), BigInt(value));
    });
    this.set64(x + 8 * 16, BigInt(func));
    this.set64(x + 8 * 17, BigInt(extension));
    this.core.sbiCall(hartBlock(hart));
    return { error: Number(this.register(hart, 10)), value: this.register(hart, 11) };
  }

  /** Runs `body`, JavaScript that uses `core`, `words` and `data`, to its end in a thread of its own. */
  thread(body: string, data: object): Promise<void> {
    const workerData = { module: this.#module, memory: this.memory, body, data };
    const worker = new Worker(THREAD, { eval: true, workerData });
    worker.on('message', (bytes: Uint8Array) => this.output.push(Buffer.from(bytes).toString('latin1')));
    return new Promise((resolve, reject) => {
      worker.on('error', reject);
      worker.on('exit', () => resolve());
    });
  }
}
