/**
 * Lays programs out as code that leaves a trace. Each checkpoint appends to the trace its number, every
 * register written since the last checkpoint, and fcsr. Two runs of the same code agree if their traces and
 * scratch areas agree. The first difference shows where they diverged.
 */
import type { Assembler, Label } from './assembler.ts';
import { type Item, type Program, type Routine, SCRATCH_BYTES } from './program.ts';
import { type Code, TRAPS } from './roles.ts';

/** The name of a value in the trace: `x5`, `f3`, `fcsr`. The checkpoint's number precedes the values. */
export interface Checkpoint {
  readonly slots: readonly string[];
  /** The instructions since the previous checkpoint, in address order, from here up to `to`. */
  readonly from: number;
  readonly to: number;
}

/** The addresses of a program's data. */
export interface Areas {
  readonly pool: Label;
  readonly scratch: Label;
  readonly trace: Label;
  /** The number of rounds that have ended (u64), and the hash of their traces: u64, or vectors. */
  readonly rounds: Label;
}

/** The registers of the largest group, as a hash of traces that have vector registers. */
const GROUP_BYTES = 128;
const GROUP_TYPE = (3 << 3) | 3;
const HASH = 8;
export const ROUNDS_BYTES = HASH + GROUP_BYTES;
/** The part of the pool by which it moves, in bytes, so that each round loads other values. */
const POOL_MOVES = 1024;

/** Everything about a laid-out program except its code. */
export interface Layout {
  readonly checkpoints: readonly Checkpoint[];
  /** The number of the checkpoint after the code that sets all registers, which no round repeats. */
  readonly first: number;
  /** The maximum size of the trace, in bytes. */
  readonly traceBytes: number;
}

interface CompiledRoutine {
  readonly label: Label;
  readonly source: Routine;
  traceBytes: number;
}

/** vstart comes first, because it has to be 0 while registers are stored. */
const VECTOR_CSRS = [
  ['vstart', 0x008],
  ['vl', 0xc20],
  ['vtype', 0xc21],
  ['vcsr', 0x00f],
] as const;

/** A compressed conditional branch reaches 256 bytes. An atom takes at most this many. */
const ATOM_BYTES = 56;

class Renderer {
  readonly #assembler: Assembler;
  readonly #program: Program;
  readonly #interval: number;
  readonly #rounds: number;
  readonly #routines: CompiledRoutine[];
  readonly #checkpoints: Checkpoint[] = [];
  readonly #written = new Set<string>();
  #atoms = 0;
  #from = 0;

  constructor(assembler: Assembler, program: Program, interval: number, rounds: number) {
    this.#assembler = assembler;
    this.#program = program;
    this.#interval = interval;
    this.#rounds = rounds;
    this.#routines = program.routines.map((source) => ({ label: {}, source, traceBytes: 0 }));
  }

