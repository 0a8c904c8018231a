/**
 * Takes the place of Linux below a batch on the bare core. It starts the programs, answers their two system
 * calls, makes pages present when they fault (and others absent), and takes timer interrupts.
 */
import { RAM_START } from '../../layout.ts';
import { Assembler, type Label } from './assembler.ts';
import { TRAPS } from './roles.ts';

const PAGE = 0x1000;

/** The start of the programs, one page above the firmware. */
export const CODE_START = RAM_START + PAGE;

/** The firmware's data, including values that the host fills in before the start. */
export const DATA = RAM_START + 0x800;
/** The page table entry of RAM_START. The others follow it. */
export const DATA_ENTRIES = 32;
/** The number of the programs' pages. */
export const DATA_PAGES = 40;
/** Ticks between timer interrupts, 0 for none. */
export const DATA_PERIOD = 48;
/**
 * The offset in the ring of resident pages, and the ring itself, which holds addresses of page table entries.
 */
const DATA_TURN = 56;
/** Whether illegal instructions are skipped and counted, in TRAPS. */
export const DATA_SKIPS = 96;
const DATA_RING = 64;
/** Just enough for one instruction: two pages of code, two of data. */
const RESIDENT = 4;

const EXIT = 93;
const [T0, T1, T2, T3, A1, A7] = [5, 6, 7, 28, 11, 17];
const CSR = {
  satp: 0x180,
  mstatus: 0x300,
  mie: 0x304,
  mtvec: 0x305,
  mscratch: 0x340,
  mepc: 0x341,
  mcause: 0x342,
  menvcfg: 0x30a,
  senvcfg: 0x10a,
  mtval: 0x343,
  pmpcfg0: 0x3a0,
  pmpaddr0: 0x3b0,
  time: 0xc01,
};
const MTIMECMP = 0x200_4000;
const FINISHER = 0x10_0000;
const FINISHER_PASS = 0x5555;
const FINISHER_FAIL = 0x1_3333;

/** Names a few instructions as usual, so that the routines read like assembly. */
class Routine extends Assembler {
  load(rd: number, rs1: number, imm: number): void {
    this.emit('ld', { rd, rs1, imm });
  }
  store(rs2: number, rs1: number, imm: number): void {
    this.emit('sd', { rs1, rs2, imm });
  }
  add(rd: number, rs1: number, rs2: number): void {
    this.emit('add', { rd, rs1, rs2 });
  }
  sub(rd: number, rs1: number, rs2: number): void {
    this.emit('sub', { rd, rs1, rs2 });
  }
  immediate(name: string, rd: number, rs1: number, imm: number): void {
    this.emit(name, { rd, rs1, imm });
  }
  read(rd: number, csr: number): void {
    this.emit('csrrs', { rd, csr, rs1: 0 });
  }
  write(csr: number, rs1: number): void {
    this.emit('csrrw', { rd: 0, csr, rs1 });
  }
  go(target: Label): void {
    this.jump('jal', { rd: 0 }, target);
  }
}

/** At its entry a1 holds satp for U-mode on pages, or 0 for M-mode on physical addresses. */
export function firmware(): Uint8Array {
  const code = new Routine(RAM_START);
  const handler: Label = {};
  start(code, handler);
  trapHandler(code, handler);
  return code.bytes();
}

function start(code: Routine, handler: Label): void {
  const noTimer: Label = {};
  const user: Label = {};
  code.relative('addi', { rd: T0 }, T0, handler);
  code.write(CSR.mtvec, T0);
  code.relative('addi', { rd: T2 }, T2, { address: DATA });
  code.write(CSR.mscratch, T2);
  code.constant(T0, 0x6600); // FS, VS
  code.emit('csrrs', { rd: 0, csr: CSR.mstatus, rs1: T0 });
  code.constant(T0, 0xf0); // CBIE, CBCFE, CBZE
  code.write(CSR.menvcfg, T0);
  code.write(CSR.senvcfg, T0);
  code.constant(T0, 0x1800); // MPP
  code.emit('csrrc', { rd: 0, csr: CSR.mstatus, rs1: T0 });
  code.constant(T0, -1);
  code.write(CSR.pmpaddr0, T0);
  code.constant(T0, 0x1f);
  code.write(CSR.pmpcfg0, T0);
  code.load(T1, T2, DATA_PERIOD);
  code.jump('beq', { rs1: T1, rs2: 0 }, noTimer);
  code.constant(T0, MTIMECMP);
  code.store(0, T0, 0);
  code.constant(T0, 1 << 7);
  code.write(CSR.mie, T0);
  code.place(noTimer);
  code.relative('addi', { rd: T0 }, T0, { address: CODE_START });
  code.jump('bne', { rs1: A1, rs2: 0 }, user);
  code.immediate('jalr', 0, T0, 0);
  code.place(user);
  code.write(CSR.satp, A1);
  code.emit('sfence.vma', { rs1: 0, rs2: 0 });
  code.write(CSR.mepc, T0);
  code.emit('mret', {});
}

