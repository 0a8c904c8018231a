/** Integer instructions: RV64IM, Zba, Zbb, Zbs. */
import { Op } from '../assembly/opcodes.ts';
import type { RegionFunction } from './function.ts';
import type { Instruction } from './page.ts';
import { PAGE } from './parameters.ts';
import { I64, wasm } from './wasm.ts';

type Emit = (f: RegionFunction, instruction: Instruction) => void;

function immediate(op: number): Emit {
  return (f, { rs1, imm }) => {
    f.registers.get(rs1);
    f.code.i64(imm);
    f.code.op(op);
  };
}

function immediate32(op: number): Emit {
  return (f, { rs1, imm }) => {
    f.registers.get32(rs1);
    f.code.i32(imm);
    f.code.op(op, wasm.i64ExtendI32S);
  };
}

function binary(...ops: number[]): Emit {
  return (f, { rs1, rs2 }) => {
    f.registers.get(rs1);
    f.registers.get(rs2);
    f.code.op(...ops);
  };
}

function binary32(op: number): Emit {
  return (f, { rs1, rs2 }) => {
    f.registers.get32(rs1);
    f.registers.get32(rs2);
    f.code.op(op, wasm.i64ExtendI32S);
  };
}

function unary(...ops: number[]): Emit {
  return (f, { rs1 }) => {
    f.registers.get(rs1);
    f.code.op(...ops);
  };
}

function compareImmediate(op: number): Emit {
  const compare = immediate(op);
  return (f, instruction) => {
    compare(f, instruction);
    f.code.op(wasm.i64ExtendI32U);
  };
}

/** rs2 + (rs1 << shift), with rs1's low word only if `word`. */
function shiftAdd(shift: number, word: boolean): Emit {
  return (f, { rs1, rs2 }) => {
    if (word) {
      f.registers.get32(rs1);
      f.code.op(wasm.i64ExtendI32U);
    } else f.registers.get(rs1);
    if (shift) {
      f.code.i64(shift);
      f.code.op(wasm.i64Shl);
    }
    f.registers.get(rs2);
    f.code.op(wasm.i64Add);
  };
}

function withNot(op: number): Emit {
  return (f, { rs1, rs2 }) => {
    f.registers.get(rs1);
    f.registers.get(rs2);
    f.code.i64(-1);
    f.code.op(wasm.i64Xor, op);
  };
}

/** The greater or the lesser, as `compare` has it. */
function choose(compare: number): Emit {
  return (f, { rs1, rs2 }) => {
    f.registers.get(rs1);
    f.registers.get(rs2);
    f.registers.get(rs1);
    f.registers.get(rs2);
    f.code.op(compare, wasm.select);
  };
}

/** Pushes 1 << rs2, or 1 << the immediate. */
function bit(f: RegionFunction, { rs2, imm }: Instruction, constant: boolean): void {
  if (constant) {
    f.code.i64Bits(1n << BigInt(imm));
    return;
  }
  f.code.i64(1);
  f.registers.get(rs2);
  f.code.op(wasm.i64Shl);
}

function singleBit(constant: boolean, ...ops: number[]): Emit {
  return (f, instruction) => {
    f.registers.get(instruction.rs1);
    bit(f, instruction, constant);
    f.code.op(...ops);
  };
}

function clearBit(constant: boolean): Emit {
  return (f, instruction) => {
    f.registers.get(instruction.rs1);
    bit(f, instruction, constant);
    f.code.i64(-1);
    f.code.op(wasm.i64Xor, wasm.i64And);
  };
}

function extractBit(shift: Emit): Emit {
  return (f, instruction) => {
    shift(f, instruction);
    f.code.i64(1);
    f.code.op(wasm.i64And);
  };
}

/** Operations that WebAssembly lacks are the core's. */
function called(name: string): Emit {
  return (f, { rs1, rs2 }) => {
    f.registers.get(rs1);
    f.registers.get(rs2);
    f.call(name, [I64, I64], I64);
  };
}

/**
 * A division, which is defined for a divisor of 0 and for overflow (M extension, 7.2). The divisor 1 stands in
 * for those that WebAssembly traps on.
 */
