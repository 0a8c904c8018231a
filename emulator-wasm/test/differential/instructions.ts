/**
 * The instructions of RVA23U64, from the tables of the unprivileged specification. They are written
 * independently of the core's decoder, so that neither repeats the other's mistakes. instructions.test.ts
 * checks them against the GNU disassembler, as far as that knows them.
 */

import { defineVector } from './vector-instructions.ts';

export type Extension =
  | 'I'
  | 'M'
  | 'A'
  | 'F'
  | 'D'
  | 'C'
  | 'B'
  | 'Zicond'
  | 'Zimop'
  | 'Zawrs'
  | 'Zicbom'
  | 'Zicboz'
  | 'Zfhmin'
  | 'Zfa'
  | 'Zcb'
  | 'Zcmop'
  | 'V'
  | 'Zvbb'
  | 'Zicsr'
  | 'Zifencei'
  | 'privileged';

export type FieldName =
  | ('rd' | 'rs1' | 'rs2' | 'rs3' | 'rm' | 'imm' | 'csr' | 'zimm' | 'aqrl' | 'ignored')
  | ('vd' | 'vs1' | 'vs2' | 'vs3' | 'vm' | 'vtype');

/** `x`, `f` and `v` are register files; all others are plain numbers. */
export type FieldKind = 'x' | 'f' | 'v' | 'number';

export interface Field {
  readonly name: FieldName;
  readonly kind: FieldKind;
  /** A three-bit register field, which encodes registers 8 to 15. */
  readonly short: boolean;
  readonly signed: boolean;
  /** [lowest bit of the value, lowest bit in the word, number of bits]. */
  readonly pieces: readonly (readonly [number, number, number])[];
}

export interface Instruction {
  readonly name: string;
  readonly extension: Extension;
  readonly size: 2 | 4;
  readonly match: number;
  readonly mask: number;
  readonly fields: readonly Field[];
  /** Words that match but are reserved or mean another instruction. */
  readonly excluded: (operands: Operands) => boolean;
}

export type Operands = Partial<Record<FieldName, number>>;

const x = (name: FieldName, bit: number): Field => ({ ...plain(name, [0, bit, 5]), kind: 'x' });
const f = (name: FieldName, bit: number): Field => ({ ...plain(name, [0, bit, 5]), kind: 'f' });
const v = (name: FieldName, bit: number): Field => ({ ...plain(name, [0, bit, 5]), kind: 'v' });
const shortX = (name: FieldName, bit: number): Field => ({
  ...plain(name, [0, bit, 3]),
  kind: 'x',
  short: true,
});
const shortF = (name: FieldName, bit: number): Field => ({
  ...plain(name, [0, bit, 3]),
  kind: 'f',
  short: true,
});

function plain(name: FieldName, ...pieces: Field['pieces']): Field {
  return { name, kind: 'number', short: false, signed: false, pieces };
}

/**
 * An immediate in the specification's notation: `5:4|9:6|2|3` lists the value's bits from the most
 * significant bit of each place down. Each place is paired with its lowest bit in the word.
 */
function immediate(signed: boolean, ...places: (readonly [string, number])[]): Field {
  const pieces: [number, number, number][] = [];
  for (const [notation, lowest] of places) {
    let bit = lowest;
    for (const range of notation.split('|').reverse()) {
      const [high, low] = range.split(':').map(Number) as [number, number | undefined];
      const length = high - (low ?? high) + 1;
      pieces.push([low ?? high, bit, length]);
      bit += length;
    }
  }
  return { ...plain('imm', ...pieces), signed };
}

