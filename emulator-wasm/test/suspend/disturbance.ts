/** Suspends a machine at random moments, and lets it go on, also as another machine. */
import { setTimeout as delay } from 'node:timers/promises';
import { Machine, type ResumeOptions, type SuspendedMachine } from '../../../src/machine/machine.ts';
import { platform } from '../linux/programs.ts';
import type { Random } from '../support/random.ts';

const PAGE = 4096;
/** The longest time between two suspensions, in ms. */
const PAUSE = 20;
const END_PATIENCE = 5000;

/** Keeps a copy of a machine's RAM by its dirty pages, as a save does. */
export class SavedRam {
  readonly bytes: Uint8Array;

  /** @param bytes RAM when the machine was started: zero unless it was started from a state */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** @throws Error if a page has changed without being dirty */
  save(suspended: SuspendedMachine): void {
    const dirty = suspended.dirtyPages();
    for (let page = 0; page < suspended.ram.length / PAGE; page++) {
      if (((dirty[page >>> 3] as number) >>> (page & 7)) & 1)
        this.bytes.set(suspended.ram.subarray(page * PAGE, (page + 1) * PAGE), page * PAGE);
    }
    suspended.markSaved();
    if (Buffer.compare(this.bytes, suspended.ram) !== 0) throw new Error('a page was written in secret');
  }
}

/** A machine, and those that go on in its place. */
export class Disturbance {
  machine: Machine;
  readonly #options: Omit<ResumeOptions, 'state' | 'fillRam'>;
  readonly #random: Random;
  readonly #saved: SavedRam;

  /** @param ram as it was when the machine was started */
  constructor(
    machine: Machine,
    options: Omit<ResumeOptions, 'state' | 'fillRam'>,
    random: Random,
    ram: Uint8Array = new Uint8Array(machine.ram.length),
  ) {
    this.machine = machine;
    this.#options = options;
    this.#random = random;
    this.#saved = new SavedRam(ram);
  }

  /** Suspends the machine after a random time. Resolves to false if it has ended. */
  async next(): Promise<boolean> {
    const random = this.#random;
    await delay(random.below(PAUSE));
    const suspended = await this.machine.suspend().catch((error) => this.#requireEnd(error));
    if (!suspended) return false;
    const isReplaced = random.below(3) === 0;
    if (isReplaced || random.below(2) === 0) this.#saved.save(suspended);
    if (!isReplaced) {
      await suspended.resume();
      return true;
    }
    const state = structuredClone(suspended.state);
    await this.machine.stop();
    this.machine = await Machine.start(platform, {
      ...this.#options,
      state,
      fillRam: (ram) => ram.set(this.#saved.bytes),
    });
    return true;
  }

  /** @throws the error, unless the machine has ended */
  async #requireEnd(error: unknown): Promise<undefined> {
    const stillRuns = delay(END_PATIENCE).then(() => Promise.reject(error));
    await Promise.race([this.machine.exit, stillRuns]);
  }
}
