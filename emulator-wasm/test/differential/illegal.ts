/** A bare-metal program that tries instruction words one by one and prints the outcome of each. */
import { RAM_START } from '../../layout.ts';
import { writeElf } from '../support/elf.ts';
import type { Random } from '../support/random.ts';
import { Assembler, type Label } from './assembler.ts';
import { decode, INSTRUCTIONS } from './instructions.ts';

export type Word = { readonly word: number; readonly size: 2 | 4 };

/** The characters that the program prints for a word. */
export const ILLEGAL = '.';
export const EXECUTED = 'x';
export const OTHER = '?';

const MEPC = 0x341;
const MCAUSE = 0x342;
const MTVAL = 0x343;
const MTVEC = 0x305;
const S0 = 8;
const S1 = 9;
const T0 = 5;
const T1 = 6;
const T2 = 7;
const SLOT = 8;
const C_EBREAK = 0x9002;

/**
 * Each word has a slot, followed by breakpoints. The trap handler prints ILLEGAL if the word trapped as an
 * illegal instruction with the word in mtval, EXECUTED if the breakpoint was reached, and OTHER otherwise. It
 * then returns to the next slot. Registers s0 and s1 hold the slot and the end.
 */
export function illegalProgram(words: readonly Word[]): Uint8Array {
  const assembler = new Assembler(RAM_START);
  const handler: Label = {};
  const slots: Label = {};
  const end: Label = {};
  assembler.relative('addi', { rd: T0 }, T0, handler);
  assembler.emit('csrrw', { rd: 0, csr: MTVEC, rs1: T0 });
  assembler.relative('addi', { rd: S0 }, S0, slots);
  assembler.relative('addi', { rd: S1 }, S1, end);
  assembler.emit('jalr', { rd: 0, rs1: S0, imm: 0 });

  while (assembler.pc % 4 !== 0) assembler.emit('c.addi', { rd: 0, imm: 0 });
  assembler.place(handler);
  const next: Label = {};
  const print: Label = {};
  const wide: Label = {};
  const compare: Label = {};
  assembler.emit('csrrs', { rd: T0, csr: MCAUSE, rs1: 0 });
  assembler.constant(T1, EXECUTED.charCodeAt(0));
  assembler.constant(T2, 3);
  assembler.jump('beq', { rs1: T0, rs2: T2 }, print);
  assembler.constant(T1, OTHER.charCodeAt(0));
  assembler.constant(T2, 2);
  assembler.jump('bne', { rs1: T0, rs2: T2 }, print);
  assembler.emit('lhu', { rd: T0, rs1: S0, imm: 0 });
  assembler.emit('andi', { rd: T2, rs1: T0, imm: 3 });
  assembler.emit('addi', { rd: T2, rs1: T2, imm: -3 });
  assembler.jump('beq', { rs1: T2, rs2: 0 }, wide);
  assembler.jump('jal', { rd: 0 }, compare);
  assembler.place(wide);
  assembler.emit('lwu', { rd: T0, rs1: S0, imm: 0 });
  assembler.place(compare);
  assembler.emit('csrrs', { rd: T2, csr: MTVAL, rs1: 0 });
  assembler.jump('bne', { rs1: T0, rs2: T2 }, print);
  assembler.constant(T1, ILLEGAL.charCodeAt(0));
  assembler.place(print);
  assembler.constant(T0, 0x1000_0000);
  const busy = assembler.place({});
  assembler.emit('lbu', { rd: T2, rs1: T0, imm: 5 });
  assembler.emit('andi', { rd: T2, rs1: T2, imm: 0x20 });
  assembler.jump('beq', { rs1: T2, rs2: 0 }, busy);
  assembler.emit('sb', { rs1: T0, rs2: T1, imm: 0 });
  assembler.emit('addi', { rd: S0, rs1: S0, imm: SLOT });
  assembler.jump('bne', { rs1: S0, rs2: S1 }, next);
  assembler.constant(T0, 0x10_0000);
  assembler.constant(T1, 0x5555);
  assembler.emit('sw', { rs1: T0, rs2: T1, imm: 0 });
  assembler.place(next);
  assembler.emit('csrrw', { rd: 0, csr: MEPC, rs1: S0 });
  assembler.emit('mret', {});

  slots.address = Math.ceil(assembler.pc / 0x1000) * 0x1000;
  end.address = slots.address + SLOT * words.length;
  const image = new Uint8Array(end.address - RAM_START);
  image.set(assembler.bytes());
  const view = new DataView(image.buffer);
  for (const [i, { word, size }] of words.entries()) {
    const at = slots.address - RAM_START + SLOT * i;
    view.setUint32(at, C_EBREAK | (C_EBREAK << 16), true);
    view.setUint32(at + 4, C_EBREAK | (C_EBREAK << 16), true);
    if (size === 2) view.setUint16(at, word, true);
    else view.setUint32(at, word, true);
  }
  return writeElf(image, RAM_START, RAM_START);
}

/** Returns all halfwords that the specification gives no meaning. */
export function illegalHalfwords(): Word[] {
  const words: Word[] = [];
  for (let word = 0; word < 0x1_0000; word++) {
    if ((word & 3) !== 3 && !decode(word)) words.push({ word, size: 2 });
  }
  return words;
}

/** Returns words without a meaning: random words, and instructions with a few fixed bits flipped. */
export function illegalWords(random: Random, count: number): Word[] {
  const words: Word[] = [];
  const full = INSTRUCTIONS.filter(({ size }) => size === 4);
  while (words.length < count) {
    let word = (random.u32() | 3) >>> 0;
    if (random.chance(0.8)) {
      const { match, mask } = random.pick(full);
      word = ((word & ~mask) | match) >>> 0;
      for (let flips = random.between(1, 3); flips > 0; flips--)
        word = (word ^ (1 << random.between(2, 31))) >>> 0;
    }
    if (!decode(word)) words.push({ word, size: 4 });
  }
  return words;
}