const RD = x('rd', 7);
const RS1 = x('rs1', 15);
const RS2 = x('rs2', 20);
const FD = f('rd', 7);
const FS1 = f('rs1', 15);
const FS2 = f('rs2', 20);
const FS3 = f('rs3', 27);
const RM = plain('rm', [0, 12, 3]);
const AQRL = plain('aqrl', [0, 25, 2]);
const CSR = plain('csr', [0, 20, 12]);
const ZIMM = plain('zimm', [0, 15, 5]);
const SHAMT6 = plain('imm', [0, 20, 6]);
const SHAMT5 = plain('imm', [0, 20, 5]);
const I_IMM = immediate(true, ['11:0', 20]);
const S_IMM = immediate(true, ['11:5', 25], ['4:0', 7]);
const B_IMM = immediate(true, ['12|10:5', 25], ['4:1|11', 7]);
const U_IMM = immediate(true, ['31:12', 12]);
const J_IMM = immediate(true, ['20|10:1|11|19:12', 12]);

const instructions: Instruction[] = [];

function fixedBits(size: 2 | 4, fields: readonly Field[]): number {
  let free = 0;
  for (const { pieces } of fields) {
    for (const [, bit, length] of pieces) free |= (2 ** length - 1) << bit;
  }
  return ~free & (size === 2 ? 0xffff : -1);
}

function define(
  extension: Extension,
  name: string,
  match: number,
  fields: readonly Field[],
  excluded: (operands: Operands) => boolean = () => false,
): void {
  const size = (match & 3) === 3 ? 4 : 2;
  instructions.push({
    name,
    extension,
    size,
    match: match | 0,
    mask: fixedBits(size, fields),
    fields,
    excluded,
  });
}

const word = (opcode: number, funct3: number, high = 0) => opcode | (funct3 << 12) | (high << 20);
/** funct7 in its place above rs2, in units of `word`'s `high`. */
const funct7 = (value: number, rs2 = 0) => (value << 5) | rs2;

// ---- RV32I, RV64I -------------------------------------------------------------------------
define('I', 'lui', word(0x37, 0), [RD, U_IMM]);
define('I', 'auipc', word(0x17, 0), [RD, U_IMM]);
define('I', 'jal', word(0x6f, 0), [RD, J_IMM]);
define('I', 'jalr', word(0x67, 0), [RD, RS1, I_IMM]);
for (const [name, funct3] of [
  ['beq', 0],
  ['bne', 1],
  ['blt', 4],
  ['bge', 5],
  ['bltu', 6],
  ['bgeu', 7],
] as const) {
  define('I', name, word(0x63, funct3), [RS1, RS2, B_IMM]);
}
for (const [funct3, name] of ['lb', 'lh', 'lw', 'ld', 'lbu', 'lhu', 'lwu'].entries()) {
  define('I', name, word(0x03, funct3), [RD, RS1, I_IMM]);
}
for (const [funct3, name] of ['sb', 'sh', 'sw', 'sd'].entries()) {
  define('I', name, word(0x23, funct3), [RS1, RS2, S_IMM]);
}
for (const [name, funct3] of [
  ['addi', 0],
  ['slti', 2],
  ['sltiu', 3],
  ['xori', 4],
  ['ori', 6],
  ['andi', 7],
] as const) {
  define('I', name, word(0x13, funct3), [RD, RS1, I_IMM]);
}
define('I', 'slli', word(0x13, 1), [RD, RS1, SHAMT6]);
define('I', 'srli', word(0x13, 5), [RD, RS1, SHAMT6]);
define('I', 'srai', word(0x13, 5, funct7(0x20)), [RD, RS1, SHAMT6]);
define('I', 'addiw', word(0x1b, 0), [RD, RS1, I_IMM]);
define('I', 'slliw', word(0x1b, 1), [RD, RS1, SHAMT5]);
define('I', 'srliw', word(0x1b, 5), [RD, RS1, SHAMT5]);
define('I', 'sraiw', word(0x1b, 5, funct7(0x20)), [RD, RS1, SHAMT5]);

