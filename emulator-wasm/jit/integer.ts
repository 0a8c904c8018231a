/** Integer instructions: RV64IM, Zba, Zbb, Zbs, Zicond. */
import { IntegerOp, NearBranchOp } from '../assembly/opcodes.ts';
import type { Emit } from './emit.ts';
import type { RegionFunction } from './function.ts';
import { type Integer, mapTable } from './operations.ts';
import type { Instruction } from './page.ts';
import { PAGE } from './parameters.ts';
import { I64, wasm } from './wasm.ts';

/** Leaves the result on the stack. */
type Push = (f: RegionFunction, instruction: Instruction) => void;

function immediate(op: number): Push {
  return (f, { rs1, imm }) => {
    f.registers.get(rs1);
    f.code.i64(imm);
    f.code.op(op);
  };
}

function immediate32(op: number): Push {
  return (f, { rs1, imm }) => {
    f.registers.get32(rs1);
    f.code.i32(imm);
    f.code.op(op, wasm.i64ExtendI32S);
  };
}

function binary(...ops: number[]): Push {
  return (f, { rs1, rs2 }) => {
    f.registers.get(rs1);
    f.registers.get(rs2);
    f.code.op(...ops);
  };
}

function binary32(op: number): Push {
  return (f, { rs1, rs2 }) => {
    f.registers.get32(rs1);
    f.registers.get32(rs2);
    f.code.op(op, wasm.i64ExtendI32S);
  };
}

function unary(...ops: number[]): Push {
  return (f, { rs1 }) => {
    f.registers.get(rs1);
    f.code.op(...ops);
  };
}

function compareImmediate(op: number): Push {
  const compare = immediate(op);
  return (f, instruction) => {
    compare(f, instruction);
    f.code.op(wasm.i64ExtendI32U);
  };
}

