/**
 * The meaning of an instruction, stated once. An expression has a text in AssemblyScript, which becomes a
 * case of the interpreter's switch at set-up, and a function with which the translator pushes its value.
 */
import type { RegionFunction } from './function.ts';
import type { Instruction } from './page.ts';
import { PAGE } from './parameters.ts';
import { wasm } from './wasm.ts';

/** Leaves a value on the stack. */
export type Push = (f: RegionFunction, instruction: Instruction) => void;

export interface Expression<Type extends 'i32' | 'i64' = 'i64'> {
  readonly type: Type;
  /** An AssemblyScript expression of type u32 or u64, with the names of the interpreter's loop. */
  readonly text: string;
  readonly push: Push;
  /** For values of 64 bits that may be sign-extended words. */
  readonly word?: AsWord | undefined;
}
type Word = Expression<'i32'>;

/** A value of 64 bits as a word. */
interface AsWord {
  /** Whether the value is certainly a sign-extended word. */
  readonly holds: (f: RegionFunction, instruction: Instruction) => boolean;
  /** Whether the word is available more cheaply than 64 bits. */
  readonly isNarrow: (f: RegionFunction, instruction: Instruction) => boolean;
  /** Pushes the word, if it is one. */
  readonly push: Push;
}

const always = () => true;
const never = () => false;

export const wide = (text: string, push: Push, word?: AsWord): Expression => ({
  type: 'i64',
  text,
  push,
  word,
});
const word = (text: string, push: Push): Word => ({ type: 'i32', text, push });

export const rs1 = wide('rs1(h, p)', (f, i) => f.registers.get(i.rs1), {
  holds: (f, i) => f.registers.isWord(i.rs1),
  isNarrow: (f, i) => f.registers.isNarrow(i.rs1),
  push: (f, i) => f.registers.get32(i.rs1),
});
export const rs2 = wide('rs2(h, p)', (f, i) => f.registers.get(i.rs2), {
  holds: (f, i) => f.registers.isWord(i.rs2),
  isNarrow: (f, i) => f.registers.isNarrow(i.rs2),
  push: (f, i) => f.registers.get32(i.rs2),
});
export const imm = wide('imm(p)', (f, i) => f.code.i64(i.imm), {
  holds: always,
  isNarrow: never,
  push: (f, i) => f.code.i32(i.imm),
});
/** The low words. */
export const w1 = word('w1(h, p)', (f, i) => f.registers.get32(i.rs1));
export const w2 = word('w2(h, p)', (f, i) => f.registers.get32(i.rs2));
export const immw = word('immw(p)', (f, i) => f.code.i32(i.imm));
/** The virtual address of the instruction's page. */
export const page = wide('pageVa', (f) => f.code.get(PAGE));
/** @param value of 32 bits */
export const constant = (value: number) =>
  wide(`<u64>${value}`, (f) => f.code.i64(value), {
    holds: always,
    isNarrow: never,
    push: (f) => f.code.i32(value),
  });

/** Pushes operands, then applies operations of WebAssembly. */
function applied(operands: readonly Expression<'i32' | 'i64'>[], ...ops: number[]): Push {
  return (f, instruction) => {
    for (const operand of operands) operand.push(f, instruction);
    f.code.ops(...ops);
  };
}

const infix = (sign: string, op: number) => (a: Expression, b: Expression) =>
  wide(`(${a.text} ${sign} ${b.text})`, applied([a, b], op));
/** An operation on each bit. On sign-extended words it needs only their low 32 bits. */
const bitwise = (sign: string, op: number, op32: number) => (a: Expression, b: Expression) => {
  const [x, y] = [a.word, b.word];
  return wide(
    `(${a.text} ${sign} ${b.text})`,
    applied([a, b], op),
    x &&
      y && {
        holds: (f, i) => x.holds(f, i) && y.holds(f, i),
        isNarrow: (f, i) => x.isNarrow(f, i) || y.isNarrow(f, i),
        push: (f, i) => {
          x.push(f, i);
          y.push(f, i);
          f.code.op(op32);
        },
      },
  );
};
const infix32 = (sign: string, op: number) => (a: Word, b: Word) =>
  word(`(${a.text} ${sign} ${b.text})`, applied([a, b], op));
