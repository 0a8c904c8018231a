import { crc32c } from '../disk/crc32c.ts';
import type { DiskFile } from '../storage/disk-files.ts';

const LINE_END = 0x0a;
/** The checksum of a line in hexadecimal digits, and a space. */
const PREFIX = 9;
/** A file is not replaced before it is longer than this, and than twice its begin. */
const SHORT = 1 << 20;

interface Begin<State> {
  readonly generation: number;
  readonly state: State;
}

/**
 * Changes of a state, each of which is stored whole or not at all. Two files take turns: one begins with the
 * state, and has a line for each change. Lines have checksums, and the first one that is not whole ends the
 * file. That of the higher generation counts.
 */
export class Journal<State, Change> {
  readonly #files: readonly [DiskFile, DiskFile];
  #current: 0 | 1 = 0;
  #generation = 0;
  #beginSize = 0;
  #size = 0;

  constructor(files: readonly [DiskFile, DiskFile]) {
    this.#files = files;
  }

  /** What was stored; undefined if that is nothing. */
  read(): { readonly state: State; readonly changes: readonly Change[] } | undefined {
    const found = this.#files.map((file) => linesOf(file)) as [Lines, Lines];
    const [first, second] = found.map(({ values }) => values[0] as Begin<State> | undefined);
    this.#current = (second?.generation ?? 0) > (first?.generation ?? 0) ? 1 : 0;
    const begin = this.#current === 1 ? second : first;
    const { values, sizes } = found[this.#current];
    if (!begin) return undefined;
    this.#generation = begin.generation;
    this.#beginSize = sizes[0] ?? 0;
    this.#size = sizes.reduce((sum, size) => sum + size, 0);
    return { state: begin.state, changes: values.slice(1) as Change[] };
  }

  /** Whether it is better to store the whole state. */
  get isLong(): boolean {
    return this.#generation === 0 || this.#size > SHORT + 2 * this.#beginSize;
  }

  /** Stores a change, durably. @throws StorageError, and then nothing has changed */
  async append(change: Change): Promise<void> {
    const line = lineOf(change);
    const file = this.#files[this.#current];
    file.write(this.#size, line);
    await file.flush();
    this.#size += line.length;
  }

  /** Stores a state in place of all before, durably. @throws StorageError, and then nothing has changed */
  async begin(state: State): Promise<void> {
    const other = this.#current === 0 ? 1 : 0;
    const file = this.#files[other];
    const line = lineOf({ generation: this.#generation + 1, state } satisfies Begin<State>);
    file.resize(0);
    file.write(0, line);
    await file.flush();
    this.#current = other;
    this.#generation++;
    this.#beginSize = line.length;
    this.#size = line.length;
  }
}

interface Lines {
  readonly values: readonly unknown[];
  readonly sizes: readonly number[];
}

function lineOf(value: unknown): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(value));
  const line = new Uint8Array(PREFIX + text.length + 1);
  line.set(new TextEncoder().encode(`${checksum(text)} `));
  line.set(text, PREFIX);
  line[line.length - 1] = LINE_END;
  return line;
}

/** The lines of a file up to the first that is not whole. */
function linesOf(file: DiskFile): Lines {
  const bytes = new Uint8Array(file.size);
  file.read(0, bytes);
  const values: unknown[] = [];
  const sizes: number[] = [];
  for (let start = 0; ; ) {
    const end = bytes.indexOf(LINE_END, start);
    if (end < start + PREFIX) break;
    const text = bytes.subarray(start + PREFIX, end);
    if (new TextDecoder().decode(bytes.subarray(start, start + PREFIX)) !== `${checksum(text)} `) break;
    values.push(JSON.parse(new TextDecoder().decode(text)));
    sizes.push(end + 1 - start);
    start = end + 1;
  }
  return { values, sizes };
}

function checksum(bytes: Uint8Array): string {
  return crc32c(bytes).toString(16).padStart(8, '0');
}
