/** Runs the core alone in this thread, with the shared memory laid out as the host does it. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { FIXED_CODE_KEY, writeCodeKey } from '../../../src/machine/memory.ts';
import { inlineTranslation } from '../../jit/inline.ts';
import type { Limits } from '../../jit/install.ts';
import type { CodeLogs } from '../../jit/translator.ts';
import {
  H_INSTRET,
  H_PC,
  H_X,
  HART_STRIDE,
  HARTS,
  M_EXIT_CODE,
  M_HARTS,
  M_MODE,
  M_PAGE_FLAGS,
  M_POWER,
  M_RAM_BASE,
  M_RAM_SIZE,
  M_TOHOST,
  MACHINE,
  MACHINE_SIZE,
  MODE_JIT,
  MODE_JIT_ALL,
  PAGE_WRITTEN,
  POWER_RUNNING,
  RAM_START,
} from '../../layout.ts';
import type { Elf } from './elf.ts';
import { type CoreExports, instantiate } from './instance.mjs';

const WASM_PAGE = 0x1_0000;
const PAGE = 0x1000;

/** The module under test: `EMULATOR_WASM`, or the build's result in `public`. */
const MODULE_PATH =
  process.env.EMULATOR_WASM ?? fileURLToPath(new URL('../../../public/emulator.wasm', import.meta.url));

/** Tests run in the interpreter, or with `hot` or `all` code translated as the variable `JIT` says. */
const JIT_MODES: Record<string, number> = { hot: MODE_JIT, all: MODE_JIT | MODE_JIT_ALL };
export const JIT_MODE = JIT_MODES[process.env.JIT ?? ''] ?? 0;

let compiled: Promise<WebAssembly.Module> | undefined;

/** Compiles the module once per thread. Rejects if the core has not been built. */
export function coreModule(): Promise<WebAssembly.Module> {
  compiled ??= readFile(MODULE_PATH).then((bytes) => WebAssembly.compile(bytes));
  return compiled;
}

export const PRIV_S = 1;
export const PRIV_M = 3;

/** The memory of a machine: guest RAM and hart blocks, without an instance of the core. */
export class MachineMemory {
  readonly memory: WebAssembly.Memory;
  readonly view: DataView;
  /** Guest RAM; index 0 is guest physical RAM_START. */
  readonly ram: Uint8Array;
  /** PAGE_* bits, one byte per page of RAM. */
  readonly pageFlags: Uint8Array;

  constructor(harts: number, ramSize: number, mode: number) {
    const flagsBase = HARTS + harts * HART_STRIDE;
    const ramBase = Math.ceil((flagsBase + ramSize / PAGE) / WASM_PAGE) * WASM_PAGE;
    const pages = (ramBase + ramSize) / WASM_PAGE;
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.view = new DataView(this.memory.buffer);
    this.ram = new Uint8Array(this.memory.buffer, ramBase, ramSize);
    this.pageFlags = new Uint8Array(this.memory.buffer, flagsBase, ramSize / PAGE);
    this.view.setUint32(M_HARTS, harts, true);
    this.view.setUint32(M_MODE, mode, true);
    this.view.setUint32(M_RAM_BASE, ramBase, true);
    this.view.setBigUint64(M_RAM_SIZE, BigInt(ramSize), true);
    this.view.setUint32(M_PAGE_FLAGS, flagsBase, true);
    writeCodeKey(this.view, FIXED_CODE_KEY);
  }

  /** Writes guest physical memory as a device would. */
  load(address: number, bytes: Uint8Array): void {
    const offset = address - RAM_START;
    this.ram.set(bytes, offset);
    const last = (offset + bytes.length - 1) / PAGE;
    for (let page = Math.floor(offset / PAGE); page <= last; page++) {
      this.pageFlags[page] = (this.pageFlags[page] as number) | PAGE_WRITTEN;
    }
  }

  /** Writes a doubleword of guest physical memory. */
  write(address: number, value: bigint): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    this.load(address, bytes);
  }

  loadElf(elf: Elf): void {
    for (const { address, bytes, memorySize } of elf.segments) {
      if (memorySize === 0) continue;
      const image = new Uint8Array(memorySize);
      image.set(bytes);
      this.load(address, image);
    }
    this.view.setBigUint64(M_TOHOST, BigInt(elf.symbols.get('tohost') ?? 0), true);
  }

  /** The result of the last `run`: POWER_*, and the guest's exit code. */
  get power(): number {
    return this.view.getInt32(M_POWER, true);
  }

  get exitCode(): number {
    return this.view.getInt32(M_EXIT_CODE, true);
  }
}

/** One hart's instance of the core on a machine's memory. */
export class Core {
  readonly machine: MachineMemory;
  readonly #hart: number;
  readonly #exports: CoreExports;

  /** See `instantiate` for `output` and `start`. */
  constructor(
    module: WebAssembly.Module,
    machine: MachineMemory,
    hart = 0,
    output: (bytes: Uint8Array) => void = () => {},
    start = performance.timeOrigin + performance.now(),
    limits?: Limits,
    logs?: CodeLogs,
  ) {
    this.machine = machine;
    this.#hart = hart;
    const hot = (exports: WebAssembly.Exports) =>
      inlineTranslation(exports, machine.memory, hart, limits, logs);
    this.#exports = instantiate(module, machine.memory, output, start, hot);
  }

  /** Resets the hart and turns the machine's power on, without touching guest RAM. */
  reset(pc: number, priv = PRIV_M, a1 = 0n): void {
    const { view } = this.machine;
    view.setInt32(M_POWER, POWER_RUNNING, true);
    view.setUint32(M_MODE, view.getUint32(M_MODE, true) | JIT_MODE, true);
    this.#exports.reset(this.#hart, BigInt(pc), priv, a1);
  }

  /** Runs about that many instructions (exactly one if it is 1). Returns M_POWER. */
  run(instructions: bigint): number {
    return this.#exports.run(this.#hart, instructions);
  }

  x(register: number): bigint {
    return this.#word(H_X + 8 * register);
  }

  get pc(): bigint {
    return this.#word(H_PC);
  }

  get instret(): bigint {
    return this.#word(H_INSTRET);
  }

  #word(offset: number): bigint {
    return this.machine.view.getBigUint64(HARTS + this.#hart * HART_STRIDE + offset, true);
  }
}

/**
 * Sets devices to their power-on state: zeroes the machine block beyond the words that MachineMemory fills.
 */
export function clearDevices(machine: MachineMemory): void {
  new Uint8Array(machine.memory.buffer, MACHINE + 0x400, MACHINE_SIZE - 0x400).fill(0);
}