  render(areas: Areas): Layout {
    const assembler = this.#assembler;
    const start: Label = {};
    if ((assembler.pc % 4 !== 0) !== this.#program.shifted) assembler.emit('c.addi', { rd: 0, imm: 0 });
    assembler.jump('jal', { rd: 0 }, start);
    for (const compiled of this.#routines) {
      assembler.place(compiled.label);
      this.#from = assembler.pc;
      compiled.traceBytes = this.#items(compiled.source.body) + this.#checkpoint();
      this.#return(compiled.source);
    }
    assembler.place(start);
    this.#prologue(areas);
    const first = this.#checkpoints.length;
    const firstBytes = this.#checkpoint();
    const round = assembler.place({});
    const traceBytes = firstBytes + this.#items(this.#program.main) + this.#checkpoint();
    if (this.#rounds > 1) this.#endRound(areas, round);
    // Traces of vectors are read in whole groups.
    return { checkpoints: this.#checkpoints, first, traceBytes: traceBytes + GROUP_BYTES };
  }

  /** Adds the trace to the hash of all rounds, and begins the next round, which overwrites the trace. */
  #endRound(areas: Areas, round: Label): void {
    const { pool, trace, rounds } = areas;
    const assembler = this.#assembler;
    const { roles, vector } = this.#program;
    const { address, temporary, count } = roles;
    if (vector) this.#hashVectors(areas);
    else this.#hashWords(areas);
    assembler.relative('addi', { rd: address }, address, rounds);
    assembler.emit('ld', { rd: count, rs1: address, imm: 0 });
    assembler.emit('addi', { rd: count, rs1: count, imm: 1 });
    assembler.emit('sd', { rs1: address, rs2: count, imm: 0 });
    const end: Label = {};
    assembler.constant(temporary, this.#rounds);
    assembler.emit('sub', { rd: temporary, rs1: temporary, rs2: count });
    assembler.jump('beq', { rs1: temporary, rs2: 0 }, end);
    assembler.relative('addi', { rd: roles.pool }, roles.pool, pool);
    assembler.emit('slli', { rd: count, rs1: count, imm: 3 });
    assembler.emit('andi', { rd: count, rs1: count, imm: POOL_MOVES - 8 });
    assembler.emit('add', { rd: roles.pool, rs1: roles.pool, rs2: count });
    assembler.relative('addi', { rd: roles.trace }, roles.trace, trace);
    assembler.jump('jal', { rd: 0 }, round);
    assembler.place(end);
  }

  /** Each word: hash = (hash + (hash << 5)) ^ word. */
  #hashWords({ trace, rounds }: Areas): void {
    const assembler = this.#assembler;
    const { address, temporary, link: hash, leafLink: shifted, trace: end } = this.#program.roles;
    assembler.relative('addi', { rd: address }, address, rounds);
    assembler.emit('ld', { rd: hash, rs1: address, imm: HASH });
    assembler.relative('addi', { rd: address }, address, trace);
    const top = assembler.place({});
    assembler.emit('ld', { rd: temporary, rs1: address, imm: 0 });
    assembler.emit('addi', { rd: address, rs1: address, imm: 8 });
    assembler.emit('slli', { rd: shifted, rs1: hash, imm: 5 });
    assembler.emit('add', { rd: hash, rs1: hash, rs2: shifted });
    assembler.emit('xor', { rd: hash, rs1: hash, rs2: temporary });
    assembler.jump('bltu', { rs1: address, rs2: end }, top);
    assembler.relative('addi', { rd: address }, address, rounds);
    assembler.emit('sd', { rs1: address, rs2: hash, imm: HASH });
  }

  /** The same with vectors, because these traces are long. They overwrite registers. */
  #hashVectors({ trace, rounds }: Areas): void {
    const assembler = this.#assembler;
    const { address, temporary, trace: end } = this.#program.roles;
    const [hash, group, shifted] = [8, 16, 24];
    assembler.emit('csrrwi', { rd: 0, csr: VECTOR_CSRS[0][1], zimm: 0 });
    assembler.emit('vsetvli', { rd: temporary, rs1: 0, vtype: GROUP_TYPE });
    assembler.relative('addi', { rd: address }, address, rounds, HASH);
    assembler.emit('vl8re8.v', { vd: hash, rs1: address });
    assembler.relative('addi', { rd: address }, address, trace);
    const top = assembler.place({});
    assembler.emit('vl8re8.v', { vd: group, rs1: address });
    assembler.emit('addi', { rd: address, rs1: address, imm: GROUP_BYTES });
    assembler.emit('vsll.i', { vd: shifted, vs2: hash, imm: 5, vm: 1 });
    assembler.emit('vadd.v', { vd: hash, vs2: hash, vs1: shifted, vm: 1 });
    assembler.emit('vxor.v', { vd: hash, vs2: hash, vs1: group, vm: 1 });
    assembler.jump('bltu', { rs1: address, rs2: end }, top);
    assembler.relative('addi', { rd: address }, address, rounds, HASH);
    assembler.emit('vs8r.v', { vs3: hash, rs1: address });
  }

  /** Sets every register: roles to their addresses, all others to a value of the pool. */
  #prologue({ pool, scratch, trace }: Areas): void {
    const assembler = this.#assembler;
    const { roles, scratchBias, stackBias, stackPointer, fcsr, floating } = this.#program;
    const middle = SCRATCH_BYTES / 2;
    this.#from = assembler.pc;
    const pointer = (rd: number, area: Label, offset = 0) =>
      assembler.relative('addi', { rd }, rd, area, offset);
    pointer(roles.pool, pool);
    for (let register = 1; register < 32; register++) {
      if (register === roles.pool) continue;
      assembler.emit('ld', { rd: register, rs1: roles.pool, imm: 8 * register });
      this.#written.add(`x${register}`);
    }
    for (let register = 0; floating && register < 32; register++) {
      assembler.emit('fld', { rd: register, rs1: roles.pool, imm: 256 + 8 * register });
      this.#written.add(`f${register}`);
    }
    pointer(roles.trace, trace);
    pointer(roles.scratch, scratch, middle + scratchBias);
    if (stackPointer) pointer(2, scratch, middle + stackBias);
    for (let register = 0; this.#program.vector && register < 32; register += 8) {
      assembler.emit('addi', { rd: roles.temporary, rs1: roles.pool, imm: 16 * register });
      assembler.emit('vl8re8.v', { vd: register, rs1: roles.temporary });
    }
    assembler.constant(roles.temporary, fcsr);
    assembler.emit('csrrw', { rd: 0, csr: 3, rs1: roles.temporary });
  }

