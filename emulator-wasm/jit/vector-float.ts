/**
 * Floating-point arithmetic on vectors (V 1.0, chapter 13), if NX has accrued, frm rounds to nearest, and no
 * result raises another flag. The core executes all others.
 */
import { OPFVF, OPFVV } from '../assembly/riscv/vector/opcodes.ts';
import { DOUBLE as DOUBLE_FORMAT, SINGLE as SINGLE_FORMAT } from './float-format.ts';
import { FLOAT_INEXACT, FLOAT_NEAREST, FLOAT_READY } from './float-result.ts';
import { fusesMultiplyAdd } from './host.ts';
import { HART } from './parameters.ts';
import { BOX } from './registers.ts';
import { comparison, comparisons, firstElement, float, simd } from './simd.ts';
import { areDisjoint, groupLength, isAligned, type Plan, type VectorContext } from './vector-code.ts';
import type { VectorInstruction, VectorType } from './vector-type.ts';
import { addressOf } from './vector-unit.ts';
import { F32, F64, V128, wasm } from './wasm.ts';

/** log2 of the bytes of a single. */
const SINGLE = 2;
const ROUNDS = FLOAT_READY | FLOAT_INEXACT | FLOAT_NEAREST;

type Operand = (k: number) => void;

/** Locals with the operands of one register: of vs2, of vs1 or the scalar, of vd. */
interface Operands {
  readonly a: number;
  readonly b: number;
  readonly d: number;
}

interface Operation {
  /** Pushes the result. */
  push(context: VectorContext, operands: Operands): void;
  /** Pushes ones in the lanes whose result, in a local, raises no other flag than NX. */
  test(context: VectorContext, operands: Operands, result: number): void;
  /** Whether it may raise NX, and rounds. */
  readonly rounds: boolean;
}

const pick = (codes: readonly [number, number], { type }: VectorContext) =>
  type.sew === SINGLE ? codes[0] : codes[1];

/** Pushes copies of a number. */
function pushNumber(context: VectorContext, value: number): void {
  const bytes =
    context.type.sew === SINGLE
      ? [...new Uint8Array(Float32Array.of(value, value, value, value).buffer)]
      : [...new Uint8Array(Float64Array.of(value, value).buffer)];
  context.constant(bytes);
}

function pushMagnitude(context: VectorContext, local: number): void {
  context.code.get(local);
  context.code.simd(pick(float.abs, context));
}

/** A finite result. */
const finite: Operation['test'] = (context, _, result) => {
  pushMagnitude(context, result);
  pushNumber(context, Number.POSITIVE_INFINITY);
  context.code.simd(pick(float.lt, context));
};

/** Twice the least normal number: below it, a result may have been rounded up from an underflow. */
const LEAST = [2 ** -125, 2 ** -1021] as const;

/** A finite result that is not tiny, or 0 because one of two factors is. */
function ordinary(factors: (operands: Operands) => readonly number[]): Operation['test'] {
  return (context, operands, result) => {
    const { code, type } = context;
    const equalsZero = (local: number) => {
      code.get(local);
      pushNumber(context, 0);
      code.simd(pick(float.eq, context));
    };
    pushMagnitude(context, result);
    pushNumber(context, LEAST[type.sew - SINGLE] as number);
    code.simd(pick(float.ge, context));
    finite(context, operands, result);
    code.simd(simd.and);
    const [first, second] = factors(operands) as [number, number];
    equalsZero(first);
    equalsZero(second);
    code.simd(simd.or);
    equalsZero(result);
    code.simd(simd.and, simd.or);
  };
}

/** Operands that are no NaN. */
const ordered: Operation['test'] = (context, { a, b }) => {
  for (const local of [a, b]) {
    context.code.get(local);
    context.code.get(local);
    context.code.simd(pick(float.eq, context));
  }
  context.code.simd(simd.and);
};

function binary(
  codes: readonly [number, number],
  test: Operation['test'],
  isSwapped = false,
  rounds = true,
): Operation {
  return {
    push(context, { a, b }) {
      context.code.get(isSwapped ? b : a);
      context.code.get(isSwapped ? a : b);
      context.code.simd(pick(codes, context));
    },
    test,
    rounds,
  };
}

const factors = ({ a, b }: Operands) => [a, b];

