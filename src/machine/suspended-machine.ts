import { PAGE_DIRTY } from '../../emulator-wasm/layout.ts';
import { guestRam, type MemoryPlan, pageFlags } from './memory.ts';
import type { MachineState } from './state.ts';

const BITS = 8;

/** A machine that stands still. Its owner saves it, and then lets it go on or stops it. */
export class SuspendedMachine {
  readonly state: MachineState;
  /** Guest RAM, in shared memory. It does not change until `resume`. */
  readonly ram: Uint8Array;
  readonly #flags: Uint8Array;
  readonly #resume: () => Promise<void>;

  /** @param resume lets the machine go on */
  constructor(
    state: MachineState,
    memory: WebAssembly.Memory,
    plan: MemoryPlan,
    resume: () => Promise<void>,
  ) {
    this.state = state;
    this.ram = guestRam(memory, plan);
    this.#flags = pageFlags(memory, plan);
    this.#resume = resume;
  }

  /**
   * One bit for each page of RAM, from the lowest bit of the first byte on: whether the page may have been
   * written since the last `markSaved`, or since the machine was started. The other pages of a machine that
   * has booted are zero, those of one that was started from a state are as they were in it.
   */
  dirtyPages(): Uint8Array<ArrayBuffer> {
    const flags = this.#flags;
    const pages = new Uint8Array(Math.ceil(flags.length / BITS));
    // By default there are 131 072 pages, for which an iterator takes 30 ms when it is not compiled yet.
    for (let page = 0; page < flags.length; page++) {
      if ((flags[page] as number) & PAGE_DIRTY)
        pages[page >>> 3] = (pages[page >>> 3] as number) | (1 << (page % BITS));
    }
    return pages;
  }

  /** Makes all pages clean. */
  markSaved(): void {
    const flags = this.#flags;
    for (let page = 0; page < flags.length; page++) flags[page] = (flags[page] as number) & ~PAGE_DIRTY;
  }

  /** Resolves when the machine goes on. */
  resume(): Promise<void> {
    return this.#resume();
  }
}
