/** The saved state of a machine, and the checks of whoever reads it: it may come from a stranger. */
import { StateError } from './errors.ts';

/** What JSON has, and bytes. It is cloned between threads and encoded by `src/snapshot`. */
export type Plain =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly Plain[]
  | { readonly [name: string]: Plain };

/** Everything of a suspended machine that is not in its RAM and not on its disks. */
export interface MachineState {
  readonly harts: number;
  readonly ramBytes: number;
  readonly machineBlock: Uint8Array;
  readonly hartBlocks: readonly Uint8Array[];
  /** In the order of their slots. */
  readonly devices: readonly Plain[];
  readonly agent: Plain;
  readonly owner: Plain;
}

/** A machine that was suspended, as others start from it. */
export interface SavedMachine {
  readonly state: MachineState;
  /** Fills in guest RAM as it was, which is all zero before. The workers start meanwhile. */
  fillRam(ram: Uint8Array): void | Promise<void>;
  /** Memory of `savedPlan(state)` that no machine has had yet. */
  readonly memory?: WebAssembly.Memory | undefined;
}

/** Reads one value of a state. Every method throws StateError unless the value is what the caller expects. */
export class StateReader {
  readonly #value: Plain | undefined;
  readonly #path: string;

  /** @param path where the value is, in words or names, for the error */
  constructor(value: Plain | undefined, path: string) {
    this.#value = value;
    this.#path = path;
  }

  /** A value of an object. */
  field(name: string): StateReader {
    const value = this.#value;
    if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
      return this.fail('is no object');
    const fields = value as { readonly [name: string]: Plain };
    return new StateReader(Object.hasOwn(fields, name) ? fields[name] : undefined, `${this.#path}.${name}`);
  }

  /** Whether the value is an object with this field. */
  has(name: string): boolean {
    const value = this.#value;
    return typeof value === 'object' && value !== null && Object.hasOwn(value, name);
  }

  /** The values of a list of at most `most`. */
  list(most: number): StateReader[] {
    const value = this.#value;
    if (!Array.isArray(value)) return this.fail('is no list');
    if (value.length > most) return this.fail(`has ${value.length} values, more than ${most}`);
    return Array.from(value as readonly Plain[], (item, i) => new StateReader(item, `${this.#path}[${i}]`));
  }

  /** The value itself, unless it is null. */
  optional(): StateReader | undefined {
    return this.#value === null ? undefined : this;
  }

  integer(least: number, most: number): number {
    const value = this.#value;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most)
      return value;
    return this.fail(`is no integer from ${least} to ${most}`);
  }

  boolean(): boolean {
    return typeof this.#value === 'boolean' ? this.#value : this.fail('is neither true nor false');
  }

  /** @param most UTF-16 units */
  text(most: number): string {
    const value = this.#value;
    return typeof value === 'string' && value.length <= most
      ? value
      : this.fail(`is no text of at most ${most} characters`);
  }

  oneOf<T extends string>(values: readonly T[]): T {
    return values.find((value) => value === this.#value) ?? this.fail(`is none of ${values.join(', ')}`);
  }

  /** A copy of bytes, at least `least` and at most `most`. */
  bytes(least: number, most: number): Uint8Array<ArrayBuffer> {
    const value = this.#value;
    return value instanceof Uint8Array && value.length >= least && value.length <= most
      ? (value.slice() as Uint8Array<ArrayBuffer>)
      : this.fail(`is not ${least} to ${most} bytes`);
  }

  /** The value as it is, for another reader that checks it. */
  get raw(): Plain {
    return this.#value === undefined ? this.fail('is missing') : this.#value;
  }

  fail(problem: string): never {
    throw new StateError(`${this.#path} ${problem}`);
  }
}