/** ±(x * y) ± z, by the last two bits of funct6 as in the core. */
function fused(funct6: number): Operation {
  const negatesProduct = (funct6 & 1) !== 0;
  const negatesAddend = (funct6 & 3) === 1 || (funct6 & 3) === 2;
  const overwritesFactor = funct6 < 0x2c;
  const product = ({ a, b, d }: Operands) => [b, overwritesFactor ? d : a] as const;
  return {
    push(context, operands) {
      const { code } = context;
      const [x, y] = product(operands);
      const addend = overwritesFactor ? operands.a : operands.d;
      const push = (local: number, negates: boolean) => {
        code.get(local);
        if (negates) code.simd(pick(float.neg, context));
      };
      if (fusesMultiplyAdd()) {
        push(x, negatesProduct);
        push(y, false);
        push(addend, negatesAddend);
        code.simd(pick(float.multiplyAdd, context));
        return;
      }
      pushFusedSingles(context, [
        () => push(x, negatesProduct),
        () => push(y, false),
        () => push(addend, negatesAddend),
      ]);
    },
    test: ordinary((operands) => product(operands)),
    rounds: true,
  };
}

const HIGH_HALF = Array.from({ length: 16 }, (_, n) => (n + 8) & 15);
const LOW_HALVES = Array.from({ length: 16 }, (_, n) => (n < 8 ? n : n + 8));
/** The bits of a double behind those of a single, and the middle between two singles. */
const REST = [0xff, 0xff, 0xff, 0x1f, 0, 0, 0, 0];
const MIDDLE = [0, 0, 0, 0x10, 0, 0, 0, 0];

/**
 * Fused multiply-adds of singles as doubles, whose product is exact. The sum is rounded twice, which is right
 * unless it is in the middle between two singles.
 */
function pushFusedSingles(
  context: VectorContext,
  [a, b, c]: readonly [() => void, () => void, () => void],
): void {
  const { code, f } = context;
  const sum = f.borrow(V128);
  const low = f.borrow(V128);
  for (const isHigh of [false, true]) {
    const promoted = (push: () => void) => {
      push();
      if (isHigh) {
        const whole = f.borrow(V128);
        code.set(whole);
        code.get(whole);
        code.get(whole);
        code.simdBytes(simd.shuffle, HIGH_HALF);
        f.release(V128, whole);
      }
      code.simd(simd.promoteLow);
    };
    promoted(a);
    promoted(b);
    code.simd(float.mul[1]);
    promoted(c);
    code.simd(float.add[1]);
    code.set(sum);
    code.get(sum);
    context.constant([...REST, ...REST]);
    code.simd(simd.and);
    context.constant([...MIDDLE, ...MIDDLE]);
    code.simd(comparison(comparisons.eq, 3), simd.anyTrue);
    context.leaveIf();
    code.get(sum);
    code.simd(simd.demote);
    if (!isHigh) code.set(low);
  }
  const high = f.borrow(V128);
  code.set(high);
  code.get(low);
  code.get(high);
  code.simdBytes(simd.shuffle, LOW_HALVES);
  f.release(V128, sum, low, high);
}

/** The bits of `b` where `sign` has ones, and those of `a` elsewhere. */
function signInjection(sign: (context: VectorContext, operands: Operands) => void): Operation {
  return {
    push(context, operands) {
      const { code } = context;
      sign(context, operands);
      code.get(operands.a);
      pushNumber(context, -0);
      code.simd(simd.bitselect);
    },
    test: (context) => context.constant(Array(16).fill(0xff)),
    rounds: false,
  };
}

const OPERATIONS: ReadonlyMap<number, Operation> = new Map([
  [0x00, binary(float.add, finite)],
  [0x02, binary(float.sub, finite)],
  [0x04, binary(float.min, ordered, false, false)],
  [0x06, binary(float.max, ordered, false, false)],
  [0x08, signInjection(({ code }, { b }) => code.get(b))],
  [
    0x09,
    signInjection(({ code }, { b }) => {
      code.get(b);
      code.simd(simd.not);
    }),
  ],
  [
    0x0a,
    signInjection(({ code }, { a, b }) => {
      code.get(a);
      code.get(b);
      code.simd(simd.xor);
    }),
  ],
  [
    0x20,
    binary(
      float.div,
      ordinary(({ a }) => [a, a]),
    ),
  ],
  [
    0x21,
    binary(
      float.div,
      ordinary(({ b }) => [b, b]),
      true,
    ),
  ],
  [0x24, binary(float.mul, ordinary(factors))],
  [0x27, binary(float.sub, finite, true)],
  ...Array.from({ length: 8 }, (_, n) => [0x28 + n, fused(0x28 + n)] as const),
]);
const NOT_VV = [0x21, 0x27];
const FIRST_FUSED = 0x28;

const COMPARISONS: ReadonlyMap<
  number,
  { readonly codes: readonly [number, number]; readonly onlyScalar?: true }