function registers(
  extension: Extension,
  table: readonly (readonly [name: string, opcode: number, funct3: number, funct7: number])[],
): void {
  for (const [name, opcode, funct3, high] of table) {
    define(extension, name, word(opcode, funct3, funct7(high)), [RD, RS1, RS2]);
  }
}
registers('I', [
  ['add', 0x33, 0, 0],
  ['sub', 0x33, 0, 0x20],
  ['sll', 0x33, 1, 0],
  ['slt', 0x33, 2, 0],
  ['sltu', 0x33, 3, 0],
  ['xor', 0x33, 4, 0],
  ['srl', 0x33, 5, 0],
  ['sra', 0x33, 5, 0x20],
  ['or', 0x33, 6, 0],
  ['and', 0x33, 7, 0],
  ['addw', 0x3b, 0, 0],
  ['subw', 0x3b, 0, 0x20],
  ['sllw', 0x3b, 1, 0],
  ['srlw', 0x3b, 5, 0],
  ['sraw', 0x3b, 5, 0x20],
]);
// Reserved fields of the fences are ignored (section 2.7 and the Zifencei chapter).
define('I', 'fence', word(0x0f, 0), [plain('ignored', [0, 7, 5], [5, 15, 17])]);
define('Zifencei', 'fence.i', word(0x0f, 1), [plain('ignored', [0, 7, 5], [5, 15, 17])]);
define('I', 'ecall', word(0x73, 0), []);
define('I', 'ebreak', word(0x73, 0, 1), []);

// ---- M ------------------------------------------------------------------------------------
registers('M', [
  ...['mul', 'mulh', 'mulhsu', 'mulhu', 'div', 'divu', 'rem', 'remu'].map(
    (name, funct3) => [name, 0x33, funct3, 1] as const,
  ),
  ['mulw', 0x3b, 0, 1],
  ['divw', 0x3b, 4, 1],
  ['divuw', 0x3b, 5, 1],
  ['remw', 0x3b, 6, 1],
  ['remuw', 0x3b, 7, 1],
]);

// ---- A ------------------------------------------------------------------------------------
for (const [funct3, suffix] of [
  [2, 'w'],
  [3, 'd'],
] as const) {
  define('A', `lr.${suffix}`, word(0x2f, funct3, 0x02 << 7), [RD, RS1, AQRL]);
  for (const [name, funct5] of [
    ['sc', 0x03],
    ['amoswap', 0x01],
    ['amoadd', 0x00],
    ['amoxor', 0x04],
    ['amoand', 0x0c],
    ['amoor', 0x08],
    ['amomin', 0x10],
    ['amomax', 0x14],
    ['amominu', 0x18],
    ['amomaxu', 0x1c],
  ] as const) {
    define('A', `${name}.${suffix}`, word(0x2f, funct3, funct5 << 7), [RD, RS1, RS2, AQRL]);
  }
}

// ---- Zicsr and privileged -----------------------------------------------------------------
for (const [funct3, name] of [
  [1, 'csrrw'],
  [2, 'csrrs'],
  [3, 'csrrc'],
] as const) {
  define('Zicsr', name, word(0x73, funct3), [RD, CSR, RS1]);
  define('Zicsr', `${name}i`, word(0x73, funct3 + 4), [RD, CSR, ZIMM]);
}
define('privileged', 'sret', word(0x73, 0, 0x102), []);
define('privileged', 'mret', word(0x73, 0, 0x302), []);
define('privileged', 'wfi', word(0x73, 0, 0x105), []);
define('privileged', 'sfence.vma', word(0x73, 0, funct7(0x09)), [RS1, RS2]);

// ---- F and D ------------------------------------------------------------------------------
const reservedRounding = ({ rm }: Operands) => rm === 5 || rm === 6;