  /** Lays out consecutive items. Returns the maximum number of trace bytes that they leave. */
  #items(items: readonly Item[], traced = true): number {
    let bytes = 0;
    for (const item of items) bytes += this.#item(item, traced);
    return bytes;
  }

  #item(item: Item, traced: boolean): number {
    switch (item.kind) {
      case 'atom':
        for (const code of item.code) this.#emit(code);
        this.#atoms++;
        return traced && this.#atoms >= this.#interval ? this.#checkpoint() : 0;
      case 'skip':
        return this.#skip(item, traced);
      case 'swap':
        return this.#swap(item, traced);
      case 'loop':
        return this.#loop(item, traced);
      case 'switch':
        return this.#switch(item, traced);
      case 'call':
        return this.#call(item);
    }
  }

  #emit({ instruction, operands }: Code): void {
    this.#assembler.emit(instruction, operands);
    const rd = instruction.fields.find(({ name }) => name === 'rd');
    if (rd) this.#write(rd.kind, operands.rd as number);
    if (instruction.name === 'c.addi16sp') this.#write('x', 2);
  }

  #write(kind: string, register: number): void {
    if (kind === 'f' || register !== 0) this.#written.add(`${kind}${register}`);
  }

  #skip(item: Item & { kind: 'skip' }, traced: boolean): number {
    const assembler = this.#assembler;
    const { branch, operands, body } = item;
    const end: Label = {};
    const short = this.#bound(body, traced) < 240;
    if (branch.name === 'jalr') {
      assembler.relative('jalr', operands, this.#program.roles.address, end);
    } else if (/^c\.b/.test(branch.name) && !short) {
      assembler.jump(branch.name === 'c.beqz' ? 'beq' : 'bne', { ...operands, rs2: 0 }, end);
    } else {
      assembler.jump(branch, operands, end);
    }
    if (operands.rd !== undefined) this.#write('x', operands.rd);
    const bytes = this.#items(body, traced);
    assembler.place(end);
    return bytes;
  }

  #swap({ first, second }: Item & { kind: 'swap' }, traced: boolean): number {
    const assembler = this.#assembler;
    const [forward, back, end]: Label[] = [{}, {}, {}];
    assembler.jump('jal', { rd: 0 }, forward as Label);
    assembler.place(back as Label);
    const bytes = this.#items(first, traced);
    assembler.jump('jal', { rd: 0 }, end as Label);
    assembler.place(forward as Label);
    const total = bytes + this.#items(second, traced);
    assembler.jump('jal', { rd: 0 }, back as Label);
    assembler.place(end as Label);
    return total;
  }

  #loop({ times, leaf, traced, form, body }: Item & { kind: 'loop' }, outer: boolean): number {
    const assembler = this.#assembler;
    const { roles } = this.#program;
    const count = leaf ? roles.leafCount : roles.count;
    const inner = outer && traced && times * body.length >= this.#interval;
    const before = inner ? this.#checkpoint() : 0;
    assembler.emit('addi', { rd: count, rs1: 0, imm: times });
    const top = assembler.place({});
    const bytes = this.#items(body, inner) + (inner ? this.#checkpoint() : 0);
    assembler.emit('addi', { rd: count, rs1: count, imm: -1 });
    if (form === 'c.bnez' && count >= 8 && count < 16 && this.#bound(body, inner) < 200) {
      assembler.jump('c.bnez', { rs1: count }, top);
    } else if (form === 'blt') {
      assembler.jump('blt', { rs1: 0, rs2: count }, top);
    } else if (form === 'bgeu') {
      // Unsigned: continues while count - 1 >= 1 - 1 + 1, with the 1 in the working register.
      assembler.emit('addi', { rd: roles.temporary, rs1: 0, imm: 1 });
      assembler.jump('bgeu', { rs1: count, rs2: roles.temporary }, top);
    } else {
      assembler.jump('bne', { rs1: count, rs2: 0 }, top);
    }
    return before + times * bytes + (outer && !inner ? this.#checkpoint() : 0);
  }

  #switch({ selector, bodies }: Item & { kind: 'switch' }, traced: boolean): number {
    const assembler = this.#assembler;
    const { temporary, address } = this.#program.roles;
    const table: Label = {};
    const end: Label = {};
    assembler.emit('andi', { rd: temporary, rs1: selector, imm: 3 });
    assembler.emit('slli', { rd: temporary, rs1: temporary, imm: 2 });
    assembler.relative('addi', { rd: address }, address, table);
    assembler.emit('add', { rd: address, rs1: address, rs2: temporary });
    assembler.emit('jalr', { rd: 0, rs1: address, imm: 0 });
    assembler.place(table);
    const cases: Label[] = bodies.map(() => ({}));
    for (const label of cases) assembler.jump('jal', { rd: 0 }, label);
    let most = 0;
    for (const [i, body] of bodies.entries()) {
      assembler.place(cases[i] as Label);
      most = Math.max(most, this.#items(body, traced));
      assembler.jump('jal', { rd: 0 }, end);
    }
    assembler.place(end);
    return most;
  }

  #call({ callee, indirect }: Item & { kind: 'call' }): number {
    const assembler = this.#assembler;
    const { roles } = this.#program;
    const { label, source, traceBytes } = this.#routines[callee] as CompiledRoutine;
    const link = source.leaf ? roles.leafLink : roles.link;
    if (indirect && link === 1 && source.compressedReturn) {
      assembler.relative('addi', { rd: roles.address }, roles.address, label);
      assembler.emit('c.jalr', { rs1: roles.address });
    } else if (indirect) {
      assembler.relative('jalr', { rd: link }, roles.address, label);
    } else {
      assembler.jump('jal', { rd: link }, label);
    }
    return traceBytes;
  }

  #return({ leaf, compressedReturn }: Routine): void {
    const link = leaf ? this.#program.roles.leafLink : this.#program.roles.link;
    if (compressedReturn) this.#assembler.emit('c.jr', { rs1: link });
    else this.#assembler.emit('jalr', { rd: 0, rs1: link, imm: 0 });
  }

  /** Appends the registers written since the last checkpoint to the trace. Returns the number of bytes. */
  #checkpoint(): number {
    const assembler = this.#assembler;
    const { trace, temporary } = this.#program.roles;
    if (this.#program.vector) this.#written.add(`x${TRAPS}`);
    const slots = [...this.#written].filter((name) => name !== `x${trace}` && name !== `x${temporary}`);
    const to = assembler.pc;
    assembler.constant(temporary, this.#checkpoints.length);
    assembler.emit('sd', { rs1: trace, rs2: temporary, imm: 0 });
    for (const [i, name] of slots.entries()) {
      const imm = 8 * (i + 1);
      assembler.emit(name[0] === 'f' ? 'fsd' : 'sd', { rs1: trace, rs2: Number(name.slice(1)), imm });
    }
    if (this.#program.floating) {
      slots.push('fcsr');
      assembler.emit('csrrs', { rd: temporary, csr: 3, rs1: 0 });
      assembler.emit('sd', { rs1: trace, rs2: temporary, imm: 8 * slots.length });
    }
    if (this.#program.vector) this.#traceVectors(slots);
    const bytes = 8 * (slots.length + 1);
    assembler.emit('addi', { rd: trace, rs1: trace, imm: bytes });
    this.#checkpoints.push({ slots, from: this.#from, to });
    this.#written.clear();
    this.#atoms = 0;
    this.#from = assembler.pc;
    return bytes;
  }

  /** Appends the vector unit's CSRs and registers to the trace. */
  #traceVectors(slots: string[]): void {
    const assembler = this.#assembler;
    const { trace, temporary, address } = this.#program.roles;
    const start = 8 * (slots.length + 1);
    for (const [name, csr] of VECTOR_CSRS) {
      slots.push(name);
      assembler.emit('csrrs', { rd: temporary, csr, rs1: 0 });
      assembler.emit('sd', { rs1: trace, rs2: temporary, imm: 8 * slots.length });
    }
    const [[, vstart]] = VECTOR_CSRS;
    assembler.emit('csrrwi', { rd: 0, csr: vstart, zimm: 0 });
    for (let register = 0; register < 32; register += 8) {
      assembler.emit('addi', { rd: address, rs1: trace, imm: 8 * (slots.length + 1) });
      assembler.emit('vs8r.v', { vs3: register, rs1: address });
      for (let half = 0; half < 16; half++) slots.push(`v${register + (half >> 1)}[${half & 1}]`);
    }
    assembler.emit('ld', { rd: temporary, rs1: trace, imm: start });
    assembler.emit('csrrw', { rd: 0, csr: vstart, rs1: temporary });
  }

  /** Returns an upper bound of the code bytes of a body. */
  #bound(body: readonly Item[], traced: boolean): number {
    if (body.some(({ kind }) => kind !== 'atom')) return Number.POSITIVE_INFINITY;
    const checkpoints = traced ? body.length / this.#interval + 1 : 0;
    return body.length * ATOM_BYTES + checkpoints * (28 + 4 * (this.#written.size + 4 * body.length));
  }
}

/**
 * Assembles a program at the assembler's current address. `interval` is the number of atoms between
 * checkpoints. The program's main part runs `rounds` times. Execution falls through the end of the code.
 */
export function render(
  assembler: Assembler,
  program: Program,
  interval: number,
  areas: Areas,
  rounds: number,
): Layout {
  return new Renderer(assembler, program, interval, rounds).render(areas);
}