const builtin =
  (name: string, op: number) =>
  (...operands: Expression[]) =>
    wide(`${name}<u64>(${operands.map(({ text }) => text)})`, applied(operands, op));
const builtin32 =
  (name: string, op: number) =>
  (...operands: Word[]) =>
    word(`${name}<u32>(${operands.map(({ text }) => text)})`, applied(operands, op));
const signedComparison = (sign: string, op: number) => (a: Expression, b: Expression) =>
  word(`<u32>(<i64>${a.text} ${sign} <i64>${b.text})`, applied([a, b], op));
const unsignedComparison = (sign: string, op: number) => (a: Expression, b: Expression) =>
  word(`<u32>(${a.text} ${sign} ${b.text})`, applied([a, b], op));

export const add = infix('+', wasm.i64Add);
export const sub = infix('-', wasm.i64Sub);
export const mul = infix('*', wasm.i64Mul);
export const and = bitwise('&', wasm.i64And, wasm.i32And);
export const or = bitwise('|', wasm.i64Or, wasm.i32Or);
export const xor = bitwise('^', wasm.i64Xor, wasm.i32Xor);
export const shl = infix('<<', wasm.i64Shl);
export const shrU = infix('>>', wasm.i64ShrU);
export const shrS = (a: Expression, b: Expression) =>
  wide(`<u64>(<i64>${a.text} >> <i64>${b.text})`, applied([a, b], wasm.i64ShrS));
export const rotl = builtin('rotl', wasm.i64Rotl);
export const rotr = builtin('rotr', wasm.i64Rotr);
export const clz = builtin('clz', wasm.i64Clz);
export const ctz = builtin('ctz', wasm.i64Ctz);
export const popcnt = builtin('popcnt', wasm.i64Popcnt);
export const not = (a: Expression) => xor(a, constant(-1));

export const add32 = infix32('+', wasm.i32Add);
export const sub32 = infix32('-', wasm.i32Sub);
export const mul32 = infix32('*', wasm.i32Mul);
export const shl32 = infix32('<<', wasm.i32Shl);
export const shrU32 = infix32('>>>', wasm.i32ShrU);
export const shrS32 = (a: Word, b: Word) =>
  word(`<u32>(<i32>${a.text} >> <i32>${b.text})`, applied([a, b], wasm.i32ShrS));
export const rotl32 = builtin32('rotl', wasm.i32Rotl);
export const rotr32 = builtin32('rotr', wasm.i32Rotr);
export const clz32 = builtin32('clz', wasm.i32Clz);
export const ctz32 = builtin32('ctz', wasm.i32Ctz);
export const popcnt32 = builtin32('popcnt', wasm.i32Popcnt);

export const ltS = signedComparison('<', wasm.i64LtS);
export const ltU = unsignedComparison('<', wasm.i64LtU);
export const gtS = signedComparison('>', wasm.i64GtS);
export const gtU = unsignedComparison('>', wasm.i64GtU);
export const isZero = (a: Expression) => word(`<u32>(${a.text} == 0)`, applied([a], wasm.i64Eqz));

export const zeroExtend = (a: Word) => wide(`<u64>${a.text}`, applied([a], wasm.i64ExtendI32U));
export const signExtend = (a: Word) =>
  wide(`<u64><i64><i32>${a.text}`, applied([a], wasm.i64ExtendI32S), {
    holds: always,
    isNarrow: always,
    push: a.push,
  });
export const signExtend8 = (a: Expression) => wide(`<u64><i64><i8>${a.text}`, applied([a], wasm.i64Extend8S));
export const signExtend16 = (a: Expression) =>
  wide(`<u64><i64><i16>${a.text}`, applied([a], wasm.i64Extend16S));

/** `a` if the condition holds, else `b`. */
export const select = (a: Expression, b: Expression, condition: Word) =>
  wide(`select<u64>(${a.text}, ${b.text}, ${condition.text})`, applied([a, b, condition], wasm.select));

/** The result of a function of `assembly/riscv/integer.ts`. Compiled code computes it inline. */
export const call = (name: string, operands: readonly Expression<'i32' | 'i64'>[], push: Push) =>
  wide(`integer.${name}(${operands.map(({ text }) => text)})`, push);