function floating(extension: 'F' | 'D'): void {
  const s = extension === 'F' ? 's' : 'd';
  const fmt = extension === 'F' ? 0 : 1;
  const width = extension === 'F' ? 2 : 3;
  const op = (name: string, funct5: number, fields: readonly Field[], rm = 0, rs2 = 0) =>
    define(
      extension,
      name,
      word(0x53, rm, funct7((funct5 << 2) | fmt, rs2)),
      fields,
      fields.includes(RM) ? reservedRounding : undefined,
    );

  define(extension, extension === 'F' ? 'flw' : 'fld', word(0x07, width), [FD, RS1, I_IMM]);
  define(extension, extension === 'F' ? 'fsw' : 'fsd', word(0x27, width), [RS1, FS2, S_IMM]);
  for (const [i, name] of ['fmadd', 'fmsub', 'fnmsub', 'fnmadd'].entries()) {
    const match = (0x43 + 4 * i) | (fmt << 25);
    define(extension, `${name}.${s}`, match, [FD, FS1, FS2, FS3, RM], reservedRounding);
  }
  for (const [funct5, name] of ['fadd', 'fsub', 'fmul', 'fdiv'].entries()) {
    op(`${name}.${s}`, funct5, [FD, FS1, FS2, RM]);
  }
  op(`fsqrt.${s}`, 0x0b, [FD, FS1, RM]);
  for (const [rm, name] of ['fsgnj', 'fsgnjn', 'fsgnjx'].entries()) {
    op(`${name}.${s}`, 0x04, [FD, FS1, FS2], rm);
  }
  op(`fmin.${s}`, 0x05, [FD, FS1, FS2], 0);
  op(`fmax.${s}`, 0x05, [FD, FS1, FS2], 1);
  for (const [rm, name] of ['fle', 'flt', 'feq'].entries()) {
    op(`${name}.${s}`, 0x14, [RD, FS1, FS2], rm);
  }
  for (const [rs2, name] of ['w', 'wu', 'l', 'lu'].entries()) {
    op(`fcvt.${name}.${s}`, 0x18, [RD, FS1, RM], 0, rs2);
    op(`fcvt.${s}.${name}`, 0x1a, [FD, RS1, RM], 0, rs2);
  }
  op(extension === 'F' ? 'fcvt.s.d' : 'fcvt.d.s', 0x08, [FD, FS1, RM], 0, fmt ^ 1);
  op(extension === 'F' ? 'fmv.x.w' : 'fmv.x.d', 0x1c, [RD, FS1], 0);
  op(`fclass.${s}`, 0x1c, [RD, FS1], 1);
  op(extension === 'F' ? 'fmv.w.x' : 'fmv.d.x', 0x1e, [FD, RS1], 0);
}
floating('F');
floating('D');