> = new Map([
  [0x18, { codes: float.eq }],
  [0x19, { codes: float.le }],
  [0x1b, { codes: float.lt }],
  [0x1c, { codes: float.ne }],
  [0x1d, { codes: float.gt, onlyScalar: true as const }],
  [0x1f, { codes: float.ge, onlyScalar: true as const }],
]);

const UNORDERED_SUM = 0x01;
const ORDERED_SUM = 0x03;
const FIRST_ELEMENT = 0x10;
const MERGE = 0x17;

export function planFloat(fields: VectorInstruction, type: VectorType): Plan | undefined {
  const { funct3, funct6, unmasked, vd, vs1, vs2 } = fields;
  const { sew, lmul } = type;
  const isVector = funct3 === OPFVV;
  if ((!isVector && funct3 !== OPFVF) || sew < SINGLE) return undefined;
  if (funct6 === FIRST_ELEMENT && unmasked) {
    if (isVector) return vs1 === 0 ? planGetFirst(type) : undefined;
    return vs2 === 0 ? planSetFirst(type) : undefined;
  }
  if (isVector && (funct6 === UNORDERED_SUM || funct6 === ORDERED_SUM))
    return unmasked && isAligned(vs2, lmul) ? planSum(type) : undefined;
  if (!unmasked && (vd === 0 || vs2 === 0 || (isVector && vs1 === 0))) return undefined;
  if (isVector && !isAligned(vs1, lmul)) return undefined;
  if (!isAligned(vs2, lmul)) return undefined;
  const compare = COMPARISONS.get(funct6);
  if (compare)
    return compare.onlyScalar && isVector ? undefined : planComparison(fields, type, compare.codes);
  if (!isAligned(vd, lmul)) return undefined;
  if (funct6 === MERGE) return !isVector && unmasked && vs2 === 0 ? planMove(type) : undefined;
  const operation = OPERATIONS.get(funct6);
  if (!operation || (isVector && NOT_VV.includes(funct6))) return undefined;
  if (funct6 >= FIRST_FUSED && sew !== SINGLE && !fusesMultiplyAdd()) return undefined;
  return planArithmetic(type, operation);
}

/** Leaves unless floating point is enabled and dirty, and for rounding the conditions above. */
function requireState(context: VectorContext, rounds: boolean): void {
  const { code, f } = context;
  const needed = rounds ? ROUNDS : FLOAT_READY;
  code.get(f.floatState);
  code.i32(needed);
  code.op(wasm.i32And);
  code.i32(needed);
  code.op(wasm.i32Ne);
  context.leaveIf();
}

/** Calls `use` with the second operand, which may be a scalar register. */
function withSecond(context: VectorContext, use: (b: Operand) => void): void {
  const { code, unit, fields, f } = context;
  if (fields.funct3 === OPFVV) {
    use((k) => unit.get(fields.vs1 + k));
    return;
  }
  const scalar = f.borrow(V128);
  splatScalar(context);
  code.set(scalar);
  use(() => code.get(scalar));
  f.release(V128, scalar);
}

/** Pushes copies of the scalar. A single must be boxed. */
function splatScalar(context: VectorContext): void {
  const { code, f, type, instruction } = context;
  const { registers } = f;
  if (type.sew !== SINGLE) {
    registers.get(instruction.rs1);
    code.simd(simd.splat64);
    return;
  }
  if (!registers.isWord(instruction.rs1)) {
    registers.get(instruction.rs1);
    code.i64Bits(BOX);
    code.op(wasm.i64LtU);
    context.leaveIf();
  }
  registers.get32(instruction.rs1);
  code.simd(simd.splat32);
}

/** Leaves unless all active lanes of the mask on the stack are ones. */
function requireActive(context: VectorContext, k: number): void {
  const { code, type } = context;
  if (!context.allActive) {
    context.pushActive(k, type.sew);
    code.simd(simd.not, simd.or);
  }
  code.simd(simd.allTrue8);
  code.op(wasm.i32Eqz);
  context.leaveIf();
}

/** No register is written before all results are certain, because the core may have to start anew. */
function planArithmetic(type: VectorType, operation: Operation): Plan {
  const { sew, lmul } = type;
  const count = groupLength(lmul);
  return {
    writes: count,
    emit(context) {
      const { code, unit, fields, f } = context;
      requireState(context, operation.rounds);
      context.begin(lmul);
      const operands = { a: f.borrow(V128), b: f.borrow(V128), d: f.borrow(V128) };
      const results = Array.from({ length: count }, () => f.borrow(V128));
      withSecond(context, (b) => {
        for (const [k, result] of results.entries()) {
          unit.get(fields.vs2 + k);
          code.set(operands.a);
          b(k);
          code.set(operands.b);
          unit.get(fields.vd + k);
          code.set(operands.d);
          operation.push(context, operands);
          code.set(result);
          operation.test(context, operands, result);
          requireActive(context, k);
        }
      });
      for (const [k, result] of results.entries()) {
        code.get(result);
        context.set(k, sew);
      }
      f.release(V128, operands.a, operands.b, operands.d, ...results);
    },
  };
}

