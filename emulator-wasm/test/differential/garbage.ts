/** Bare-metal images of random instructions and bytes, entered at random places. */
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
const [T0, T1, T2, A6, A7, T6] = [5, 6, 7, 16, 17, 31];
const TIME = 0xc01;
const MTIMECMP = 0x200_4000;
const STIMECMP = 0x14d;
const MENVCFG = 0x30a;
const PMPCFG0 = 0x3a0;
const PMPADDR0 = 0x3b0;

/** The CSRs of a mode that takes traps, and some of their bits. */
interface Level {
  readonly status: number;
  readonly enable: number;
  readonly vector: number;
  readonly scratch: number;
  readonly epc: number;
  /** Bits in `status`: the mode to return to, and interrupts enabled there. */
  readonly previousMode: number;
  readonly previousEnable: number;
  /** The timer's bit in `enable`. */
  readonly timer: number;
  readonly back: string;
}

const MACHINE: Level = {
  status: 0x300,
  enable: 0x304,
  vector: 0x305,
  scratch: 0x340,
  epc: 0x341,
  previousMode: 0x1800,
  previousEnable: 0x80,
  timer: 0x80,
  back: 'mret',
};
const SUPERVISOR: Level = {
  status: 0x100,
  enable: 0x104,
  vector: 0x105,
  scratch: 0x140,
  epc: 0x141,
  previousMode: 0x100,
  previousEnable: 0x20,
  timer: 0x20,
  back: 'sret',
};

/** CSRs whose random values do not soon stop the random walk, as those of mtvec and mie would. */
const WALKING_CSRS = [
  0x001, 0x002, 0x003, 0x100, 0x140, 0x141, 0x142, 0x143, 0x144, 0x180, 0x300, 0x302, 0x306,
];

/** SBI extensions, among them legacy and unknown ones, but not system reset. */
const SBI = [0x00, 0x01, 0x08, 0x10, 0x5449_4d45, 0x73_5049, 0x5246_4e43, 0x48_534d, 0x4442_434e, 0x504d_55];

/**
 * Runs the garbage at a random place, with registers from a random part of a table, and does so again after a
 * trap or when the timer fires 100 us later. On firmware, each round also calls the firmware with the
 * register values at hand. The garbage may damage the trap vector and this code; that is part of the test.
 */
function start(random: Random, level: Level): Uint8Array {
  const code = new Assembler(RAM_START);
  const again: Label = {};
  set(code, level.status, 0x6000, 'csrrs'); // FS
  if (level === MACHINE) {
    set(code, PMPADDR0, -1);
    set(code, PMPCFG0, 0x1f);
    set(code, MENVCFG, 0);
  }
  set(code, level.scratch, random.u32() | 0);
  set(code, level.enable, level.timer);
  code.relative('addi', { rd: T0 }, T0, again);
  code.emit('csrrw', { rd: 0, csr: level.vector, rs1: T0 });
  while (code.pc % 4 !== 0) code.emit('c.addi', { rd: 0, imm: 0 });
  code.place(again);
  setTimer(code, level);
  advance(code, level);
  choosePlace(code, level);
  loadRegisters(code);
  if (level === SUPERVISOR) callFirmware(code, random);
  code.emit(level.back, {});
  return code.bytes();
}

function set(code: Assembler, csr: number, value: number, how = 'csrrw'): void {
  code.constant(T0, value);
  code.emit(how, { rd: 0, csr, rs1: T0 });
}

function setTimer(code: Assembler, level: Level): void {
  code.emit('csrrs', { rd: T0, csr: TIME, rs1: 0 });
  code.emit('addi', { rd: T0, rs1: T0, imm: 1000 });
  if (level === SUPERVISOR) {
    code.emit('csrrw', { rd: 0, csr: STIMECMP, rs1: T0 });
  } else {
    code.constant(T1, MTIMECMP);
    code.emit('sd', { rs1: T1, rs2: T0, imm: 0 });
  }
}