// ---- Zba, Zbb, Zbs ------------------------------------------------------------------------
registers('B', [
  ['add.uw', 0x3b, 0, 0x04],
  ['sh1add', 0x33, 2, 0x10],
  ['sh2add', 0x33, 4, 0x10],
  ['sh3add', 0x33, 6, 0x10],
  ['sh1add.uw', 0x3b, 2, 0x10],
  ['sh2add.uw', 0x3b, 4, 0x10],
  ['sh3add.uw', 0x3b, 6, 0x10],
  ['andn', 0x33, 7, 0x20],
  ['orn', 0x33, 6, 0x20],
  ['xnor', 0x33, 4, 0x20],
  ['max', 0x33, 6, 0x05],
  ['maxu', 0x33, 7, 0x05],
  ['min', 0x33, 4, 0x05],
  ['minu', 0x33, 5, 0x05],
  ['rol', 0x33, 1, 0x30],
  ['ror', 0x33, 5, 0x30],
  ['rolw', 0x3b, 1, 0x30],
  ['rorw', 0x3b, 5, 0x30],
  ['bclr', 0x33, 1, 0x24],
  ['bext', 0x33, 5, 0x24],
  ['binv', 0x33, 1, 0x34],
  ['bset', 0x33, 1, 0x14],
]);
define('B', 'slli.uw', word(0x1b, 1, funct7(0x04)), [RD, RS1, SHAMT6]);
define('B', 'rori', word(0x13, 5, funct7(0x30)), [RD, RS1, SHAMT6]);
define('B', 'roriw', word(0x1b, 5, funct7(0x30)), [RD, RS1, SHAMT5]);
for (const [name, funct3, high] of [
  ['bclri', 1, 0x24],
  ['bexti', 5, 0x24],
  ['binvi', 1, 0x34],
  ['bseti', 1, 0x14],
] as const) {
  define('B', name, word(0x13, funct3, funct7(high)), [RD, RS1, SHAMT6]);
}
for (const [name, opcode, funct3, high] of [
  ['clz', 0x13, 1, 0x600],
  ['ctz', 0x13, 1, 0x601],
  ['cpop', 0x13, 1, 0x602],
  ['sext.b', 0x13, 1, 0x604],
  ['sext.h', 0x13, 1, 0x605],
  ['clzw', 0x1b, 1, 0x600],
  ['ctzw', 0x1b, 1, 0x601],
  ['cpopw', 0x1b, 1, 0x602],
  ['zext.h', 0x3b, 4, 0x080],
  ['rev8', 0x13, 5, 0x6b8],
  ['orc.b', 0x13, 5, 0x287],
] as const) {
  define('B', name, word(opcode, funct3, high), [RD, RS1]);
}

// ---- Zicond -------------------------------------------------------------------------------
registers('Zicond', [
  ['czero.eqz', 0x33, 5, 0x07],
  ['czero.nez', 0x33, 7, 0x07],
]);

// ---- Zimop, Zawrs, Zicbom, Zicboz ----------------------------------------------------------
for (let n = 0; n < 32; n++) {
  const high = 0x81c | ((n & 3) << 0) | (((n >> 2) & 3) << 6) | ((n >> 4) << 10);
  define('Zimop', `mop.r.${n}`, word(0x73, 4, high), [RD, RS1]);
}
for (let n = 0; n < 8; n++) {
  const high = 0x820 | ((n & 3) << 6) | ((n >> 2) << 10);
  define('Zimop', `mop.rr.${n}`, word(0x73, 4, high), [RD, RS1, RS2]);
}
define('Zawrs', 'wrs.nto', word(0x73, 0, 0x00d), []);
define('Zawrs', 'wrs.sto', word(0x73, 0, 0x01d), []);
for (const [n, name] of ['cbo.inval', 'cbo.clean', 'cbo.flush'].entries()) {
  define('Zicbom', name, word(0x0f, 2, n), [RS1]);
}
define('Zicboz', 'cbo.zero', word(0x0f, 2, 4), [RS1]);

// ---- Zfhmin, Zfa --------------------------------------------------------------------------
define('Zfhmin', 'flh', word(0x07, 1), [FD, RS1, I_IMM]);
define('Zfhmin', 'fsh', word(0x27, 1), [RS1, FS2, S_IMM]);
define('Zfhmin', 'fmv.x.h', word(0x53, 0, funct7(0x72)), [RD, FS1]);
define('Zfhmin', 'fmv.h.x', word(0x53, 0, funct7(0x7a)), [FD, RS1]);
for (const [name, high] of [
  ['fcvt.s.h', funct7(0x20, 2)],
  ['fcvt.d.h', funct7(0x21, 2)],
  ['fcvt.h.s', funct7(0x22, 0)],
  ['fcvt.h.d', funct7(0x22, 1)],
] as const) {
  define('Zfhmin', name, word(0x53, 0, high), [FD, FS1, RM], reservedRounding);
}
for (const [fmt, s] of ['s', 'd'].entries()) {
  const op = (name: string, funct5: number, fields: readonly Field[], rm = 0, rs2 = 0) =>
    define('Zfa', `${name}.${s}`, word(0x53, rm, funct7((funct5 << 2) | fmt, rs2)), fields);
  op('fli', 0x1e, [FD, plain('imm', [0, 15, 5])], 0, 1);
  op('fminm', 0x05, [FD, FS1, FS2], 2);
  op('fmaxm', 0x05, [FD, FS1, FS2], 3);
  op('fleq', 0x14, [RD, FS1, FS2], 4);
  op('fltq', 0x14, [RD, FS1, FS2], 5);
  for (const [n, name] of ['fround', 'froundnx'].entries()) {
    const high = funct7((0x08 << 2) | fmt, 4 + n);
    define('Zfa', `${name}.${s}`, word(0x53, 0, high), [FD, FS1, RM], reservedRounding);
  }
}
define('Zfa', 'fcvtmod.w.d', word(0x53, 1, funct7(0x61, 8)), [RD, FS1]);

