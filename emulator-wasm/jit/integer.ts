/**
 * Integer instructions: RV64IM, Zba, Zbb, Zbs, Zicond. The interpreter's cases and the emitters are made of
 * the same rows.
 */
import { IntegerOp, NearBranchOp } from '../assembly/riscv/opcodes.ts';
import type { Emit } from './emit.ts';
import {
  add,
  add32,
  and,
  call,
  clz,
  clz32,
  constant,
  ctz,
  ctz32,
  type Expression,
  gtS,
  gtU,
  imm,
  immw,
  isZero,
  ltS,
  ltU,
  mul,
  mul32,
  not,
  or,
  type Push,
  page,
  popcnt,
  popcnt32,
  rotl,
  rotl32,
  rotr,
  rotr32,
  rs1,
  rs2,
  select,
  shl,
  shl32,
  shrS,
  shrS32,
  shrU,
  shrU32,
  signExtend,
  signExtend8,
  signExtend16,
  sub,
  sub32,
  w1,
  w2,
  xor,
  zeroExtend,
} from './expression.ts';
import type { RegionFunction } from './function.ts';
import { type Integer, mapTable } from './operations.ts';
import type { Instruction } from './page.ts';
import { I64, wasm } from './wasm.ts';

/**
 * A division, which is defined for a divisor of 0 and for overflow (M extension, 7.2). The divisor 1 replaces
 * the divisors for which WebAssembly traps.
 */
function divide(signed: boolean, remainder: boolean, word: boolean): Push {
  const operand = (f: RegionFunction, register: number) => {
    if (word) {
      f.registers.get32(register);
      f.code.op(signed ? wasm.i64ExtendI32S : wasm.i64ExtendI32U);
    } else f.registers.get(register);
  };
  const op = signed ? (remainder ? wasm.i64RemS : wasm.i64DivS) : remainder ? wasm.i64RemU : wasm.i64DivU;
  return (f, { rs1, rs2 }) => {
    const { code } = f;
    const divisor = f.borrow(I64);
    if (!word) f.registers.widen(rs1);
    operand(f, rs2);
    code.tee(divisor);
    code.op(wasm.i64Eqz);
    code.if(I64);
    if (remainder) operand(f, rs1);
    else code.i64(-1);
    code.else();
    if (signed && !word) {
      code.get(divisor);
      code.i64(-1);
      code.op(wasm.i64Eq);
      code.if(I64);
      code.i64(0);
      if (!remainder) {
        operand(f, rs1);
        code.op(wasm.i64Sub);
      }
      code.else();
    }
    operand(f, rs1);
    code.get(divisor);
    code.op(op);
    if (signed && !word) code.end();
    code.end();
    if (word) code.op(wasm.i64Extend32S);
    f.release(I64, divisor);
  };
}

/**
 * The high word of a product, of four products of half words. Each operand that is signed and negative counts
 * 2^64 too much in the unsigned product.
 */
function multiplyHigh(signed1: boolean, signed2: boolean): Push {
  return (f, { rs1, rs2 }) => {
    const { code } = f;
    const [a, b, middle] = [f.borrow(I64), f.borrow(I64), f.borrow(I64)];
    const low = (local: number) => {
      code.get(local);
      code.i64(0xffff_ffff);
      code.op(wasm.i64And);
    };
    const high = (local: number) => {
      code.get(local);
      code.i64(32);
      code.op(wasm.i64ShrU);
    };
    f.registers.get(rs1);
    code.set(a);
    f.registers.get(rs2);
    code.set(b);
    low(a);
    low(b);
    code.op(wasm.i64Mul);
    code.i64(32);
    code.op(wasm.i64ShrU);
    high(a);
    low(b);
    code.ops(wasm.i64Mul, wasm.i64Add);
    code.set(middle);
    low(a);
    high(b);
    code.op(wasm.i64Mul);
    low(middle);
    code.op(wasm.i64Add);
    code.i64(32);
    code.op(wasm.i64ShrU);
    high(middle);
    code.op(wasm.i64Add);
    high(a);
    high(b);
    code.ops(wasm.i64Mul, wasm.i64Add);
    const correct = (negative: number, other: number) => {
      code.get(negative);
      code.i64(63);
      code.op(wasm.i64ShrS);
      code.get(other);
      code.ops(wasm.i64And, wasm.i64Sub);
    };
    if (signed1) correct(a, b);
    if (signed2) correct(b, a);
    f.release(I64, a, b, middle);
  };
}

