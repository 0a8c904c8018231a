/** Operations on masks, single elements and whole registers (V 1.0, chapters 15 and 16). */
import { OPIVI, OPMVV, OPMVX } from '../assembly/riscv/vector/opcodes.ts';
import { HART } from './parameters.ts';
import { lanes, onLanes } from './simd.ts';
import { groupLength, isAligned, type Plan, type VectorContext } from './vector-code.ts';
import type { VectorInstruction, VectorType } from './vector-type.ts';
import { addressOf } from './vector-unit.ts';
import { I64, wasm } from './wasm.ts';

const MOVE_REGISTERS = 0x27;
const SCALAR = 0x10;
const MASK_UNARY = 0x14;
const FIRST_LOGIC = 0x18;
const LAST_LOGIC = 0x1f;
/** vs1 of those with the same funct6. */
const FIRST_ELEMENT = 0;
const COUNT = 16;
const FIND_FIRST = 17;
const INDEX = 17;

export function planMask(fields: VectorInstruction, type: VectorType): Plan | undefined {
  const { funct3, funct6, unmasked, vs1, vs2 } = fields;
  if (funct3 === OPIVI && funct6 === MOVE_REGISTERS) return planMove(fields);
  if (funct3 === OPMVX && funct6 === SCALAR) return unmasked && vs2 === 0 ? planSetFirst(type) : undefined;
  if (funct3 !== OPMVV) return undefined;
  if (funct6 === SCALAR) {
    if (vs1 === FIRST_ELEMENT) return unmasked ? planGetFirst(type) : undefined;
    if (type.longest > 64) return undefined;
    if (vs1 === COUNT) return planCount();
    return vs1 === FIND_FIRST ? planFindFirst() : undefined;
  }
  if (funct6 === MASK_UNARY) return vs1 === INDEX ? planIndex(fields, type) : undefined;
  if (funct6 >= FIRST_LOGIC && funct6 <= LAST_LOGIC && unmasked && type.longest <= 64)
    return planLogic(fields);
  return undefined;
}

/** vmv1r.v … vmv8r.v */
function planMove({ vs1, vs2, vd, unmasked }: VectorInstruction): Plan | undefined {
  const count = vs1 + 1;
  if (!unmasked || count > 8 || (count & vs1) !== 0 || (vd & vs1) !== 0 || (vs2 & vs1) !== 0)
    return undefined;
  return {
    writes: count,
    emit(context) {
      context.requireLength();
      for (let k = 0; k < count; k++) {
        context.unit.get(vs2 + k);
        context.unit.set(vd + k);
      }
    },
  };
}

const LOADS = [wasm.i64Load8S, wasm.i64Load16S, wasm.i64Load32S, wasm.i64Load] as const;

/** vmv.x.s */
function planGetFirst({ sew }: VectorType): Plan {
  return {
    writes: 0,
    hasResult: true,
    emit(context) {
      context.requireLength();
      context.code.get(HART);
      context.code.memory(LOADS[sew] as number, addressOf(context.fields.vs2));
    },
  };
}

const REPLACE = [0x17, 0x1a, 0x1c, 0x1e] as const;

/** vmv.s.x */
function planSetFirst({ sew }: VectorType): Plan {
  return {
    writes: 1,
    emit(context) {
      const { code, f, unit, fields, instruction } = context;
      context.requireLength();
      code.get(unit.length);
      code.op(wasm.i32Eqz);
      context.leaveIf();
      unit.get(fields.vd);
      if (sew === 3) f.registers.get(instruction.rs1);
      else f.registers.get32(instruction.rs1);
      code.simdLane(REPLACE[sew] as number, 0);
      unit.set(fields.vd);
    },
  };
}

/** Pushes the active bits of a mask. */
function pushActiveBits(context: VectorContext, register: number): void {
  context.code.get(HART);
  context.code.memory(wasm.i64Load, addressOf(register));
  context.pushBits();
  context.code.op(wasm.i64And);
}

/** vcpop.m */
function planCount(): Plan {
  return {
    writes: 0,
    hasResult: true,
    emit(context) {
      context.requireLength();
      pushActiveBits(context, context.fields.vs2);
      context.code.op(wasm.i64Popcnt);
    },
  };
}

/** vfirst.m */
function planFindFirst(): Plan {
  return {
    writes: 0,
    hasResult: true,
    emit(context) {
      const { code, f } = context;
      const bits = f.borrow(I64);
      context.requireLength();
      pushActiveBits(context, context.fields.vs2);
      code.set(bits);
      code.get(bits);
      code.op(wasm.i64Ctz);
      code.i64(-1);
      code.get(bits);
      code.ops(wasm.i64Eqz, wasm.i32Eqz, wasm.select);
      f.release(I64, bits);
    },
  };
}

/** vid.v */
function planIndex({ vd, vs2, unmasked }: VectorInstruction, { sew, lmul }: VectorType): Plan | undefined {
  if (vs2 !== 0 || !isAligned(vd, lmul) || (!unmasked && vd === 0)) return undefined;
  const bytes = 1 << sew;
  const numbers = Array.from({ length: 16 }, (_, n) => (n % bytes === 0 ? n / bytes : 0));
  return {
    writes: groupLength(lmul),
    emit(context) {
      context.begin(lmul);
      for (let k = 0; k < groupLength(lmul); k++) {
        context.constant(numbers);
        if (k > 0) {
          context.splat((16 / bytes) * k, sew);
          context.code.simd(onLanes(lanes.add, sew));
        }
        context.set(k, sew);
      }
    },
  };
}

/** The operation, and whether its second operand or its result is inverted. */
interface Logic {
  readonly operation: number;
  readonly invertsSecond?: true;
  readonly invertsResult?: true;
}

/** vmandn, vmand, vmor, vmxor, vmorn, vmnand, vmnor, vmxnor, by funct6. */
const LOGIC: readonly Logic[] = [
  { operation: wasm.i64And, invertsSecond: true },
  { operation: wasm.i64And },
  { operation: wasm.i64Or },
  { operation: wasm.i64Xor },
  { operation: wasm.i64Or, invertsSecond: true },
  { operation: wasm.i64And, invertsResult: true },
  { operation: wasm.i64Or, invertsResult: true },
  { operation: wasm.i64Xor, invertsResult: true },
];

function planLogic({ funct6, vs1, vs2 }: VectorInstruction): Plan {
  const { operation, invertsSecond, invertsResult } = LOGIC[funct6 - FIRST_LOGIC] as Logic;
  return {
    writes: 0,
    emit(context) {
      const { code } = context;
      const invert = () => {
        code.i64(-1);
        code.op(wasm.i64Xor);
      };
      context.requireLength();
      code.get(HART);
      code.memory(wasm.i64Load, addressOf(vs2));
      code.get(HART);
      code.memory(wasm.i64Load, addressOf(vs1));
      if (invertsSecond) invert();
      code.op(operation);
      if (invertsResult) invert();
      context.setBits();
    },
  };
}