/** Puts the next of a sequence of random numbers in T0 and the scratch CSR. */
function advance(code: Assembler, { scratch }: Level): void {
  code.emit('csrrs', { rd: T0, csr: scratch, rs1: 0 });
  code.constant(T1, 0x19660d);
  code.emit('mul', { rd: T0, rs1: T0, rs2: T1 });
  code.constant(T1, 0x3c6ef35f);
  code.emit('add', { rd: T0, rs1: T0, rs2: T1 });
  code.emit('csrrw', { rd: 0, csr: scratch, rs1: T0 });
}

/** Chooses the return address and the mode by bits of T0. */
function choosePlace(code: Assembler, level: Level): void {
  code.emit('srli', { rd: T1, rs1: T0, imm: 13 });
  code.emit('slli', { rd: T1, rs1: T1, imm: 64 - GARBAGE_BITS });
  code.emit('srli', { rd: T1, rs1: T1, imm: 64 - GARBAGE_BITS });
  code.relative('addi', { rd: T2 }, T2, { address: GARBAGE });
  code.emit('add', { rd: T1, rs1: T1, rs2: T2 });
  code.emit('csrrw', { rd: 0, csr: level.epc, rs1: T1 });
  code.constant(T1, level.previousMode | level.previousEnable);
  code.emit('csrrs', { rd: 0, csr: level.status, rs1: T1 });
  code.constant(T2, level.previousMode);
  code.emit('and', { rd: T1, rs1: T2, rs2: T0 });
  code.emit('csrrc', { rd: 0, csr: level.status, rs1: T1 });
}

function loadRegisters(code: Assembler): void {
  code.emit('andi', { rd: T0, rs1: T0, imm: 0x7f8 });
  code.relative('addi', { rd: T2 }, T2, { address: REGISTERS });
  code.emit('add', { rd: T6, rs1: T2, rs2: T0 });
  for (let register = 1; register < 32; register++) {
    code.emit('fld', { rd: register, rs1: T6, imm: 8 * register });
    code.emit('ld', { rd: register, rs1: T6, imm: 8 * register });
  }
}

/** Calls one of the SBI's functions with the register values at hand. */
function callFirmware(code: Assembler, random: Random): void {
  code.emit('andi', { rd: A6, rs1: T1, imm: 7 });
  const done: Label = {};
  const call: Label = {};
  for (const extension of random.shuffle(SBI)) {
    const next: Label = {};
    code.emit('andi', { rd: A7, rs1: T0, imm: 1 << random.below(8) });
    code.jump('bne', { rs1: A7, rs2: 0 }, next);
    code.constant(A7, extension);
    code.jump('jal', { rd: 0 }, call);
    code.place(next);
  }
  code.jump('jal', { rd: 0 }, done);
  code.place(call);
  code.emit('ecall', {});
  code.place(done);
}

/** Returns addresses of all kinds, and numbers. */
function registerTable(random: Random): Uint8Array {
  const devices = [
    0x10_0000, 0x10_1000, 0x200_0000, 0x200_4000, 0xc00_0000, 0xc20_0000, 0x1000_0000, 0x1000_1000,
  ];
  const values = Array.from({ length: 512 }, () => {
    const roll = random.below(10);
    if (roll < 5) return BigInt(GARBAGE + random.below(GARBAGE_BYTES)) & (random.chance(0.8) ? -8n : -1n);
    // Without the finisher, which the guest may use but which would end the case.
    if (roll < 6) return BigInt(random.pick(devices.slice(1)) + 4 * random.below(64));
    if (roll < 7) return BigInt(random.between(-4096, 4096) + RAM_START + (64 << 20));
    return edgeValue(random.chance(0.5) ? 'integer' : 'double', random);
  });
  return new Uint8Array(BigUint64Array.from(values.map((value) => BigInt.asUintN(64, value))).buffer);
}

/** Returns random instructions and random bytes, half of each. */
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

/** Returns case `index` of a seed, for M-mode or for S-mode on firmware. Every hart starts in it. */
export function garbageElf(seed: number, index: number, firmware: boolean): Elf {
  const random = new Random(seed, index);
  const segments = [
    segment(RAM_START, start(random, firmware ? SUPERVISOR : MACHINE)),
    segment(REGISTERS, registerTable(random)),
    segment(GARBAGE, garbage(random)),
  ];
  return { entry: RAM_START, segments, symbols: new Map() };
}
