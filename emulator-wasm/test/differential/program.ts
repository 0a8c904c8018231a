/**
 * Random programs as trees of items without addresses. A program can therefore be laid out again with more
 * checkpoints and still be the same program.
 */
import { Random } from '../support/random.ts';
import {
  type Extension,
  type Field,
  fieldRange,
  INSTRUCTIONS,
  type Instruction,
  instruction,
  type Operands,
} from './instructions.ts';
import { type Code, type Roles, TRAPS } from './roles.ts';
import { edgeValue, type ValueKind } from './values.ts';
import { VectorCode } from './vector-code.ts';

export const GROUPS = ['I', 'M', 'A', 'F', 'D', 'C', 'B', 'mixed', 'Zi', 'Zf', 'Zc', 'V'] as const;
export type Group = (typeof GROUPS)[number];

/** Groups of extensions that Debian bookworm's QEMU 7.2 does not have. */
export const RVA23_GROUPS: ReadonlySet<Group> = new Set<Group>(['Zi', 'Zf', 'Zc', 'V']);

export type Item =
  /** Consecutive instructions without a checkpoint between them. */
  | { readonly kind: 'atom'; readonly code: readonly Code[] }
  /** Jumps over `body`, always or if the condition holds. The operands lack the offset. */
  | {
      readonly kind: 'skip';
      readonly branch: Instruction;
      readonly operands: Operands;
      readonly body: Item[];
    }
  /** Runs `second`, then `first`, which lies before it, by a jump forward and one backward. */
  | { readonly kind: 'swap'; readonly first: Item[]; readonly second: Item[] }
  | {
      readonly kind: 'loop';
      readonly times: number;
      readonly leaf: boolean;
      /** Whether there are checkpoints inside, or only one after the last round. */
      readonly traced: boolean;
      readonly form: LoopForm;
      readonly body: Item[];
    }
  /** Jumps through a table to one of four bodies, selected by two bits of a register. */
  | { readonly kind: 'switch'; readonly selector: number; readonly bodies: Item[][] }
  | { readonly kind: 'call'; readonly callee: number; readonly indirect: boolean };

export type LoopForm = 'bne' | 'blt' | 'bgeu' | 'c.bnez';

export interface Routine {
  readonly leaf: boolean;
  readonly compressedReturn: boolean;
  readonly body: Item[];
}

export interface Program {
  readonly group: Group;
  readonly roles: Roles;
  /** Whether sp points into the scratch area, for the sp-relative instructions. */
  readonly stackPointer: boolean;
  /**
   * The offset of the scratch register from the middle of the scratch area, and of sp from the scratch
   * register.
   */
  readonly scratchBias: number;
  readonly stackBias: number;
  /** Places all instructions at odd halfwords, if all of them have 4 bytes. */
  readonly shifted: boolean;
  readonly fcsr: number;
  readonly floating: boolean;
  /** Whether checkpoints include the vector unit, and instructions may be illegal. */
  readonly vector: boolean;
  readonly routines: readonly Routine[];
  readonly main: readonly Item[];
  readonly pool: readonly bigint[];
  readonly scratch: readonly bigint[];
}

export const POOL_BYTES = 0x1000;
export const SCRATCH_BYTES = 0x2000;

const CONTROL = /^(c\.)?(jal|jalr|j|jr|beq|bne|blt|bge|bltu|bgeu|beqz|bnez|ecall|ebreak)$/;
const LOAD = /^(c\.)?(l[bhwd]u?|fl[hwd])(sp)?$/;
const STORE = /^(c\.)?(s[bhwd]|fs[hwd])(sp)?$/;
const STACK = /^c\.\w+[wd]sp$/;

const PLAIN = INSTRUCTIONS.filter(
  ({ name, extension }) =>
    !CONTROL.test(name) &&
    !LOAD.test(name) &&
    !STORE.test(name) &&
    !['A', 'Zicsr', 'privileged', 'Zifencei', 'Zicbom', 'Zicboz', 'V', 'Zvbb'].includes(extension) &&
    name !== 'fence',
);
const MEMORY = INSTRUCTIONS.filter(({ name }) => LOAD.test(name) || STORE.test(name));
const AMOS = INSTRUCTIONS.filter(({ name }) => name.startsWith('amo'));
const CACHE_BLOCKS = INSTRUCTIONS.filter(({ name }) => name.startsWith('cbo.'));
const CONDITIONS = INSTRUCTIONS.filter(({ name }) => /^b(eq|ne|lt|ge)u?$/.test(name));
const COMPRESSED_CONDITIONS = [instruction('c.beqz'), instruction('c.bnez')];

