/**
 * Floating point. Operations use the host's arithmetic where its result is correct in every flag, as in the
 * core's `fpu`: with round to nearest, NX accrued already or not raised, and a result that raises nothing
 * else. The interpreter executes all others.
 */
import { FloatOp } from '../assembly/riscv/opcodes.ts';
import type { Emit } from './emit.ts';
import { rs1, signExtend, w1 } from './expression.ts';
import {
  compare,
  difference,
  extreme,
  moveToSingle,
  multiplySigns,
  negateSign,
  product,
  quotient,
  root,
  signInjection,
  signInjectionS,
  sum,
  takeSign,
} from './float-arithmetic.ts';
import {
  fromInteger,
  fromWord,
  LONG,
  toDouble,
  toInteger,
  toSingle,
  UNSIGNED_LONG,
  UNSIGNED_WORD,
  WORD,
} from './float-convert.ts';
import { DOUBLE, SINGLE } from './float-format.ts';
import { fusedDouble, fusedSingle } from './float-fused.ts';
import { moved, plain, type Result } from './float-result.ts';
import type { RegionFunction } from './function.ts';
import { type Float, mapTable } from './operations.ts';
import { wasm } from './wasm.ts';

/** These leave the bits of their result on the stack. */
const BITS = {
  [FloatOp.FEQ_S]: compare('eqS', SINGLE, SINGLE.eq),
  [FloatOp.FLT_S]: compare('ltS', SINGLE, SINGLE.lt),
  [FloatOp.FLE_S]: compare('leS', SINGLE, SINGLE.le),
  [FloatOp.FCLASS_S]: plain('classS'),
  [FloatOp.FCVT_W_S]: toInteger('cvtWS', SINGLE, WORD, wasm.i32TruncF64S, wasm.i64ExtendI32S),
  [FloatOp.FCVT_WU_S]: toInteger('cvtWUS', SINGLE, UNSIGNED_WORD, wasm.i32TruncF64U, wasm.i64ExtendI32S),
  [FloatOp.FCVT_L_S]: toInteger('cvtLS', SINGLE, LONG, wasm.i64TruncF64S),
  [FloatOp.FCVT_LU_S]: toInteger('cvtLUS', SINGLE, UNSIGNED_LONG, wasm.i64TruncF64U),
  [FloatOp.FMV_X_W]: moved(signExtend(w1)),
  [FloatOp.FSGNJ_D]: signInjection('sgnjD', takeSign),
  [FloatOp.FSGNJN_D]: signInjection('sgnjnD', negateSign),
  [FloatOp.FSGNJX_D]: signInjection('sgnjxD', multiplySigns),
  [FloatOp.FEQ_D]: compare('eqD', DOUBLE, DOUBLE.eq),
  [FloatOp.FLT_D]: compare('ltD', DOUBLE, DOUBLE.lt),
  [FloatOp.FLE_D]: compare('leD', DOUBLE, DOUBLE.le),
  [FloatOp.FCLASS_D]: plain('classD'),
  [FloatOp.FCVT_W_D]: toInteger('cvtWD', DOUBLE, WORD, wasm.i32TruncF64S, wasm.i64ExtendI32S),
  [FloatOp.FCVT_WU_D]: toInteger('cvtWUD', DOUBLE, UNSIGNED_WORD, wasm.i32TruncF64U, wasm.i64ExtendI32S),
  [FloatOp.FCVT_L_D]: toInteger('cvtLD', DOUBLE, LONG, wasm.i64TruncF64S),
  [FloatOp.FCVT_LU_D]: toInteger('cvtLUD', DOUBLE, UNSIGNED_LONG, wasm.i64TruncF64U),
  [FloatOp.FMV_X_D]: moved(rs1),
  [FloatOp.FMV_D_X]: moved(rs1),
};