function planComparison(
  { vd, vs1, vs2, funct3 }: VectorInstruction,
  { sew, lmul, longest }: VectorType,
  codes: readonly [number, number],
): Plan | undefined {
  if (longest > 64 || (vd !== vs2 && !areDisjoint(vd, 0, vs2, lmul))) return undefined;
  if (funct3 === OPFVV && vd !== vs1 && !areDisjoint(vd, 0, vs1, lmul)) return undefined;
  return {
    writes: 0,
    emit(context) {
      const { code, unit, f } = context;
      requireState(context, false);
      context.begin(lmul);
      const [a, b] = [f.borrow(V128), f.borrow(V128)];
      withSecond(context, (second) => {
        for (let k = 0; k < groupLength(lmul); k++) {
          unit.get(vs2 + k);
          code.set(a);
          second(k);
          code.set(b);
          ordered(context, { a, b, d: a }, a);
          requireActive(context, k);
          code.get(a);
          code.get(b);
          code.simd(pick(codes, context));
          context.joinBits(k, sew);
        }
      });
      context.setBits();
      f.release(V128, a, b);
    },
  };
}

/** vfmv.v.f */
function planMove({ sew, lmul }: VectorType): Plan {
  return {
    writes: groupLength(lmul),
    emit(context) {
      requireState(context, false);
      context.begin(lmul);
      withSecond(context, (b) => {
        for (let k = 0; k < groupLength(lmul); k++) {
          b(k);
          context.set(k, sew);
        }
      });
    },
  };
}

/** vfmv.f.s */
function planGetFirst({ sew }: VectorType): Plan {
  return {
    writes: 0,
    hasResult: true,
    emit(context) {
      const { code, fields } = context;
      requireState(context, false);
      context.requireLength();
      code.get(HART);
      code.memory(sew === SINGLE ? wasm.i64Load32U : wasm.i64Load, addressOf(fields.vs2));
      if (sew !== SINGLE) return;
      code.i64Bits(BOX);
      code.op(wasm.i64Or);
    },
  };
}

/** vfmv.s.f */
function planSetFirst({ sew }: VectorType): Plan {
  return {
    writes: 1,
    emit(context) {
      const { code, unit, fields } = context;
      requireState(context, false);
      context.requireLength();
      code.get(unit.length);
      code.op(wasm.i32Eqz);
      context.leaveIf();
      splatScalar(context);
      unit.get(fields.vd);
      code.simdBytes(simd.shuffle, firstElement(sew));
      unit.set(fields.vd);
    },
  };
}

const EXTRACT = [0x1f, 0x21] as const;
const SPLAT = [0x13, 0x14] as const;

/** vfredosum and vfredusum, which the core adds in the same order. -0 changes no sum. */
function planSum({ sew, lmul }: VectorType): Plan {
  const isSingle = sew === SINGLE;
  const type = isSingle ? F32 : F64;
  const add = isSingle ? wasm.f32Add : wasm.f64Add;
  return {
    writes: 1,
    emit(context) {
      const { code, unit, fields, f } = context;
      const part = f.borrow(V128);
      const sum = f.borrow(type);
      requireState(context, true);
      context.begin(lmul);
      code.get(unit.length);
      code.op(wasm.i32Eqz);
      context.leaveIf();
      unit.get(fields.vs1);
      code.simdLane(pick(EXTRACT, context), 0);
      code.set(sum);
      for (let k = 0; k < groupLength(lmul); k++) {
        unit.get(fields.vs2 + k);
        if (!context.allActive) {
          pushNumber(context, -0);
          context.pushActive(k, sew);
          code.simd(simd.bitselect);
        }
        code.set(part);
        for (let lane = 0; lane < 16 >> sew; lane++) {
          code.get(sum);
          code.get(part);
          code.simdLane(pick(EXTRACT, context), lane);
          code.op(add);
          code.set(sum);
        }
      }
      (isSingle ? SINGLE_FORMAT : DOUBLE_FORMAT).pushFinite(f, sum);
      code.op(wasm.i32Eqz);
      context.leaveIf();
      code.get(sum);
      code.simd(pick(SPLAT, context));
      unit.get(fields.vd);
      code.simdBytes(simd.shuffle, firstElement(sew));
      unit.set(fields.vd);
      f.release(V128, part);
      f.release(type, sum);
    },
  };
}