/** The extensions of a group's instructions, its subject apart. */
const EXTENSIONS: Record<
  Group,
  { readonly subject: readonly Extension[]; readonly others: readonly Extension[] }
> = {
  I: { subject: ['I'], others: [] },
  M: { subject: ['M'], others: ['I'] },
  A: { subject: ['A'], others: ['I'] },
  F: { subject: ['F'], others: ['I'] },
  D: { subject: ['D'], others: ['F', 'I'] },
  C: { subject: ['C'], others: ['I'] },
  B: { subject: ['B'], others: ['I'] },
  mixed: { subject: ['I'], others: ['M', 'A', 'F', 'D', 'C', 'B'] },
  Zi: { subject: ['Zicond', 'Zimop', 'Zawrs', 'Zicbom', 'Zicboz'], others: ['I'] },
  Zf: { subject: ['Zfa', 'Zfhmin'], others: ['D', 'F', 'I'] },
  V: { subject: [], others: ['D', 'F', 'I'] },
  Zc: { subject: ['Zcb', 'Zcmop'], others: ['C', 'I'] },
};

function accessSize(name: string): number {
  if (/b/.test(name)) return 1;
  if (/h/.test(name)) return 2;
  return /w/.test(name) ? 4 : 8;
}

class Generator {
  readonly #random: Random;
  readonly #group: Group;
  readonly #roles: Roles;
  readonly #free: readonly number[];
  readonly #stackPointer: boolean;
  readonly #scratchBias: number;
  readonly #extensions: ReadonlySet<Extension>;
  readonly #plain: readonly Instruction[];
  readonly #subject: readonly Instruction[];
  readonly #memory: readonly Instruction[];
  readonly #vectors: VectorCode;
  readonly #compressed: boolean;
  readonly #floating: boolean;

