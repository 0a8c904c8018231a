/** Bare-metal images that are no program: random instructions and bytes, entered at random places. */
import { RAM_START } from '../../layout.ts';
import type { Elf } from '../support/elf.ts';
import { Random } from '../support/random.ts';
import { Assembler, type Label } from './assembler.ts';
import { encode, fieldRange, INSTRUCTIONS, type Operands } from './instructions.ts';
import { edgeValue } from './values.ts';

const GARBAGE = RAM_START + 0x1_0000;
const GARBAGE_BITS = 18;
const GARBAGE_BYTES = 1 << GARBAGE_BITS;
const REGISTERS = RAM_START + 0x8000;
const [T0, T1, T2] = [5, 6, 7];
const CSR = {
  mstatus: 0x300,
  mie: 0x304,
  mtvec: 0x305,
  mscratch: 0x340,
  mepc: 0x341,
  pmpcfg0: 0x3a0,
  pmpaddr0: 0x3b0,
  time: 0xc01,
};
const MTIMECMP = 0x200_4000;
/** CSRs that do not soon stop the random walk, as mtvec and mie do. */
const WALKING_CSRS = [
  0x001, 0x002, 0x003, 0x100, 0x105, 0x140, 0x141, 0x142, 0x143, 0x144, 0x180, 0x300, 0x302, 0x306,
];

/**
 * Runs the garbage at a random place, with registers from a random part of a table; a trap to M-mode or 100 us
 * later the timer does so again. What the garbage does to mtvec or to this code is part of the test.
 */
function start(random: Random): Uint8Array {
  const code = new Assembler(RAM_START);
  code.constant(T0, 0x6000);
  code.emit('csrrs', { rd: 0, csr: CSR.mstatus, rs1: T0 });
  code.constant(T0, -1);
  code.emit('csrrw', { rd: 0, csr: CSR.pmpaddr0, rs1: T0 });
  code.constant(T0, 0x1f);
  code.emit('csrrw', { rd: 0, csr: CSR.pmpcfg0, rs1: T0 });
  code.constant(T0, random.u32() | 0);
  code.emit('csrrw', { rd: 0, csr: CSR.mscratch, rs1: T0 });
  code.constant(T0, 0x80);
  code.emit('csrrw', { rd: 0, csr: CSR.mie, rs1: T0 });
  const again: Label = {};
  code.relative('addi', { rd: T0 }, T0, again);
  code.emit('csrrw', { rd: 0, csr: CSR.mtvec, rs1: T0 });
  while (code.pc % 4 !== 0) code.emit('c.addi', { rd: 0, imm: 0 });
  code.place(again);
  code.emit('csrrs', { rd: T0, csr: CSR.time, rs1: 0 });
  code.emit('addi', { rd: T0, rs1: T0, imm: 1000 });
  code.constant(T1, MTIMECMP);
  code.emit('sd', { rs1: T1, rs2: T0, imm: 0 });
  code.emit('csrrs', { rd: T0, csr: CSR.mscratch, rs1: 0 });
  code.constant(T1, 0x19660d);
  code.emit('mul', { rd: T0, rs1: T0, rs2: T1 });
  code.constant(T1, 0x3c6ef35f);
  code.emit('add', { rd: T0, rs1: T0, rs2: T1 });
  code.emit('csrrw', { rd: 0, csr: CSR.mscratch, rs1: T0 });
  // mepc: anywhere in the garbage; MPP: as the number's bits say.
  code.emit('srli', { rd: T1, rs1: T0, imm: 9 });
  code.emit('slli', { rd: T1, rs1: T1, imm: 64 - GARBAGE_BITS });
  code.emit('srli', { rd: T1, rs1: T1, imm: 64 - GARBAGE_BITS });
  code.relative('addi', { rd: T2 }, T2, { address: GARBAGE });
  code.emit('add', { rd: T1, rs1: T1, rs2: T2 });
  code.emit('csrrw', { rd: 0, csr: CSR.mepc, rs1: T1 });
  code.constant(T1, 0x1880); // MPP and MPIE
  code.emit('csrrs', { rd: 0, csr: CSR.mstatus, rs1: T1 });
  code.constant(T2, 0x1800);
  code.emit('and', { rd: T1, rs1: T2, rs2: T0 });
  code.emit('csrrc', { rd: 0, csr: CSR.mstatus, rs1: T1 });
  code.emit('andi', { rd: T0, rs1: T0, imm: 0x7f8 });
  code.relative('addi', { rd: T2 }, T2, { address: REGISTERS });
  code.emit('add', { rd: 31, rs1: T2, rs2: T0 });
  for (let register = 1; register < 32; register++) {
    code.emit('fld', { rd: register, rs1: 31, imm: 8 * register });
    code.emit('ld', { rd: register, rs1: 31, imm: 8 * register });
  }
  code.emit('mret', {});
  return code.bytes();
}

/** Addresses of all kinds of places, and numbers. */
function registerTable(random: Random): Uint8Array {
  const devices = [
    0x10_0000, 0x10_1000, 0x200_0000, 0x200_4000, 0xc00_0000, 0xc20_0000, 0x1000_0000, 0x1000_1000,
  ];
  const values = Array.from({ length: 512 }, () => {
    const roll = random.below(10);
    if (roll < 5) return BigInt(GARBAGE + random.below(GARBAGE_BYTES)) & (random.chance(0.8) ? -8n : -1n);
    // Not the finisher, which is the guest's right to use but would end the case.
    if (roll < 6) return BigInt(random.pick(devices.slice(1)) + 4 * random.below(64));
    if (roll < 7) return BigInt(random.between(-4096, 4096) + RAM_START + (64 << 20));
    return edgeValue(random.chance(0.5) ? 'integer' : 'double', random);
  });
  return new Uint8Array(BigUint64Array.from(values.map((value) => BigInt.asUintN(64, value))).buffer);
}

/** Half of it random instructions, half random bytes. */
function garbage(random: Random): Uint8Array {
  const bytes = new Uint8Array(GARBAGE_BYTES);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < GARBAGE_BYTES - 4; ) {
    const chosen = random.pick(INSTRUCTIONS);
    const operands: Operands = {};
    for (const field of chosen.fields) {
      const { low, high, step } = fieldRange(field);
      const reach = field.name === 'imm' && random.chance(0.9) ? Math.min(high, 64 * step) : high;
      operands[field.name] = low + step * random.below((reach - low) / step + 1);
    }
    if (operands.csr !== undefined && random.chance(0.9)) operands.csr = random.pick(WALKING_CSRS);
    const word = chosen.excluded(operands) || random.chance(0.05) ? random.u32() : encode(chosen, operands);
    view.setUint32(at, word, true);
    at += chosen.size;
  }
  return bytes;
}

function segment(address: number, bytes: Uint8Array): Elf['segments'][number] {
  return { address, bytes, memorySize: bytes.length };
}

/** Case `index` of a seed; every hart starts in it. */
export function garbageElf(seed: number, index: number): Elf {
  const random = new Random(seed, index);
  const segments = [
    segment(RAM_START, start(random)),
    segment(REGISTERS, registerTable(random)),
    segment(GARBAGE, garbage(random)),
  ];
  return { entry: RAM_START, segments, symbols: new Map() };
}