/** rs2 + (rs1 << shift), with rs1's low word only if `word`. */
function shiftAdd(shift: number, word: boolean): Push {
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

function withNot(op: number): Push {
  return (f, { rs1, rs2 }) => {
    f.registers.get(rs1);
    f.registers.get(rs2);
    f.code.i64(-1);
    f.code.op(wasm.i64Xor, op);
  };
}

/** The greater or the lesser, as `compare` has it. */
function choose(compare: number): Push {
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

function singleBit(constant: boolean, ...ops: number[]): Push {
  return (f, instruction) => {
    f.registers.get(instruction.rs1);
    bit(f, instruction, constant);
    f.code.op(...ops);
  };
}

function clearBit(constant: boolean): Push {
  return (f, instruction) => {
    f.registers.get(instruction.rs1);
    bit(f, instruction, constant);
    f.code.i64(-1);
    f.code.op(wasm.i64Xor, wasm.i64And);
  };
}

function extractBit(shift: Push): Push {
  return (f, instruction) => {
    shift(f, instruction);
    f.code.i64(1);
    f.code.op(wasm.i64And);
  };
}

/** Operations that WebAssembly lacks are the core's. */
function called(name: string): Push {
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

/** rs1, or 0 where rs2 is 0 or is not. */
function zeroIf(isZero: boolean): Push {
  return (f, { rs1, rs2 }) => {
    if (isZero) f.code.i64(0);
    f.registers.get(rs1);
    if (!isZero) f.code.i64(0);
    f.registers.get(rs2);
    f.code.op(wasm.i64Eqz, wasm.select);
  };
}

function count32(op: number): Push {
  return (f, { rs1 }) => {
    f.registers.get32(rs1);
    f.code.op(op, wasm.i64ExtendI32U);
  };
}

function zeroExtend(mask: number): Push {
  return (f, { rs1 }) => {
    f.registers.get(rs1);
    f.code.i64(mask);
    f.code.op(wasm.i64And);
  };
}

const RESULTS = {
  [IntegerOp.LI]: (f, { imm }) => f.code.i64(imm),
  [IntegerOp.AUIPC]: (f, { imm }) => {
    f.code.get(PAGE);
    f.code.i64(imm);
    f.code.op(wasm.i64Add);
  },
  [IntegerOp.ADDI]: immediate(wasm.i64Add),
  [IntegerOp.SLTI]: compareImmediate(wasm.i64LtS),
  [IntegerOp.SLTIU]: compareImmediate(wasm.i64LtU),
  [IntegerOp.XORI]: immediate(wasm.i64Xor),
  [IntegerOp.ORI]: immediate(wasm.i64Or),
  [IntegerOp.ANDI]: immediate(wasm.i64And),
  [IntegerOp.SLLI]: immediate(wasm.i64Shl),
  [IntegerOp.SRLI]: immediate(wasm.i64ShrU),
  [IntegerOp.SRAI]: immediate(wasm.i64ShrS),
  [IntegerOp.ADDIW]: immediate32(wasm.i32Add),
  [IntegerOp.SLLIW]: immediate32(wasm.i32Shl),
  [IntegerOp.SRLIW]: immediate32(wasm.i32ShrU),
  [IntegerOp.SRAIW]: immediate32(wasm.i32ShrS),
  [IntegerOp.MV]: unary(),
  [IntegerOp.ADD]: binary(wasm.i64Add),
  [IntegerOp.SUB]: binary(wasm.i64Sub),
  [IntegerOp.SLL]: binary(wasm.i64Shl),
  [IntegerOp.SLT]: binary(wasm.i64LtS, wasm.i64ExtendI32U),
  [IntegerOp.SLTU]: binary(wasm.i64LtU, wasm.i64ExtendI32U),
  [IntegerOp.XOR]: binary(wasm.i64Xor),
  [IntegerOp.SRL]: binary(wasm.i64ShrU),
  [IntegerOp.SRA]: binary(wasm.i64ShrS),
  [IntegerOp.OR]: binary(wasm.i64Or),
  [IntegerOp.AND]: binary(wasm.i64And),
  [IntegerOp.ADDW]: binary32(wasm.i32Add),
  [IntegerOp.SUBW]: binary32(wasm.i32Sub),
  [IntegerOp.SLLW]: binary32(wasm.i32Shl),
  [IntegerOp.SRLW]: binary32(wasm.i32ShrU),
  [IntegerOp.SRAW]: binary32(wasm.i32ShrS),
  [IntegerOp.MUL]: binary(wasm.i64Mul),
  [IntegerOp.MULH]: called('mulh'),
  [IntegerOp.MULHSU]: called('mulhsu'),
  [IntegerOp.MULHU]: called('mulhu'),
  [IntegerOp.DIV]: divide(true, false, false),
  [IntegerOp.DIVU]: divide(false, false, false),
  [IntegerOp.REM]: divide(true, true, false),
  [IntegerOp.REMU]: divide(false, true, false),
  [IntegerOp.MULW]: binary32(wasm.i32Mul),
  [IntegerOp.DIVW]: divide(true, false, true),
  [IntegerOp.DIVUW]: divide(false, false, true),
  [IntegerOp.REMW]: divide(true, true, true),
  [IntegerOp.REMUW]: divide(false, true, true),
  [IntegerOp.ADD_UW]: shiftAdd(0, true),
  [IntegerOp.SH1ADD]: shiftAdd(1, false),
  [IntegerOp.SH2ADD]: shiftAdd(2, false),
  [IntegerOp.SH3ADD]: shiftAdd(3, false),
  [IntegerOp.SH1ADD_UW]: shiftAdd(1, true),
  [IntegerOp.SH2ADD_UW]: shiftAdd(2, true),
  [IntegerOp.SH3ADD_UW]: shiftAdd(3, true),
  [IntegerOp.SLLI_UW]: (f, { rs1, imm }) => {
    f.registers.get32(rs1);
    f.code.op(wasm.i64ExtendI32U);
    f.code.i64(imm);
    f.code.op(wasm.i64Shl);
  },
  [IntegerOp.ANDN]: withNot(wasm.i64And),
  [IntegerOp.ORN]: withNot(wasm.i64Or),
  [IntegerOp.XNOR]: withNot(wasm.i64Xor),
  [IntegerOp.CLZ]: unary(wasm.i64Clz),
  [IntegerOp.CLZW]: count32(wasm.i32Clz),
  [IntegerOp.CTZ]: unary(wasm.i64Ctz),
  [IntegerOp.CTZW]: count32(wasm.i32Ctz),
  [IntegerOp.CPOP]: unary(wasm.i64Popcnt),
  [IntegerOp.CPOPW]: count32(wasm.i32Popcnt),
  [IntegerOp.MAX]: choose(wasm.i64GtS),
  [IntegerOp.MAXU]: choose(wasm.i64GtU),
  [IntegerOp.MIN]: choose(wasm.i64LtS),
  [IntegerOp.MINU]: choose(wasm.i64LtU),
  [IntegerOp.SEXT_B]: unary(wasm.i64Extend8S),
  [IntegerOp.SEXT_H]: unary(wasm.i64Extend16S),
  [IntegerOp.ZEXT_H]: zeroExtend(0xffff),
  [IntegerOp.ROL]: binary(wasm.i64Rotl),
  [IntegerOp.ROLW]: binary32(wasm.i32Rotl),
  [IntegerOp.ROR]: binary(wasm.i64Rotr),
  [IntegerOp.RORW]: binary32(wasm.i32Rotr),
  [IntegerOp.RORI]: immediate(wasm.i64Rotr),
  [IntegerOp.RORIW]: immediate32(wasm.i32Rotr),
  [IntegerOp.ORC_B]: orCombine,
  [IntegerOp.REV8]: reverseBytes,
  [IntegerOp.BCLR]: clearBit(false),
  [IntegerOp.BEXT]: extractBit(binary(wasm.i64ShrU)),
  [IntegerOp.BINV]: singleBit(false, wasm.i64Xor),
  [IntegerOp.BSET]: singleBit(false, wasm.i64Or),
  [IntegerOp.BCLRI]: clearBit(true),
  [IntegerOp.BEXTI]: extractBit(immediate(wasm.i64ShrU)),
  [IntegerOp.BINVI]: singleBit(true, wasm.i64Xor),
  [IntegerOp.BSETI]: singleBit(true, wasm.i64Or),
  [IntegerOp.CZERO_EQZ]: zeroIf(true),
  [IntegerOp.CZERO_NEZ]: zeroIf(false),
} satisfies Record<Integer, Push>;

/** What writes each integer instruction. */
export const INTEGER = mapTable(
  RESULTS,
  (push: Push): Emit =>
    (f, instruction) => {
      const { rd } = instruction;
      if (rd !== undefined) f.registers.set(rd, () => push(f, instruction));
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