  constructor(group: Group, random: Random) {
    this.#random = random;
    this.#group = group;
    const { subject, others } = EXTENSIONS[group];
    const extensions = [...subject, ...others];
    this.#extensions = new Set(extensions);
    this.#compressed = extensions.includes('C');
    this.#floating = extensions.includes('F') || this.#compressed;
    this.#stackPointer = this.#compressed && random.chance(0.7);
    this.#roles = this.#assignRoles();
    const reserved = new Set([
      ...[0, ...Object.values(this.#roles)],
      ...[...(this.#stackPointer ? [2] : []), ...(group === 'V' ? [TRAPS] : [])],
    ]);
    this.#free = Array.from({ length: 32 }, (_, i) => i).filter((i) => !reserved.has(i));
    // Close to the boundary of the two scratch pages, so that small offsets cross it.
    this.#scratchBias = random.between(-48, 48) & (random.chance(0.5) ? -8 : -1);
    const usable = ({ extension, name }: Instruction) =>
      extensions.includes(extension) &&
      (this.#stackPointer || !STACK.test(name)) &&
      (this.#free.includes(2) || name !== 'c.addi16sp');
    this.#plain = PLAIN.filter(usable);
    this.#subject = PLAIN.filter((i) => subject.includes(i.extension) && usable(i));
    this.#memory = MEMORY.filter(usable);
    this.#vectors = new VectorCode(random, this.#roles, this.#free, this.#scratchBias);
  }

  generate(): Program {
    const random = this.#random;
    const routines: Routine[] = [];
    for (let i = 0; i < 5; i++) {
      const leaf = i < 3;
      const body = this.#items(random.between(2, 8), leaf ? 'leaf' : 'middle');
      routines.push({ leaf, compressedReturn: this.#compressed && random.chance(0.6), body });
    }
    return {
      group: this.#group,
      roles: this.#roles,
      stackPointer: this.#stackPointer,
      scratchBias: this.#scratchBias,
      stackBias: random.between(-512, 0) & (random.chance(0.7) ? -8 : -1),
      shifted: random.chance(0.4),
      fcsr: (random.below(5) << 5) | random.below(32),
      floating: this.#floating,
      vector: this.#group === 'V',
      routines,
      main: this.#items(220, 'main'),
      pool: Array.from({ length: POOL_BYTES / 8 }, () => this.#value()),
      scratch: Array.from({ length: SCRATCH_BYTES / 8 }, () => this.#value()),
    };
  }

  #assignRoles(): Roles {
    const random = this.#random;
    const low = random.shuffle([8, 9, 10, 11, 12, 13, 14, 15]);
    const high = random.shuffle([
      ...(this.#stackPointer ? [] : [2]),
      ...(this.#group === 'V' ? [] : [TRAPS]),
      4,
      6,
      7,
      ...range(16, 31),
    ]);
    const links = random.chance(0.5) ? [1, 5] : [high.pop() as number, random.pick([1, 5])];
    const take = () => high.pop() as number;
    return {
      scratch: low.pop() as number,
      pool: low.pop() as number,
      count: random.chance(0.5) ? (low.pop() as number) : take(),
      leafCount: take(),
      trace: random.chance(0.3) ? (low.pop() as number) : take(),
      temporary: take(),
      address: take(),
      link: links[0] as number,
      leafLink: links[1] as number,
    };
  }

  #value(): bigint {
    const random = this.#random;
    const kinds: Record<Group, ValueKind[]> = {
      I: ['integer'],
      M: ['integer'],
      A: ['integer'],
      B: ['integer'],
      F: ['single', 'single', 'integer'],
      D: ['double', 'double', 'single', 'integer'],
      C: ['integer', 'integer', 'double'],
      mixed: ['integer', 'single', 'double'],
      Zi: ['integer'],
      Zf: ['half', 'single', 'double'],
      Zc: ['integer', 'integer', 'double'],
      V: ['integer', 'halves', 'singles', 'double'],
    };
    return edgeValue(random.pick(kinds[this.#group]), random);
  }

  #items(count: number, place: 'main' | 'middle' | 'leaf' | 'body'): Item[] {
    return Array.from({ length: count }, () => {
      const roll = place === 'body' ? 1 : this.#random.u32() / 2 ** 32;
      if (roll < 0.07) return this.#skip();
      if (roll < 0.1) return this.#loop(place);
      if (roll < 0.12) return this.#swap();
      if (roll < 0.14) return this.#switch();
      if (roll < 0.19 && place !== 'leaf') return this.#call(place);
      return this.#atom();
    });
  }

  #body(): Item[] {
    return this.#items(this.#random.between(1, 5), 'body');
  }

  #skip(): Item {
    const random = this.#random;
    const body = this.#body();
    if (random.chance(0.2)) {
      const link = random.chance(0.5) ? 0 : random.pick(this.#free);
      const compressed = this.#compressed && random.chance(0.6);
      const branch = instruction(compressed ? 'c.j' : random.pick(['jal', 'jalr']));
      return { kind: 'skip', branch, operands: compressed ? {} : { rd: link }, body };
    }
    const compressed = this.#compressed && random.chance(0.5);
    const branch = random.pick(compressed ? COMPRESSED_CONDITIONS : CONDITIONS);
    const operands: Operands = {};
    for (const field of branch.fields) {
      if (field.kind === 'x') operands[field.name] = this.#source(field);
    }
    if (operands.rs2 !== undefined && random.chance(0.3)) operands.rs2 = operands.rs1 as number;
    return { kind: 'skip', branch, operands, body };
  }

  #loop(place: 'main' | 'middle' | 'leaf' | 'body'): Item {
    const random = this.#random;
    // A function between main and a leaf would need a third counter.
    if (place === 'middle') return this.#atom();
    const body = this.#items(random.between(1, 6), 'body');
    if (place === 'main' && random.chance(0.3)) body.push(this.#call(place));
    const traced = random.chance(0.6);
    const calls = body.some(({ kind }) => kind === 'call');
    const times = traced || calls || place === 'leaf' ? random.between(1, 12) : random.between(1, 150);
    const form = random.pick<LoopForm>([
      'bne',
      'blt',
      'bgeu',
      ...(this.#compressed ? ['c.bnez' as const] : []),
    ]);
    return { kind: 'loop', times, leaf: place === 'leaf', traced, form, body };
  }

  #swap(): Item {
    return { kind: 'swap', first: this.#body(), second: this.#body() };
  }

  #switch(): Item {
    const bodies = Array.from({ length: 4 }, () => this.#items(this.#random.between(0, 3), 'body'));
    return { kind: 'switch', selector: this.#random.pick(this.#free), bodies };
  }

  #call(place: 'main' | 'middle' | 'leaf' | 'body'): Item {
    const callee = this.#random.below(place === 'main' ? 5 : 3);
    return { kind: 'call', callee, indirect: this.#random.chance(0.5) };
  }

  #atom(): Item {
    const random = this.#random;
    const roll = random.u32() / 2 ** 32;
    if (this.#group === 'V' && roll < 0.8) return { kind: 'atom', code: this.#vectors.atom() };
    if (roll < 0.04) return { kind: 'atom', code: this.#walk() };
    if (roll < 0.18) return { kind: 'atom', code: this.#memoryAccess() };
    if (roll < 0.19) return { kind: 'atom', code: [this.#fence()] };
    if (roll < 0.25 && this.#floating) return { kind: 'atom', code: this.#floatingCsr() };
    if (this.#extensions.has('Zicboz') && roll < 0.3) return { kind: 'atom', code: this.#cacheBlock() };
    if (this.#extensions.has('A') && roll < (this.#group === 'A' ? 0.8 : 0.35)) {
      return { kind: 'atom', code: random.chance(0.75) ? this.#amo() : this.#reservation() };
    }
    return { kind: 'atom', code: this.#computation() };
  }

  /** Returns an instruction that only computes, with some of its operands fresh from the pool. */
  #computation(): Code[] {
    const random = this.#random;
    const subject = this.#subject.length > 0 && random.chance(0.7);
    const chosen = random.pick(subject ? this.#subject : this.#plain);
    const operands = this.#operands(chosen);
    const code: Code[] = [];
    for (const field of chosen.fields) {
      const register = operands[field.name] as number;
      const accumulates = field.name === 'rd' && /^c\./.test(chosen.name);
      if (field.name === 'rd' && !accumulates) continue;
      if (field.kind === 'x' && this.#free.includes(register) && random.chance(0.4)) {
        code.push(this.#fromPool('ld', register));
      } else if (field.kind === 'f' && random.chance(0.65)) {
        code.push(
          this.#fromPool(/\.s|\.w/.test(chosen.name) && random.chance(0.7) ? 'flw' : 'fld', register),
        );
      }
    }
    if (chosen.name === 'ctzw') {
      // QEMU before 8.0 counts into the upper word if the lower is zero. privileged/basic.c tests that case.
      const imm = random.below(32);
      const rs1 = random.pick(this.#free);
      code.push({ instruction: instruction('bseti'), operands: { rd: rs1, rs1, imm } });
      operands.rs1 = rs1;
    }
    code.push({ instruction: chosen, operands });
    if (chosen.name.startsWith('fround')) {
      // QEMU 10.0 leaves these out, with the flags that they raise, if an instruction overwrites the result.
      const store = { rs1: this.#roles.scratch, rs2: operands.rd as number, imm: 0 };
      code.push({ instruction: instruction('fsd'), operands: store });
    }
    return code;
  }

  #fromPool(load: string, register: number): Code {
    const imm = 8 * this.#random.below(256);
    return { instruction: instruction(load), operands: { rd: register, rs1: this.#roles.pool, imm } };
  }

  #operands(chosen: Instruction): Operands {
    const random = this.#random;
    for (;;) {
      const operands: Operands = {};
      for (const field of chosen.fields) operands[field.name] = this.#operand(field);
      if (operands.rs2 !== undefined && random.chance(0.1)) {
        const [rs1, rs2] = ['rs1', 'rs2'].map((name) => chosen.fields.find((field) => field.name === name));
        if (rs1?.kind === rs2?.kind && rs1?.short === rs2?.short) operands.rs2 = operands.rs1 as number;
      }
      if (!chosen.excluded(operands)) return operands;
    }
  }

  #operand(field: Field): number {
    const random = this.#random;
    const { low, high, step } = fieldRange(field);
    if (field.name === 'rm') return random.chance(0.4) ? 7 : random.below(5);
    if (field.kind === 'f') return random.between(low, high);
    if (field.kind === 'x') return field.name === 'rd' ? this.#destination(field) : this.#source(field);
    switch (random.below(4)) {
      case 0:
        return random.pick([low, high, Math.max(0, low)]);
      case 1:
        return Math.max(low, Math.min(high, step * random.between(-2, 2)));
      default:
        return low + step * random.below((high - low) / step + 1);
    }
  }

  #source(field: Field): number {
    const { low, high } = fieldRange(field);
    if (this.#random.chance(0.12)) return this.#random.between(low, high);
    return this.#random.pick(this.#free.filter((register) => register >= low && register <= high));
  }

  #destination(field: Field): number {
    const { low, high } = fieldRange(field);
    if (low === 0 && this.#random.chance(0.03)) return 0;
    return this.#random.pick(this.#free.filter((register) => register >= low && register <= high));
  }

  #memoryAccess(): Code[] {
    const random = this.#random;
    const chosen = random.pick(this.#memory);
    const operands = this.#operands(chosen);
    const store = STORE.test(chosen.name);
    const offset = chosen.fields.find(({ name }) => name === 'imm') as Field;
    const { low, high, step } = fieldRange(offset);
    const near = Math.max(low, -64);
    if (random.chance(0.7)) {
      operands.imm = near + step * random.below((Math.min(high, 64) - near) / step + 1);
    }
    // Half of the accesses are naturally aligned.
    const size = accessSize(chosen.name);
    if (step === 1 && random.chance(0.5)) {
      operands.imm = Math.max(low, ((operands.imm as number) & -size) - (this.#scratchBias & (size - 1)));
    }
    const code: Code[] = [];
    if (operands.rs1 !== undefined) {
      const base = store || random.chance(0.7) ? this.#roles.scratch : this.#roles.pool;
      // The pool borders on the neighbour of the scratch area, so loads use only its first half.
      operands.rs1 = base;
      if (base === this.#roles.pool) operands.imm = Math.abs(operands.imm as number) & -step;
      if ((operands.imm as number) > high) operands.imm = high;
      if (!chosen.name.startsWith('c.') && random.chance(0.3)) {
        const pointer = random.pick(this.#free);
        const rest = random.between(-32, 32);
        const part = Math.max(-2048, Math.min(2047, (operands.imm as number) - rest));
        code.push({ instruction: instruction('addi'), operands: { rd: pointer, rs1: base, imm: part } });
        operands.rs1 = pointer;
        operands.imm = (operands.imm as number) - part;
      }
    }
    code.push({ instruction: chosen, operands });
    return code;
  }

  /** Returns accesses through a pointer that steps by constants between them. */
  #walk(): Code[] {
    const random = this.#random;
    const pointer = random.pick(this.#free);
    const step = instruction('addi');
    const start = random.between(-64, 64);
    const code: Code[] = [
      { instruction: step, operands: { rd: pointer, rs1: this.#roles.scratch, imm: start } },
    ];
    for (let n = random.between(2, 6); n > 0; n--) {
      const chosen = random.pick(this.#memory.filter(({ name }) => !name.startsWith('c.')));
      const operands = this.#operands(chosen);
      const size = accessSize(chosen.name);
      const imm = random.between(-32, 32) & (random.chance(0.7) ? -size : -1);
      if (STORE.test(chosen.name) || /^f/.test(chosen.name) || operands.rd !== pointer) {
        code.push({ instruction: chosen, operands: { ...operands, rs1: pointer, imm } });
      }
      const distance = random.pick([size, -size, 8, random.between(-40, 40)]);
      code.push({ instruction: step, operands: { rd: pointer, rs1: pointer, imm: distance } });
    }
    return code;
  }

  #fence(): Code {
    const chosen = instruction(this.#random.chance(0.7) ? 'fence' : 'fence.i');
    return { instruction: chosen, operands: this.#operands(chosen) };
  }

  /** Returns `addi register, scratch, imm` whose result is aligned to `size`. */
  #alignedPointer(register: number, size: number): Code {
    const imm = size * this.#random.between(-8, 8) - (this.#scratchBias & (size - 1));
    return { instruction: instruction('addi'), operands: { rd: register, rs1: this.#roles.scratch, imm } };
  }

  #cacheBlock(): Code[] {
    const random = this.#random;
    const pointer = random.pick(this.#free);
    const move = { rd: pointer, rs1: this.#roles.scratch, imm: random.between(-1000, 1000) };
    return [
      { instruction: instruction('addi'), operands: move },
      { instruction: random.pick(CACHE_BLOCKS), operands: { rs1: pointer } },
    ];
  }

  #amo(): Code[] {
    const random = this.#random;
    const chosen = random.pick(AMOS);
    const pointer = random.chance(0.5) ? this.#roles.address : random.pick(this.#free);
    const operands = { ...this.#operands(chosen), rs1: pointer };
    const code = [this.#alignedPointer(pointer, chosen.name.endsWith('d') ? 8 : 4)];
    const value = operands.rs2 as number;
    if (value !== pointer && this.#free.includes(value) && random.chance(0.4)) {
      code.push(this.#fromPool('ld', value));
    }
    code.push({ instruction: chosen, operands });
    return code;
  }

  /**
   * Returns LR and SC whose outcome the specification defines: a pair with only computation in between
   * succeeds; an SC without a reservation, or at another address, fails.
   */
  #reservation(): Code[] {
    const random = this.#random;
    const width = random.pick(['w', 'd']);
    const size = width === 'd' ? 8 : 4;
    const pointer = this.#roles.address;
    const lr = instruction(`lr.${width}`);
    const sc = instruction(`sc.${width}`);
    const code: Code[] = [this.#alignedPointer(pointer, size)];
    const conditional = () => ({ instruction: sc, operands: { ...this.#operands(sc), rs1: pointer } });
    code.push({ instruction: lr, operands: { ...this.#operands(lr), rs1: pointer } });
    for (let i = random.below(4); i > 0; i--) {
      const add = instruction(random.pick(['add', 'xor', 'sltu', 'addiw']));
      code.push({ instruction: add, operands: this.#operands(add) });
    }
    const elsewhere = random.chance(0.2);
    if (elsewhere) {
      const imm = 64 * random.pick([-1, 1]);
      code.push({ instruction: instruction('addi'), operands: { rd: pointer, rs1: pointer, imm } });
    }
    code.push(conditional());
    if (elsewhere || random.chance(0.3)) code.push(conditional());
    return code;
  }

  /** Returns accesses to fflags, frm and fcsr that leave a valid rounding mode in frm. */
  #floatingCsr(): Code[] {
    const random = this.#random;
    const rd = random.chance(0.3) ? 0 : random.pick(this.#free);
    const temporary = this.#roles.temporary;
    const access = (name: string, csr: number, source: Operands): Code => ({
      instruction: instruction(name),
      operands: { rd, csr, ...source },
    });
    switch (random.below(6)) {
      case 0:
        return [access(random.pick(['csrrwi', 'csrrsi', 'csrrci']), 1, { zimm: random.below(32) })];
      case 1:
        return [access(random.pick(['csrrw', 'csrrs', 'csrrc']), 1, { rs1: random.pick(this.#free) })];
      case 2:
        return [access('csrrwi', 2, { zimm: random.below(5) })];
      case 3: {
        const value = (random.below(5) << 5) | random.below(32);
        const load = { rd: temporary, rs1: 0, imm: value - 2048 * random.below(2) };
        return [{ instruction: instruction('addi'), operands: load }, access('csrrw', 3, { rs1: temporary })];
      }
      case 4:
        return [access('csrrs', random.pick([1, 2, 3]), { rs1: 0 })];
      default:
        return [
          {
            instruction: instruction('addi'),
            operands: { rd: temporary, rs1: 0, imm: random.below(5) - 8 * random.below(9) },
          },
          access('csrrw', 2, { rs1: temporary }),
        ];
    }
  }
}

function range(low: number, high: number): number[] {
  return Array.from({ length: high - low + 1 }, (_, i) => low + i);
}

/** Returns the program of a seed, group and index. */
export function generate(seed: number, group: Group, index: number): Program {
  return new Generator(group, new Random(seed, GROUPS.indexOf(group), index)).generate();
}