/** These leave their result on the stack as a single. */
const SINGLES = {
  [FloatOp.FADD_S]: sum('addS', SINGLE),
  [FloatOp.FSUB_S]: difference('subS', SINGLE),
  [FloatOp.FMUL_S]: product('mulS', SINGLE),
  [FloatOp.FDIV_S]: quotient('divS', SINGLE),
  [FloatOp.FSQRT_S]: root('sqrtS', SINGLE),
  [FloatOp.FMADD_S]: fusedSingle(false, false),
  [FloatOp.FMSUB_S]: fusedSingle(false, true),
  [FloatOp.FNMSUB_S]: fusedSingle(true, false),
  [FloatOp.FNMADD_S]: fusedSingle(true, true),
  [FloatOp.FSGNJ_S]: signInjectionS('sgnjS', takeSign),
  [FloatOp.FSGNJN_S]: signInjectionS('sgnjnS', negateSign),
  [FloatOp.FSGNJX_S]: signInjectionS('sgnjxS', multiplySigns),
  [FloatOp.FMIN_S]: extreme('minS', SINGLE, SINGLE.min),
  [FloatOp.FMAX_S]: extreme('maxS', SINGLE, SINGLE.max),
  [FloatOp.FCVT_S_W]: fromInteger('cvtSW', wasm.f32ConvertI64S, 24, true, wasm.i64ExtendI32S),
  [FloatOp.FCVT_S_WU]: fromInteger('cvtSWU', wasm.f32ConvertI64S, 24, true, wasm.i64ExtendI32U),
  [FloatOp.FCVT_S_L]: fromInteger('cvtSL', wasm.f32ConvertI64S, 24, true),
  [FloatOp.FCVT_S_LU]: fromInteger('cvtSLU', wasm.f32ConvertI64U, 24, false),
  [FloatOp.FCVT_S_D]: toSingle,
  [FloatOp.FMV_W_X]: { text: `box(${w1.text})`, rounds: false, push: moveToSingle },
};

/** These leave their result on the stack as a double. */
const DOUBLES = {
  [FloatOp.FADD_D]: sum('addD', DOUBLE),
  [FloatOp.FSUB_D]: difference('subD', DOUBLE),
  [FloatOp.FMUL_D]: product('mulD', DOUBLE),
  [FloatOp.FDIV_D]: quotient('divD', DOUBLE),
  [FloatOp.FSQRT_D]: root('sqrtD', DOUBLE),
  [FloatOp.FMADD_D]: fusedDouble(false, false),
  [FloatOp.FMSUB_D]: fusedDouble(false, true),
  [FloatOp.FNMSUB_D]: fusedDouble(true, false),
  [FloatOp.FNMADD_D]: fusedDouble(true, true),
  [FloatOp.FMIN_D]: extreme('minD', DOUBLE, DOUBLE.min),
  [FloatOp.FMAX_D]: extreme('maxD', DOUBLE, DOUBLE.max),
  [FloatOp.FCVT_D_W]: fromWord('cvtDW', wasm.f64ConvertI32S),
  [FloatOp.FCVT_D_WU]: fromWord('cvtDWU', wasm.f64ConvertI32U),
  [FloatOp.FCVT_D_L]: fromInteger('cvtDL', wasm.f64ConvertI64S, 53, true),
  [FloatOp.FCVT_D_LU]: fromInteger('cvtDLU', wasm.f64ConvertI64U, 53, false),
  [FloatOp.FCVT_D_S]: toDouble,
};

type Write = (f: RegionFunction, register: number) => void;

/** An operation without a destination register (x0) still raises its flags. */
function writing(write: Write): (result: Result) => Emit {
  return ({ push }) =>
    (f, instruction, retired) => {
      f.registers.flush();
      push(f, instruction, retired);
      if (instruction.rd !== undefined) write(f, instruction.rd);
      else f.code.op(wasm.drop);
    };
}

/** The value that each instruction writes to its destination register. */
export const FLOAT_RESULTS: Readonly<Record<Float, Result>> = { ...BITS, ...SINGLES, ...DOUBLES };

/** The emitters of all floating-point instructions except loads and stores. */
export const FLOAT = {
  ...mapTable(
    BITS,
    writing((f, register) => f.registers.set(register)),
  ),
  ...mapTable(
    SINGLES,
    writing((f, register) => f.registers.setSingle(register)),
  ),
  ...mapTable(
    DOUBLES,
    writing((f, register) => f.registers.setDouble(register)),
  ),
} satisfies Record<Float, Emit>;