function trapHandler(code: Routine, handler: Label): void {
  const [interrupt, call, exit, back, illegal, unexpected]: Label[] = [{}, {}, {}, {}, {}, {}];
  while (code.pc % 4 !== 0) code.emit('c.addi', { rd: 0, imm: 0 });
  code.place(handler);
  code.emit('csrrw', { rd: T0, csr: CSR.mscratch, rs1: T0 });
  code.store(T1, T0, 8);
  code.store(T2, T0, 16);
  code.store(T3, T0, 24);
  code.read(T1, CSR.mscratch);
  code.store(T1, T0, 0);
  code.read(T1, CSR.mcause);
  code.jump('blt', { rs1: T1, rs2: 0 }, interrupt as Label);
  code.constant(T2, 12);
  code.jump('bltu', { rs1: T1, rs2: T2 }, call as Label);
  pageFault(code, back as Label, unexpected as Label);

  code.place(interrupt as Label);
  code.read(T1, CSR.time);
  code.load(T2, T0, DATA_PERIOD);
  code.add(T1, T1, T2);
  code.constant(T2, MTIMECMP);
  code.store(T1, T2, 0);
  code.go(back as Label);

  code.place(call as Label);
  code.constant(T2, 2);
  code.jump('beq', { rs1: T1, rs2: T2 }, illegal as Label);
  code.constant(T2, 8);
  code.jump('bltu', { rs1: T1, rs2: T2 }, unexpected as Label);
  code.constant(T2, EXIT);
  code.jump('beq', { rs1: A7, rs2: T2 }, exit as Label);
  code.read(T1, CSR.mepc);
  code.immediate('addi', T1, T1, 4);
  code.write(CSR.mepc, T1);

  code.place(back as Label);
  code.load(T1, T0, 8);
  code.load(T2, T0, 16);
  code.load(T3, T0, 24);
  code.write(CSR.mscratch, T0);
  code.load(T0, T0, 0);
  code.emit('mret', {});

  code.place(illegal as Label);
  code.load(T1, T0, DATA_SKIPS);
  code.jump('beq', { rs1: T1, rs2: 0 }, unexpected as Label);
  code.immediate('addi', TRAPS, TRAPS, 1);
  code.read(T1, CSR.mepc);
  code.immediate('addi', T1, T1, 4);
  code.write(CSR.mepc, T1);
  code.go(back as Label);

  code.place(exit as Label);
  finish(code, FINISHER_PASS);
  code.place(unexpected as Label);
  finish(code, FINISHER_FAIL);
}

/** Makes the page of mtval valid, and the page that became valid RESIDENT faults ago invalid. */
function pageFault(code: Routine, back: Label, unexpected: Label): void {
  code.read(T1, CSR.mtval);
  code.immediate('srli', T1, T1, 12);
  code.constant(T2, RAM_START / PAGE);
  code.sub(T1, T1, T2);
  code.load(T2, T0, DATA_PAGES);
  code.jump('bgeu', { rs1: T1, rs2: T2 }, unexpected);
  code.immediate('slli', T1, T1, 3);
  code.load(T2, T0, DATA_ENTRIES);
  code.add(T1, T1, T2);
  code.load(T2, T1, 0);
  code.immediate('andi', T3, T2, 1);
  code.jump('bne', { rs1: T3, rs2: 0 }, unexpected); // the page is present, so the fault is wrong
  code.immediate('ori', T2, T2, 1);
  code.store(T2, T1, 0);
  code.load(T2, T0, DATA_TURN);
  code.immediate('addi', T2, T2, 8);
  code.immediate('andi', T2, T2, 8 * RESIDENT - 1);
  code.store(T2, T0, DATA_TURN);
  code.add(T2, T2, T0);
  code.load(T3, T2, DATA_RING);
  code.store(T1, T2, DATA_RING);
  code.jump('beq', { rs1: T3, rs2: 0 }, back);
  code.load(T1, T3, 0);
  code.immediate('andi', T1, T1, -2);
  code.store(T1, T3, 0);
  code.load(T1, T0, DATA_ENTRIES);
  code.sub(T3, T3, T1);
  code.immediate('slli', T3, T3, 9);
  code.relative('addi', { rd: T1 }, T1, { address: RAM_START });
  code.add(T3, T3, T1);
  code.emit('sfence.vma', { rs1: T3, rs2: 0 });
  code.go(back);
}

function finish(code: Routine, value: number): void {
  code.constant(T0, FINISHER);
  code.constant(T1, value);
  code.emit('sw', { rs1: T0, rs2: T1, imm: 0 });
  code.go(code.place({}));
}