function reverseBytes(f: RegionFunction, { rs1 }: Instruction): void {
  const { code } = f;
  const swap = (mask: bigint, shift: number) => {
    const value = f.borrow(I64);
    code.tee(value);
    code.i64Bits(mask);
    code.op(wasm.i64And);
    code.i64(shift);
    code.op(wasm.i64Shl);
    code.get(value);
    code.i64(shift);
    code.op(wasm.i64ShrU);
    code.i64Bits(mask);
    code.ops(wasm.i64And, wasm.i64Or);
    f.release(I64, value);
  };
  f.registers.get(rs1);
  swap(0x00ff_00ff_00ff_00ffn, 8);
  swap(0x0000_ffff_0000_ffffn, 16);
  code.i64(32);
  code.op(wasm.i64Rotl);
}

/** Each byte that is not zero becomes 0xff. */
function orCombine(f: RegionFunction, { rs1 }: Instruction): void {
  const { code } = f;
  const low = 0x7f7f_7f7f_7f7f_7f7fn;
  f.registers.get(rs1);
  code.i64Bits(low);
  code.op(wasm.i64And);
  code.i64Bits(low);
  code.op(wasm.i64Add);
  f.registers.get(rs1);
  code.op(wasm.i64Or);
  code.i64Bits(~low);
  code.op(wasm.i64And);
  code.i64(7);
  code.op(wasm.i64ShrU);
  code.i64(0xff);
  code.op(wasm.i64Mul);
}

const bit = (number: Expression) => shl(constant(1), number);