// ---- C ------------------------------------------------------------------------------------
const quadrant = (op: number, funct3: number, rest = 0) => op | (funct3 << 13) | rest;
const C_RD = x('rd', 7);
const C_RS1 = x('rs1', 7);
const C_RS2 = x('rs2', 2);
const C_FD = f('rd', 7);
const C_FS2 = f('rs2', 2);
const LOW_RD = shortX('rd', 2);
const LOW_FD = shortF('rd', 2);
const LOW_RS2 = shortX('rs2', 2);
const LOW_FS2 = shortF('rs2', 2);
const HIGH_RS1 = shortX('rs1', 7);
const HIGH_RD = shortX('rd', 7);
const WORD_OFFSET = immediate(false, ['5:3', 10], ['2|6', 5]);
const DOUBLE_OFFSET = immediate(false, ['5:3', 10], ['7:6', 5]);
const CI_IMM = immediate(true, ['5', 12], ['4:0', 2]);
const CI_SHAMT = immediate(false, ['5', 12], ['4:0', 2]);
const DOUBLE_SP_LOAD = immediate(false, ['5', 12], ['4:3|8:6', 2]);
const DOUBLE_SP_STORE = immediate(false, ['5:3|8:6', 7]);
const C_BRANCH = immediate(true, ['8|4:3', 10], ['7:6|2:1|5', 2]);

const noRd = ({ rd }: Operands) => rd === 0;
const noRs1 = ({ rs1 }: Operands) => rs1 === 0;
const noRs2 = ({ rs2 }: Operands) => rs2 === 0;
const noImm = ({ imm }: Operands) => imm === 0;

