import type { DiskFile, DiskFiles } from '../../storage/disk-files.ts';
import type { KeyValueStore } from '../../storage/key-value.ts';
import { MemoryStore } from '../../storage/memory.ts';

/** Counts what a storage does, and lets it do nothing more from one step on, as if the power were lost. */
export class Power {
  steps = 0;
  /** The step from which on nothing happens. */
  end = Number.POSITIVE_INFINITY;

  step(): void {
    if (this.steps++ >= this.end) throw new Error('the power is lost');
  }
}

/** Files in memory. What is not flushed is lost with the power. */
export class CrashFiles implements DiskFiles {
  readonly #power: Power;
  readonly #files = new Map<string, { durable: Uint8Array<ArrayBuffer>; now: Uint8Array<ArrayBuffer> }>();

  constructor(power: Power) {
    this.#power = power;
  }

  crash(): void {
    for (const file of this.#files.values()) file.now = file.durable.slice();
  }

  async open(name: string): Promise<DiskFile> {
    this.#power.step();
    const file = this.#files.get(name) ?? { durable: new Uint8Array(0), now: new Uint8Array(0) };
    this.#files.set(name, file);
    const power = this.#power;
    return {
      get size() {
        return file.now.length;
      },
      read: (offset, into) => into.set(file.now.subarray(offset, offset + into.length)),
      write: (offset, from) => {
        power.step();
        const grown = new Uint8Array(Math.max(file.now.length, offset + from.length));
        grown.set(file.now);
        grown.set(from, offset);
        file.now = grown;
      },
      resize: () => {},
      flush: () => {
        power.step();
        file.durable = file.now.slice();
      },
      close: () => {},
    };
  }

  async openReadOnly(): Promise<undefined> {}

  async create(): Promise<void> {
    throw new Error('sessions are written to open files');
  }

  async size(name: string): Promise<number> {
    return this.#files.get(name)?.now.length ?? 0;
  }

  async remove(name: string): Promise<void> {
    this.#power.step();
    this.#files.delete(name);
  }

  async list(): Promise<string[]> {
    return [...this.#files.keys()];
  }
}

/** Values that are durable at once. */
export class CrashValues extends MemoryStore implements KeyValueStore {
  readonly #power: Power;

  constructor(power: Power) {
    super();
    this.#power = power;
  }

  override async set(key: string, value: Uint8Array): Promise<void> {
    this.#power.step();
    await super.set(key, value);
  }

  override async delete(keys: readonly string[]): Promise<void> {
    this.#power.step();
    await super.delete(keys);
  }
}