function divide(signed: boolean, remainder: boolean, word: boolean): Emit {
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
    code.op(wasm.i64And, wasm.i64Or);
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

function count32(op: number): Emit {
  return (f, { rs1 }) => {
    f.registers.get32(rs1);
    f.code.op(op, wasm.i64ExtendI32U);
  };
}

function zeroExtend(mask: number): Emit {
  return (f, { rs1 }) => {
    f.registers.get(rs1);
    f.code.i64(mask);
    f.code.op(wasm.i64And);
  };
}

/** Each leaves its result on the stack. */
const EMITTERS = new Map<Op, Emit>([
  [Op.LI, (f, { imm }) => f.code.i64(imm)],
  [
    Op.AUIPC,
    (f, { imm }) => {
      f.code.get(PAGE);
      f.code.i64(imm);
      f.code.op(wasm.i64Add);
    },
  ],
  [Op.ADDI, immediate(wasm.i64Add)],
  [Op.SLTI, compareImmediate(wasm.i64LtS)],
  [Op.SLTIU, compareImmediate(wasm.i64LtU)],
  [Op.XORI, immediate(wasm.i64Xor)],
  [Op.ORI, immediate(wasm.i64Or)],
  [Op.ANDI, immediate(wasm.i64And)],
  [Op.SLLI, immediate(wasm.i64Shl)],
  [Op.SRLI, immediate(wasm.i64ShrU)],
  [Op.SRAI, immediate(wasm.i64ShrS)],
  [Op.ADDIW, immediate32(wasm.i32Add)],
  [Op.SLLIW, immediate32(wasm.i32Shl)],
  [Op.SRLIW, immediate32(wasm.i32ShrU)],
  [Op.SRAIW, immediate32(wasm.i32ShrS)],
  [Op.MV, unary()],
  [Op.ADD, binary(wasm.i64Add)],
  [Op.SUB, binary(wasm.i64Sub)],
  [Op.SLL, binary(wasm.i64Shl)],
  [Op.SLT, binary(wasm.i64LtS, wasm.i64ExtendI32U)],
  [Op.SLTU, binary(wasm.i64LtU, wasm.i64ExtendI32U)],
  [Op.XOR, binary(wasm.i64Xor)],
  [Op.SRL, binary(wasm.i64ShrU)],
  [Op.SRA, binary(wasm.i64ShrS)],
  [Op.OR, binary(wasm.i64Or)],
  [Op.AND, binary(wasm.i64And)],
  [Op.ADDW, binary32(wasm.i32Add)],
  [Op.SUBW, binary32(wasm.i32Sub)],
  [Op.SLLW, binary32(wasm.i32Shl)],
  [Op.SRLW, binary32(wasm.i32ShrU)],
  [Op.SRAW, binary32(wasm.i32ShrS)],
  [Op.MUL, binary(wasm.i64Mul)],
  [Op.MULH, called('mulh')],
  [Op.MULHSU, called('mulhsu')],
  [Op.MULHU, called('mulhu')],
  [Op.DIV, divide(true, false, false)],
  [Op.DIVU, divide(false, false, false)],
  [Op.REM, divide(true, true, false)],
  [Op.REMU, divide(false, true, false)],
  [Op.MULW, binary32(wasm.i32Mul)],
  [Op.DIVW, divide(true, false, true)],
  [Op.DIVUW, divide(false, false, true)],
  [Op.REMW, divide(true, true, true)],
  [Op.REMUW, divide(false, true, true)],
  [Op.ADD_UW, shiftAdd(0, true)],
  [Op.SH1ADD, shiftAdd(1, false)],
  [Op.SH2ADD, shiftAdd(2, false)],
  [Op.SH3ADD, shiftAdd(3, false)],
  [Op.SH1ADD_UW, shiftAdd(1, true)],
  [Op.SH2ADD_UW, shiftAdd(2, true)],
  [Op.SH3ADD_UW, shiftAdd(3, true)],
  [
    Op.SLLI_UW,
    (f, { rs1, imm }) => {
      f.registers.get32(rs1);
      f.code.op(wasm.i64ExtendI32U);
      f.code.i64(imm);
      f.code.op(wasm.i64Shl);
    },
  ],
  [Op.ANDN, withNot(wasm.i64And)],
  [Op.ORN, withNot(wasm.i64Or)],
  [Op.XNOR, withNot(wasm.i64Xor)],
  [Op.CLZ, unary(wasm.i64Clz)],
  [Op.CLZW, count32(wasm.i32Clz)],
  [Op.CTZ, unary(wasm.i64Ctz)],
  [Op.CTZW, count32(wasm.i32Ctz)],
  [Op.CPOP, unary(wasm.i64Popcnt)],
  [Op.CPOPW, count32(wasm.i32Popcnt)],
  [Op.MAX, choose(wasm.i64GtS)],
  [Op.MAXU, choose(wasm.i64GtU)],
  [Op.MIN, choose(wasm.i64LtS)],
  [Op.MINU, choose(wasm.i64LtU)],
  [Op.SEXT_B, unary(wasm.i64Extend8S)],
  [Op.SEXT_H, unary(wasm.i64Extend16S)],
  [Op.ZEXT_H, zeroExtend(0xffff)],
  [Op.ROL, binary(wasm.i64Rotl)],
  [Op.ROLW, binary32(wasm.i32Rotl)],
  [Op.ROR, binary(wasm.i64Rotr)],
  [Op.RORW, binary32(wasm.i32Rotr)],
  [Op.RORI, immediate(wasm.i64Rotr)],
  [Op.RORIW, immediate32(wasm.i32Rotr)],
  [Op.ORC_B, orCombine],
  [Op.REV8, reverseBytes],
  [Op.BCLR, clearBit(false)],
  [Op.BEXT, extractBit(binary(wasm.i64ShrU))],
  [Op.BINV, singleBit(false, wasm.i64Xor)],
  [Op.BSET, singleBit(false, wasm.i64Or)],
  [Op.BCLRI, clearBit(true)],
  [Op.BEXTI, extractBit(immediate(wasm.i64ShrU))],
  [Op.BINVI, singleBit(true, wasm.i64Xor)],
  [Op.BSETI, singleBit(true, wasm.i64Or)],
]);

/** Writes an integer instruction; false if it is none. */
export function emitInteger(f: RegionFunction, instruction: Instruction): boolean {
  const emit = EMITTERS.get(instruction.op);
  if (!emit) return false;
  if (instruction.rd === undefined) return true;
  f.registers.set(instruction.rd, () => emit(f, instruction));
  return true;
}

const CONDITIONS = [wasm.i64Eq, wasm.i64Ne, wasm.i64LtS, wasm.i64GeS, wasm.i64LtU, wasm.i64GeU];

/** Pushes whether a branch is taken. */
export function emitCondition(f: RegionFunction, { op, rs1, rs2 }: Instruction): void {
  const condition = (op - Op.BEQ_NEAR) % CONDITIONS.length;
  f.registers.get(rs1);
  f.registers.get(rs2);
  f.code.op(CONDITIONS[condition] as number);
}