define('C', 'c.addi4spn', quadrant(0, 0), [LOW_RD, immediate(false, ['5:4|9:6|2|3', 5])], noImm);
define('C', 'c.fld', quadrant(0, 1), [LOW_FD, HIGH_RS1, DOUBLE_OFFSET]);
define('C', 'c.lw', quadrant(0, 2), [LOW_RD, HIGH_RS1, WORD_OFFSET]);
define('C', 'c.ld', quadrant(0, 3), [LOW_RD, HIGH_RS1, DOUBLE_OFFSET]);
define('C', 'c.fsd', quadrant(0, 5), [HIGH_RS1, LOW_FS2, DOUBLE_OFFSET]);
define('C', 'c.sw', quadrant(0, 6), [HIGH_RS1, LOW_RS2, WORD_OFFSET]);
define('C', 'c.sd', quadrant(0, 7), [HIGH_RS1, LOW_RS2, DOUBLE_OFFSET]);
// rd = x0 is c.nop with its hints, and imm = 0 is a hint.
define('C', 'c.addi', quadrant(1, 0), [C_RD, CI_IMM]);
define('C', 'c.addiw', quadrant(1, 1), [C_RD, CI_IMM], noRd);
define('C', 'c.li', quadrant(1, 2), [C_RD, CI_IMM]);
define('C', 'c.addi16sp', quadrant(1, 3, 2 << 7), [immediate(true, ['9', 12], ['4|6|8:7|5', 2])], noImm);
define(
  'C',
  'c.lui',
  quadrant(1, 3),
  [C_RD, immediate(true, ['17', 12], ['16:12', 2])],
  ({ rd, imm }) => rd === 2 || imm === 0,
);
define('C', 'c.srli', quadrant(1, 4), [HIGH_RD, CI_SHAMT]);
define('C', 'c.srai', quadrant(1, 4, 1 << 10), [HIGH_RD, CI_SHAMT]);
define('C', 'c.andi', quadrant(1, 4, 2 << 10), [HIGH_RD, CI_IMM]);
for (const [i, name] of ['c.sub', 'c.xor', 'c.or', 'c.and'].entries()) {
  define('C', name, quadrant(1, 4, (3 << 10) | (i << 5)), [HIGH_RD, LOW_RS2]);
}
define('C', 'c.subw', quadrant(1, 4, (7 << 10) | (0 << 5)), [HIGH_RD, LOW_RS2]);
define('C', 'c.addw', quadrant(1, 4, (7 << 10) | (1 << 5)), [HIGH_RD, LOW_RS2]);
define('C', 'c.j', quadrant(1, 5), [immediate(true, ['11|4|9:8|10|6|7|3:1|5', 2])]);
define('C', 'c.beqz', quadrant(1, 6), [HIGH_RS1, C_BRANCH]);
define('C', 'c.bnez', quadrant(1, 7), [HIGH_RS1, C_BRANCH]);
define('C', 'c.slli', quadrant(2, 0), [C_RD, CI_SHAMT]);
define('C', 'c.fldsp', quadrant(2, 1), [C_FD, DOUBLE_SP_LOAD]);
define('C', 'c.lwsp', quadrant(2, 2), [C_RD, immediate(false, ['5', 12], ['4:2|7:6', 2])], noRd);
define('C', 'c.ldsp', quadrant(2, 3), [C_RD, DOUBLE_SP_LOAD], noRd);
define('C', 'c.jr', quadrant(2, 4), [C_RS1], noRs1);
define('C', 'c.mv', quadrant(2, 4), [C_RD, C_RS2], noRs2);
define('C', 'c.ebreak', quadrant(2, 4, 1 << 12), []);
define('C', 'c.jalr', quadrant(2, 4, 1 << 12), [C_RS1], noRs1);
define('C', 'c.add', quadrant(2, 4, 1 << 12), [C_RD, C_RS2], noRs2);
define('C', 'c.fsdsp', quadrant(2, 5), [C_FS2, DOUBLE_SP_STORE]);
define('C', 'c.swsp', quadrant(2, 6), [C_RS2, immediate(false, ['5:2|7:6', 7])]);
define('C', 'c.sdsp', quadrant(2, 7), [C_RS2, DOUBLE_SP_STORE]);

// ---- Zcb, Zcmop ---------------------------------------------------------------------------
const BYTE_OFFSET = immediate(false, ['0|1', 5]);
const HALF_OFFSET = immediate(false, ['1', 5]);
define('Zcb', 'c.lbu', quadrant(0, 4), [LOW_RD, HIGH_RS1, BYTE_OFFSET]);
define('Zcb', 'c.lhu', quadrant(0, 4, 1 << 10), [LOW_RD, HIGH_RS1, HALF_OFFSET]);
define('Zcb', 'c.lh', quadrant(0, 4, (1 << 10) | (1 << 6)), [LOW_RD, HIGH_RS1, HALF_OFFSET]);
define('Zcb', 'c.sb', quadrant(0, 4, 2 << 10), [HIGH_RS1, LOW_RS2, BYTE_OFFSET]);
define('Zcb', 'c.sh', quadrant(0, 4, 3 << 10), [HIGH_RS1, LOW_RS2, HALF_OFFSET]);
define('Zcb', 'c.mul', quadrant(1, 4, (7 << 10) | (2 << 5)), [HIGH_RD, LOW_RS2]);
for (const [n, name] of ['c.zext.b', 'c.sext.b', 'c.zext.h', 'c.sext.h', 'c.zext.w', 'c.not'].entries()) {
  define('Zcb', name, quadrant(1, 4, (7 << 10) | (3 << 5) | (n << 2)), [HIGH_RD]);
}
for (let n = 1; n < 16; n += 2) define('Zcmop', `c.mop.${n}`, quadrant(1, 3, n << 7), []);