/** The value that each instruction writes to rd. */
export const INTEGER_RESULTS: Readonly<Record<Integer, Expression>> = {
  // Immediate
  [IntegerOp.LI]: imm,
  [IntegerOp.AUIPC]: add(page, imm),
  [IntegerOp.ADDI]: add(rs1, imm),
  [IntegerOp.SLTI]: zeroExtend(ltS(rs1, imm)),
  [IntegerOp.SLTIU]: zeroExtend(ltU(rs1, imm)),
  [IntegerOp.XORI]: xor(rs1, imm),
  [IntegerOp.ORI]: or(rs1, imm),
  [IntegerOp.ANDI]: and(rs1, imm),
  [IntegerOp.SLLI]: shl(rs1, imm),
  [IntegerOp.SRLI]: shrU(rs1, imm),
  [IntegerOp.SRAI]: shrS(rs1, imm),
  [IntegerOp.ADDIW]: signExtend(add32(w1, immw)),
  [IntegerOp.SLLIW]: signExtend(shl32(w1, immw)),
  [IntegerOp.SRLIW]: signExtend(shrU32(w1, immw)),
  [IntegerOp.SRAIW]: signExtend(shrS32(w1, immw)),
  [IntegerOp.MV]: rs1,
  // Register
  [IntegerOp.ADD]: add(rs1, rs2),
  [IntegerOp.SUB]: sub(rs1, rs2),
  [IntegerOp.SLL]: shl(rs1, rs2),
  [IntegerOp.SLT]: zeroExtend(ltS(rs1, rs2)),
  [IntegerOp.SLTU]: zeroExtend(ltU(rs1, rs2)),
  [IntegerOp.XOR]: xor(rs1, rs2),
  [IntegerOp.SRL]: shrU(rs1, rs2),
  [IntegerOp.SRA]: shrS(rs1, rs2),
  [IntegerOp.OR]: or(rs1, rs2),
  [IntegerOp.AND]: and(rs1, rs2),
  [IntegerOp.ADDW]: signExtend(add32(w1, w2)),
  [IntegerOp.SUBW]: signExtend(sub32(w1, w2)),
  [IntegerOp.SLLW]: signExtend(shl32(w1, w2)),
  [IntegerOp.SRLW]: signExtend(shrU32(w1, w2)),
  [IntegerOp.SRAW]: signExtend(shrS32(w1, w2)),
  // M
  [IntegerOp.MUL]: mul(rs1, rs2),
  [IntegerOp.MULH]: call('mulh', [rs1, rs2], multiplyHigh(true, true)),
  [IntegerOp.MULHSU]: call('mulhsu', [rs1, rs2], multiplyHigh(true, false)),
  [IntegerOp.MULHU]: call('mulhu', [rs1, rs2], multiplyHigh(false, false)),
  [IntegerOp.DIV]: call('div', [rs1, rs2], divide(true, false, false)),
  [IntegerOp.DIVU]: call('divu', [rs1, rs2], divide(false, false, false)),
  [IntegerOp.REM]: call('rem', [rs1, rs2], divide(true, true, false)),
  [IntegerOp.REMU]: call('remu', [rs1, rs2], divide(false, true, false)),
  [IntegerOp.MULW]: signExtend(mul32(w1, w2)),
  [IntegerOp.DIVW]: call('divw', [w1, w2], divide(true, false, true)),
  [IntegerOp.DIVUW]: call('divuw', [w1, w2], divide(false, false, true)),
  [IntegerOp.REMW]: call('remw', [w1, w2], divide(true, true, true)),
  [IntegerOp.REMUW]: call('remuw', [w1, w2], divide(false, true, true)),
  // Zba
  [IntegerOp.ADD_UW]: add(zeroExtend(w1), rs2),
  [IntegerOp.SH1ADD]: add(shl(rs1, constant(1)), rs2),
  [IntegerOp.SH2ADD]: add(shl(rs1, constant(2)), rs2),
  [IntegerOp.SH3ADD]: add(shl(rs1, constant(3)), rs2),
  [IntegerOp.SH1ADD_UW]: add(shl(zeroExtend(w1), constant(1)), rs2),
  [IntegerOp.SH2ADD_UW]: add(shl(zeroExtend(w1), constant(2)), rs2),
  [IntegerOp.SH3ADD_UW]: add(shl(zeroExtend(w1), constant(3)), rs2),
  [IntegerOp.SLLI_UW]: shl(zeroExtend(w1), imm),
  // Zbb
  [IntegerOp.ANDN]: and(rs1, not(rs2)),
  [IntegerOp.ORN]: or(rs1, not(rs2)),
  [IntegerOp.XNOR]: xor(rs1, not(rs2)),
  [IntegerOp.CLZ]: clz(rs1),
  [IntegerOp.CLZW]: zeroExtend(clz32(w1)),
  [IntegerOp.CTZ]: ctz(rs1),
  [IntegerOp.CTZW]: zeroExtend(ctz32(w1)),
  [IntegerOp.CPOP]: popcnt(rs1),
  [IntegerOp.CPOPW]: zeroExtend(popcnt32(w1)),
  [IntegerOp.MAX]: select(rs1, rs2, gtS(rs1, rs2)),
  [IntegerOp.MAXU]: select(rs1, rs2, gtU(rs1, rs2)),
  [IntegerOp.MIN]: select(rs1, rs2, ltS(rs1, rs2)),
  [IntegerOp.MINU]: select(rs1, rs2, ltU(rs1, rs2)),
  [IntegerOp.SEXT_B]: signExtend8(rs1),
  [IntegerOp.SEXT_H]: signExtend16(rs1),
  [IntegerOp.ZEXT_H]: and(rs1, constant(0xffff)),
  [IntegerOp.ROL]: rotl(rs1, rs2),
  [IntegerOp.ROLW]: signExtend(rotl32(w1, w2)),
  [IntegerOp.ROR]: rotr(rs1, rs2),
  [IntegerOp.RORW]: signExtend(rotr32(w1, w2)),
  [IntegerOp.RORI]: rotr(rs1, imm),
  [IntegerOp.RORIW]: signExtend(rotr32(w1, immw)),
  [IntegerOp.ORC_B]: call('orcB', [rs1], orCombine),
  [IntegerOp.REV8]: call('rev8', [rs1], reverseBytes),
  // Zbs
  [IntegerOp.BCLR]: and(rs1, not(bit(rs2))),
  [IntegerOp.BEXT]: and(shrU(rs1, rs2), constant(1)),
  [IntegerOp.BINV]: xor(rs1, bit(rs2)),
  [IntegerOp.BSET]: or(rs1, bit(rs2)),
  [IntegerOp.BCLRI]: and(rs1, not(bit(imm))),
  [IntegerOp.BEXTI]: and(shrU(rs1, imm), constant(1)),
  [IntegerOp.BINVI]: xor(rs1, bit(imm)),
  [IntegerOp.BSETI]: or(rs1, bit(imm)),
  // Zicond
  [IntegerOp.CZERO_EQZ]: select(constant(0), rs1, isZero(rs2)),
  [IntegerOp.CZERO_NEZ]: select(rs1, constant(0), isZero(rs2)),
};

/** The emitters of all integer instructions. */
export const INTEGER = mapTable(
  INTEGER_RESULTS,
  ({ push, word }): Emit =>
    (f, instruction) => {
      const { rd } = instruction;
      if (rd === undefined) return;
      const isWord = word?.holds(f, instruction);
      if (isWord && word?.isNarrow(f, instruction)) {
        word.push(f, instruction);
        f.registers.setWord(rd);
        return;
      }
      push(f, instruction);
      f.registers.set(rd);
      if (isWord) f.registers.noteWord(rd);
    },
);

const CONDITIONS = [wasm.i64Eq, wasm.i64Ne, wasm.i64LtS, wasm.i64GeS, wasm.i64LtU, wasm.i64GeU];

/** Pushes whether a branch is taken. */
export function emitCondition(f: RegionFunction, { op, rs1, rs2 }: Instruction): void {
  const condition = (op - NearBranchOp.BEQ_NEAR) % CONDITIONS.length;
  f.registers.get(rs1);
  f.registers.get(rs2);
  f.code.op(CONDITIONS[condition] as number);
}
