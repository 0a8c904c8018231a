/** Writes a WebAssembly module of functions. */
import { Bytes, type FunctionBody, I64, type ValueType, withIndices } from './wasm.ts';

export interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

const MAGIC = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const FUNCTION_TYPE = 0x60;
const FUNCREF = 0x70;
const SHARED_WITH_MAXIMUM = 3;
const IMMUTABLE = 0;
const MAX_MEMORY_PAGES = 0x1_0000;

/** The section of the branch hinting proposal. */
const BRANCH_HINTS = 'metadata.code.branch_hint';

enum Section {
  CUSTOM = 0,
  TYPE = 1,
  IMPORT = 2,
  FUNCTION = 3,
  EXPORT = 7,
  CODE = 10,
}

enum Kind {
  FUNCTION = 0,
  TABLE = 1,
  MEMORY = 2,
  GLOBAL = 3,
}

/**
 * A module of functions with one signature, exported by their numbers. It imports the shared memory
 * `env.memory`, functions of `core`, and globals of 64 bits from `globals`, by their numbers.
 */
export class ModuleWriter {
  readonly #types = new Map<string, { index: number; signature: Signature }>();
  readonly #imports: readonly { readonly name: string; readonly type: number }[];
  readonly #functions: { readonly bytes: Uint8Array; readonly hints: Uint8Array }[] = [];
  /** The numbers of the globals by their values. */
  readonly #globals = new Map<bigint, number>();
  readonly #type: number;
  readonly #importsTable: boolean;

  /**
   * @param imports the functions of `core`, in the order of their indices
   * @param importsTable whether it also imports the table `env.table`
   */
  constructor(signature: Signature, imports: Readonly<Record<string, Signature>> = {}, importsTable = false) {
    this.#type = this.type(signature);
    this.#imports = Object.entries(imports).map(([name, each]) => ({ name, type: this.type(each) }));
    this.#importsTable = importsTable;
  }

  /** @param valueOfGlobal returns the value of a global by the name that the function has for it */
  add(body: FunctionBody, valueOfGlobal: (name: number) => bigint = () => 0n): void {
    const bytes = withIndices(body, (name) => this.#global(valueOfGlobal(name)));
    this.#functions.push({ bytes, hints: body.hints });
  }

  #global(value: bigint): number {
    const known = this.#globals.get(value);
    if (known !== undefined) return known;
    this.#globals.set(value, this.#globals.size);
    return this.#globals.size - 1;
  }

  /** The values of the globals, in the order of their numbers. */
  get globals(): bigint[] {
    return [...this.#globals.keys()];
  }

  finish(): Uint8Array<ArrayBuffer> {
    const out = new Bytes();
    out.bytes(MAGIC);
    this.#section(out, Section.TYPE, [...this.#types.values()], (section, { signature }) => {
      section.byte(FUNCTION_TYPE);
      section.unsigned(signature.parameters.length);
      section.bytes(signature.parameters);
      section.unsigned(signature.results.length);
      section.bytes(signature.results);
    });
    this.#section(out, Section.IMPORT, this.#importEntries(), (section, write) => write(section));
    this.#section(out, Section.FUNCTION, this.#functions, (section) => section.unsigned(this.#type));
    this.#section(out, Section.EXPORT, [...this.#functions.keys()], (section, n) => {
      section.name(String(n));
      section.byte(Kind.FUNCTION);
      section.unsigned(this.#imports.length + n);
    });
    this.#hints(out);
    this.#section(out, Section.CODE, this.#functions, (section, { bytes }) => {
      section.unsigned(bytes.length);
      section.bytes(bytes);
    });
    return out.copy();
  }

  /** A custom section, which other engines ignore. */
  #hints(out: Bytes): void {
    const section = new Bytes();
    section.name(BRANCH_HINTS);
    section.unsigned(this.#functions.length);
    for (const [n, { hints }] of this.#functions.entries()) {
      section.unsigned(this.#imports.length + n);
      section.bytes(hints);
    }
    out.byte(Section.CUSTOM);
    out.unsigned(section.length);
    out.bytes(section.view());
  }

  #importEntries(): ((section: Bytes) => void)[] {
    const functions = this.#imports.map(({ name, type }) => (section: Bytes) => {
      section.name('core');
      section.name(name);
      section.byte(Kind.FUNCTION);
      section.unsigned(type);
    });
    const table = (section: Bytes) => {
      section.name('env');
      section.name('table');
      section.bytes([Kind.TABLE, FUNCREF, 0]);
      section.unsigned(1);
    };
    const memory = (section: Bytes) => {
      section.name('env');
      section.name('memory');
      section.bytes([Kind.MEMORY, SHARED_WITH_MAXIMUM]);
      section.unsigned(1);
      section.unsigned(MAX_MEMORY_PAGES);
    };
    const globals = this.globals.map((_, number) => (section: Bytes) => {
      section.name('globals');
      section.name(String(number));
      section.bytes([Kind.GLOBAL, I64, IMMUTABLE]);
    });
    return [...functions, memory, ...(this.#importsTable ? [table] : []), ...globals];
  }

  /** The index of a type. */
  type(signature: Signature): number {
    const key = `${signature.parameters}>${signature.results}`;
    const known = this.#types.get(key);
    if (known) return known.index;
    const index = this.#types.size;
    this.#types.set(key, { index, signature });
    return index;
  }

  #section<T>(out: Bytes, id: Section, items: readonly T[], write: (section: Bytes, item: T) => void): void {
    const section = new Bytes();
    section.unsigned(items.length);
    for (const item of items) write(section, item);
    out.byte(id);
    out.unsigned(section.length);
    out.bytes(section.view());
  }
}