// ---- V, Zvbb ------------------------------------------------------------------------------
defineVector(define, {
  VD: v('vd', 7),
  VS1: v('vs1', 15),
  VS2: v('vs2', 20),
  VS3: v('vs3', 7),
  VM: plain('vm', [0, 25, 1]),
  RD,
  RS1,
  RS2,
  FD,
  FS1,
  IMM5: plain('imm', [0, 15, 5]),
  VTYPE11: plain('vtype', [0, 20, 11]),
  VTYPE10: plain('vtype', [0, 20, 10]),
});

export const INSTRUCTIONS: readonly Instruction[] = instructions;

const byName = new Map(INSTRUCTIONS.map((instruction) => [instruction.name, instruction]));

/** @throws if there is no instruction of that name */
export function instruction(name: string): Instruction {
  const found = byName.get(name);
  if (!found) throw new Error(`no instruction ${name}`);
  return found;
}

/** Returns the smallest and largest value of a field, and the step between values. */
export function fieldRange(field: Field): { low: number; high: number; step: number } {
  if (field.short) return { low: 8, high: 15, step: 1 };
  const step = 2 ** Math.min(...field.pieces.map(([low]) => low));
  const top = 2 ** Math.max(...field.pieces.map(([low, , length]) => low + length));
  return field.signed ? { low: -top / 2, high: top / 2 - step, step } : { low: 0, high: top - step, step };
}

/** Returns the unsigned instruction word. Throws if a field is missing or out of range. */
export function encode(instruction: Instruction, operands: Operands): number {
  let result = instruction.match;
  for (const field of instruction.fields) {
    const value = operands[field.name];
    const { low, high, step } = fieldRange(field);
    if (value === undefined || value < low || value > high || value % step !== 0) {
      throw new RangeError(`${instruction.name}: ${field.name} = ${value}`);
    }
    const bits = field.short ? value - 8 : value;
    for (const [from, to, length] of field.pieces) result |= ((bits >> from) & (2 ** length - 1)) << to;
  }
  if (instruction.excluded(operands)) throw new RangeError(format(instruction, operands));
  return result >>> 0;
}

function fieldValue(field: Field, word: number): number {
  let value = 0;
  for (const [from, to, length] of field.pieces) value |= ((word >>> to) & (2 ** length - 1)) << from;
  if (field.short) return value + 8;
  const { high, step } = fieldRange(field);
  return field.signed && value > high ? value - 2 * (high + step) : value;
}

/** Returns the instruction that a word (16 bits of it if compressed) means, or undefined if it is illegal. */
export function decode(word: number): { instruction: Instruction; operands: Operands } | undefined {
  const size = (word & 3) === 3 ? 4 : 2;
  for (const instruction of INSTRUCTIONS) {
    if (instruction.size !== size || (word & instruction.mask) !== instruction.match) continue;
    const operands: Operands = {};
    for (const field of instruction.fields) operands[field.name] = fieldValue(field, word);
    if (!instruction.excluded(operands)) return { instruction, operands };
  }
  return undefined;
}

/** Returns assembly-like text for reports. */
export function format(instruction: Instruction, operands: Operands): string {
  const shown = instruction.fields.map(({ name, kind }) =>
    kind === 'number' ? `${name}=${operands[name]}` : `${kind}${operands[name]}`,
  );
  return `${instruction.name} ${shown.join(', ')}`.trim();
}
