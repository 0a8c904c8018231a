/** Integer arithmetic on vectors (V 1.0, chapters 11, 14 and 16; Zvbb). */
import { OPFVF, OPFVV, OPIVI, OPIVV, OPIVX, OPMVV, OPMVX } from '../assembly/riscv/vector/opcodes.ts';
import { comparison, comparisons, firstElement, lanes, onLanes, simd } from './simd.ts';
import { areDisjoint, groupLength, isAligned, type Plan, type VectorContext } from './vector-code.ts';
import type { VectorInstruction, VectorType } from './vector-type.ts';
import { V128, wasm } from './wasm.ts';

/** Pushes register `k` of an operand. */
type Operand = (k: number) => void;

/** Pushes the result of elements of `size`. */
type Operation = (context: VectorContext, a: Operand, b: Operand, k: number, size: number) => void;

const onBoth =
  (instruction: (size: number) => number): Operation =>
  ({ code }, a, b, k, size) => {
    a(k);
    b(k);
    code.simd(instruction(size));
  };
const whole = (code: number) => onBoth(() => code);
const byLanes = (operation: number) => onBoth((size) => onLanes(operation, size));
const swapped =
  (operation: Operation): Operation =>
  (context, a, b, k, size) =>
    operation(context, b, a, k, size);

/** A minimum or maximum; those of 64 bits are selected by a comparison. */
function extreme(operation: number, isSigned: boolean, isMaximum: boolean): Operation {
  const less = compared(isSigned ? comparisons.ltS : comparisons.ltU);
  return (context, a, b, k, size) => {
    if (size < 3) {
      byLanes(operation)(context, a, b, k, size);
      return;
    }
    (isMaximum ? b : a)(k);
    (isMaximum ? a : b)(k);
    less(context, a, b, k, size);
    context.code.simd(simd.bitselect);
  };
}

/** A product of bytes consists of those of even and odd ones. */
const product: Operation = (context, a, b, k, size) => {
  const { code } = context;
  if (size > 0) {
    a(k);
    b(k);
    code.simd(onLanes(lanes.mul, size));
    return;
  }
  a(k);
  b(k);
  code.simd(onLanes(lanes.mul, 1));
  context.splat(0xff, 1);
  code.simd(simd.and);
  for (const factor of [a, b]) {
    factor(k);
    code.i32(8);
    code.simd(onLanes(lanes.shrU, 1));
  }
  code.simd(onLanes(lanes.mul, 1));
  code.i32(8);
  code.simd(onLanes(lanes.shl, 1), simd.or);
};

/** The first bits of numbers of 64 bits. */
const SIGNS_64 = [0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x80];

const SIGNED = new Map<number, number>([
  [comparisons.ltU, comparisons.ltS],
  [comparisons.leU, comparisons.leS],
  [comparisons.gtU, comparisons.gtS],
]);

/** A comparison. Numbers of 64 bits without a sign are compared with their first bits inverted. */
function compared(kind: number): Operation {
  return (context, a, b, k, size) => {
    const { code } = context;
    const signed = SIGNED.get(kind);
    const inverts = size === 3 && signed !== undefined;
    for (const operand of [a, b]) {
      operand(k);
      if (!inverts) continue;
      context.constant(SIGNS_64);
      code.simd(simd.xor);
    }
    code.simd(comparison(inverts ? signed : kind, size));
  };
}

const second: Operation = (_context, _a, b, k) => b(k);

/** By funct6 of OPIVV, OPIVX and OPIVI. */
const SAME: ReadonlyMap<number, Operation> = new Map([
  [0x00, byLanes(lanes.add)],
  [0x01, whole(simd.andNot)],
  [0x02, byLanes(lanes.sub)],
  [0x03, swapped(byLanes(lanes.sub))],
  [0x04, extreme(lanes.minU, false, false)],
  [0x05, extreme(lanes.minS, true, false)],
  [0x06, extreme(lanes.maxU, false, true)],
  [0x07, extreme(lanes.maxS, true, true)],
  [0x09, whole(simd.and)],
  [0x0a, whole(simd.or)],
  [0x0b, whole(simd.xor)],
]);

const SHIFTS: ReadonlyMap<number, number> = new Map([
  [0x25, lanes.shl],
  [0x28, lanes.shrU],
  [0x29, lanes.shrS],
]);

const COMPARISONS: ReadonlyMap<number, Operation> = new Map(
  (
    [
      [0x18, comparisons.eq],
      [0x19, comparisons.ne],
      [0x1a, comparisons.ltU],
      [0x1b, comparisons.ltS],
      [0x1c, comparisons.leU],
      [0x1d, comparisons.leS],
      [0x1e, comparisons.gtU],
      [0x1f, comparisons.gtS],
    ] as const
  ).map(([funct6, kind]) => [funct6, compared(kind)]),
);

/** Which forms the instructions above have not: as in the core. */
const NOT_VV = [0x03, 0x1e, 0x1f];
const NOT_VI = [0x01, 0x02, 0x04, 0x05, 0x06, 0x07, 0x1a, 0x1b];

const MERGE = 0x17;

/** By funct6 of OPMVV and OPMVX. `d` is the old value of vd. */
type Accumulation = (
  context: VectorContext,
  a: Operand,
  b: Operand,
  d: Operand,
  k: number,
  size: number,
) => void;

/** ±(x * y) + z */
function accumulated(isNegative: boolean): Operation {
  return ({ code }, product, addend, k, size) => {
    addend(k);
    product(k);
    code.simd(onLanes(isNegative ? lanes.sub : lanes.add, size));
  };
}

function accumulation(isNegative: boolean, overwritesFactor: boolean): Accumulation {
  const sum = accumulated(isNegative);
  return (context, a, b, d, k, size) => {
    const times: Operand = (n) => product(context, overwritesFactor ? d : a, b, n, size);
    sum(context, times, overwritesFactor ? a : d, k, size);
  };
}

const MULTIPLY = 0x25;
const ACCUMULATIONS: ReadonlyMap<number, Accumulation> = new Map([
  [0x29, accumulation(false, true)],
  [0x2b, accumulation(true, true)],
  [0x2d, accumulation(false, false)],
  [0x2f, accumulation(true, false)],
]);

const isMultiply = (funct3: number) => funct3 === OPMVV || funct3 === OPMVX;
const isFloat = (funct3: number) => funct3 === OPFVV || funct3 === OPFVF;
const hasVector = (funct3: number) => funct3 === OPIVV || funct3 === OPMVV;

export function planInteger(fields: VectorInstruction, type: VectorType): Plan | undefined {
  const { funct3, funct6 } = fields;
  if (isFloat(funct3) || !isLegal(fields, type)) return undefined;
  if (isMultiply(funct3)) return planMultiply(fields, type);
  if (funct6 === MERGE) return planMerge(fields, type);
  if ((funct3 === OPIVV && NOT_VV.includes(funct6)) || (funct3 === OPIVI && NOT_VI.includes(funct6)))
    return undefined;
  const operation = SAME.get(funct6);
  if (operation) return planSame(fields, type, operation);
  const shift = SHIFTS.get(funct6);
  if (shift !== undefined) return funct3 === OPIVV ? undefined : planShift(fields, type, shift);
  const compare = COMPARISONS.get(funct6);
  if (compare) return planComparison(fields, type, compare);
  return planNarrow(fields, type);
}

/** Whether a group of LMUL is legal at vs1, and the mask is neither overwritten nor used as data. */
function isLegal(fields: VectorInstruction, { lmul }: VectorType): boolean {
  const { unmasked, vd, vs1, vs2, funct3, funct6 } = fields;
  if (!unmasked && (vd === 0 || vs2 === 0)) return false;
  // Reductions have one register there, and unary operations their number.
  if (funct3 === OPMVV && (funct6 < MOST_REDUCTIONS || funct6 === UNARY)) return true;
  return !hasVector(funct3) || (isAligned(vs1, lmul) && (unmasked || vs1 !== 0));
}

function isSame({ vd, vs2 }: VectorInstruction, { lmul }: VectorType): boolean {
  return isAligned(vd, lmul) && isAligned(vs2, lmul);
}

/** Calls `use` with the second operand, which may be a scalar. */
function withSecond(context: VectorContext, size: number, use: (b: Operand) => void): void {
  const { code, unit, fields, f } = context;
  const { funct3, vs1 } = fields;
  if (hasVector(funct3)) {
    use((k) => unit.get(vs1 + k));
    return;
  }
  const scalar = f.borrow(V128);
  if (funct3 === OPIVI) context.splat((vs1 << 27) >> 27, size);
  else context.splatRegister(size);
  code.set(scalar);
  use(() => code.get(scalar));
  f.release(V128, scalar);
}

function planSame(fields: VectorInstruction, type: VectorType, operation: Operation): Plan | undefined {
  if (!isSame(fields, type)) return undefined;
  const { sew, lmul } = type;
  return {
    writes: groupLength(lmul),
    emit(context) {
      context.begin(lmul);
      withSecond(context, sew, (b) => {
        for (let k = 0; k < groupLength(lmul); k++) {
          operation(context, (n) => context.unit.get(fields.vs2 + n), b, k, sew);
          context.set(k, sew);
        }
      });
    },
  };
}

function planShift(fields: VectorInstruction, type: VectorType, shift: number): Plan | undefined {
  if (!isSame(fields, type)) return undefined;
  const { sew, lmul } = type;
  return {
    writes: groupLength(lmul),
    emit(context) {
      context.begin(lmul);
      for (let k = 0; k < groupLength(lmul); k++) {
        context.unit.get(fields.vs2 + k);
        pushCount(context);
        context.code.simd(onLanes(shift, sew));
        context.set(k, sew);
      }
    },
  };
}

/** Pushes the number of bits by which all elements are shifted. The instruction takes it modulo the width. */
function pushCount({ code, f, fields, instruction }: VectorContext): void {
  if (fields.funct3 === OPIVI) code.i32(fields.vs1);
  else f.registers.get32(instruction.rs1);
}

/** vmv.v and vmerge */
function planMerge(fields: VectorInstruction, type: VectorType): Plan | undefined {
  if (fields.unmasked) return fields.vs2 === 0 ? planSame(fields, type, second) : undefined;
  if (!isSame(fields, type)) return undefined;
  const { sew, lmul } = type;
  const { vd, vs2 } = fields;
  return {
    writes: groupLength(lmul),
    emit(context) {
      const { code, unit } = context;
      context.begin(lmul);
      withSecond(context, sew, (b) => {
        for (let k = 0; k < groupLength(lmul); k++) {
          b(k);
          unit.get(vs2 + k);
          context.pushMask(k, sew);
          code.simd(simd.bitselect);
          context.setUnmasked(vd + k, sew);
        }
      });
    },
  };
}

function planComparison(fields: VectorInstruction, type: VectorType, compare: Operation): Plan | undefined {
  const { vd, vs1, vs2, funct3 } = fields;
  const { sew, lmul, longest } = type;
  if (longest > 64 || !isAligned(vs2, lmul)) return undefined;
  if (vd !== vs2 && !areDisjoint(vd, 0, vs2, lmul)) return undefined;
  if (hasVector(funct3) && vd !== vs1 && !areDisjoint(vd, 0, vs1, lmul)) return undefined;
  return {
    writes: 0,
    emit(context) {
      context.requireLength();
      withSecond(context, sew, (b) => {
        for (let k = 0; k < groupLength(lmul); k++) {
          compare(context, (n) => context.unit.get(vs2 + n), b, k, sew);
          context.joinBits(k, sew);
        }
      });
      context.setBits();
    },
  };
}

// ---- OPMVV and OPMVX ---------------------------------------------------------------------

const UNARY = 0x12;
const MOST_REDUCTIONS = 8;

function planMultiply(fields: VectorInstruction, type: VectorType): Plan | undefined {
  const { funct3, funct6 } = fields;
  if (funct3 === OPMVV && funct6 < MOST_REDUCTIONS) return planReduction(fields, type);
  if (funct3 === OPMVV && funct6 === UNARY) return planExtension(fields, type);
  if (funct6 === MULTIPLY) return planSame(fields, type, product);
  const accumulate = ACCUMULATIONS.get(funct6);
  if (!accumulate) return planWide(fields, type);
  const d = (context: VectorContext) => (k: number) => context.unit.get(fields.vd + k);
  return planSame(fields, type, (context, a, b, k, size) => accumulate(context, a, b, d(context), k, size));
}

/** The reductions, in the order of funct6: operation, and the value that does not change a result. */
const ZEROS = 0;
const ONES = 1;
const LEAST = 2;
const GREATEST = 3;
const REDUCTIONS: readonly (readonly [operation: Operation, neutral: number])[] = [
  [byLanes(lanes.add), ZEROS],
  [whole(simd.and), ONES],
  [whole(simd.or), ZEROS],
  [whole(simd.xor), ZEROS],
  [extreme(lanes.minU, false, false), ONES],
  [extreme(lanes.minS, true, false), GREATEST],
  [extreme(lanes.maxU, false, true), ZEROS],
  [extreme(lanes.maxS, true, true), LEAST],
];

/** The neutral value's bytes. */
function neutralBytes(neutral: number, size: number): number[] {
  return Array.from({ length: 16 }, (_, n) => {
    const isTop = n % (1 << size) === (1 << size) - 1;
    if (neutral === LEAST) return isTop ? 0x80 : 0;
    if (neutral === GREATEST) return isTop ? 0x7f : 0xff;
    return neutral === ONES ? 0xff : 0;
  });
}

function planReduction(fields: VectorInstruction, type: VectorType): Plan | undefined {
  const { vs1, vs2, vd, funct6 } = fields;
  const { sew, lmul } = type;
  if (!isAligned(vs2, lmul)) return undefined;
  const [operation, neutral] = REDUCTIONS[funct6] as (typeof REDUCTIONS)[number];
  return {
    writes: 1,
    emit(context) {
      const { code, unit, f } = context;
      const sum = f.borrow(V128);
      const other = f.borrow(V128);
      const combine = () =>
        operation(
          context,
          () => code.get(sum),
          () => code.get(other),
          0,
          sew,
        );
      context.begin(lmul);
      code.get(unit.length);
      code.op(wasm.i32Eqz);
      context.leaveIf();
      for (let k = 0; k < groupLength(lmul); k++) {
        unit.get(vs2 + k);
        if (!context.allActive) {
          context.constant(neutralBytes(neutral, sew));
          context.pushActive(k, sew);
          code.simd(simd.bitselect);
        }
        if (k === 0) {
          code.set(sum);
          continue;
        }
        code.set(other);
        combine();
        code.set(sum);
      }
      for (let bytes = 8; bytes >= 1 << sew; bytes >>= 1) {
        code.get(sum);
        code.get(sum);
        code.simdBytes(simd.shuffle, rotatedBytes(bytes));
        code.set(other);
        combine();
        code.set(sum);
      }
      unit.get(vs1);
      code.set(other);
      combine();
      unit.get(vd);
      code.simdBytes(simd.shuffle, firstElement(sew));
      unit.set(vd);
      f.release(V128, sum, other);
    },
  };
}

const rotatedBytes = (bytes: number) => Array.from({ length: 16 }, (_, n) => (n + bytes) & 15);

/** vzext and vsext */
function planExtension(fields: VectorInstruction, type: VectorType): Plan | undefined {
  const { vs1, vs2, vd } = fields;
  const { sew, lmul } = type;
  if (vs1 < 2 || vs1 > 7) return undefined;
  const by = 4 - (vs1 >> 1);
  const isSigned = (vs1 & 1) !== 0;
  const groups = lmul - by;
  if (sew < by || groups < -3 || !isAligned(vd, lmul) || !isAligned(vs2, groups)) return undefined;
  if (!areDisjoint(vd, lmul, vs2, groups)) return undefined;
  return {
    writes: groupLength(lmul),
    emit(context) {
      context.begin(lmul);
      for (let k = 0; k < groupLength(lmul); k++) {
        context.unit.get(vs2 + (k >> by));
        // The part of the source, from the largest down.
        for (let step = 1; step <= by; step++) {
          const isHigh = ((k >> (by - step)) & 1) !== 0;
          context.code.simd(onLanes(extendOperation(isSigned, isHigh), sew - by + step));
        }
        context.set(k, sew);
      }
    },
  };
}

function extendOperation(isSigned: boolean, isHigh: boolean): number {
  if (isSigned) return isHigh ? lanes.extendHighS : lanes.extendLowS;
  return isHigh ? lanes.extendHighU : lanes.extendLowU;
}

/** How the instructions with results of twice SEW compute them. */
interface Wide {
  readonly operation: 'add' | 'sub' | 'mul' | 'macc';
  readonly isSigned: boolean;
  /** Whether the first operand has twice SEW, too. */
  readonly isFirstWide: boolean;
}

const wide = (operation: Wide['operation'], isSigned: boolean, isFirstWide = false): Wide => ({
  operation,
  isSigned,
  isFirstWide,
});
const WIDE: ReadonlyMap<number, Wide> = new Map([
  [0x30, wide('add', false)],
  [0x31, wide('add', true)],
  [0x32, wide('sub', false)],
  [0x33, wide('sub', true)],
  [0x34, wide('add', false, true)],
  [0x35, wide('add', true, true)],
  [0x36, wide('sub', false, true)],
  [0x37, wide('sub', true, true)],
  [0x38, wide('mul', false)],
  [0x3b, wide('mul', true)],
  [0x3c, wide('macc', false)],
  [0x3d, wide('macc', true)],
]);

function planWide(fields: VectorInstruction, type: VectorType): Plan | undefined {
  const form = WIDE.get(fields.funct6);
  const { vd, vs1, vs2, funct3 } = fields;
  const { sew, lmul } = type;
  if (!form || sew === 3 || lmul === 3 || !isAligned(vd, lmul + 1)) return undefined;
  if (form.isFirstWide) {
    if (!isAligned(vs2, lmul + 1)) return undefined;
    if (funct3 === OPMVV && !areDisjoint(vs1, lmul, vs2, lmul + 1)) return undefined;
  } else if (!isAligned(vs2, lmul) || !areDisjoint(vd, lmul + 1, vs2, lmul)) return undefined;
  if (funct3 === OPMVV && !areDisjoint(vd, lmul + 1, vs1, lmul)) return undefined;
  return {
    writes: groupLength(lmul + 1),
    emit(context) {
      context.begin(lmul + 1);
      withSecond(context, sew, (b) => {
        for (let k = 0; k < groupLength(lmul + 1); k++) {
          pushWide(context, form, b, k);
          context.set(k, sew + 1);
        }
      });
    },
  };
}

function pushWide(
  { code, unit, fields, type }: VectorContext,
  { operation, isSigned, isFirstWide }: Wide,
  b: Operand,
  k: number,
): void {
  const { vd, vs2 } = fields;
  const size = type.sew + 1;
  const isHigh = (k & 1) !== 0;
  const extend = onLanes(extendOperation(isSigned, isHigh), size);
  if (operation === 'mul' || operation === 'macc') {
    const high = isSigned ? lanes.extmulHighS : lanes.extmulHighU;
    const low = isSigned ? lanes.extmulLowS : lanes.extmulLowU;
    unit.get(vs2 + (k >> 1));
    b(k >> 1);
    code.simd(onLanes(isHigh ? high : low, size));
    if (operation === 'mul') return;
    unit.get(vd + k);
    code.simd(onLanes(lanes.add, size));
    return;
  }
  if (isFirstWide) unit.get(vs2 + k);
  else {
    unit.get(vs2 + (k >> 1));
    code.simd(extend);
  }
  b(k >> 1);
  code.simd(extend, onLanes(operation === 'add' ? lanes.add : lanes.sub, size));
}

// ---- Results of half the size ------------------------------------------------------------

const NARROW: ReadonlyMap<number, number> = new Map([
  [0x2c, lanes.shrU],
  [0x2d, lanes.shrS],
]);

/** vnsrl and vnsra by the same count for all elements */
function planNarrow(fields: VectorInstruction, type: VectorType): Plan | undefined {
  const shift = NARROW.get(fields.funct6);
  const { vd, vs2, funct3 } = fields;
  const { sew, lmul } = type;
  if (shift === undefined || funct3 === OPIVV || sew === 3 || lmul === 3) return undefined;
  if (!isAligned(vd, lmul) || !isAligned(vs2, lmul + 1)) return undefined;
  if (vd !== vs2 && !areDisjoint(vd, lmul, vs2, lmul + 1)) return undefined;
  const isTwo = lmul >= 0;
  return {
    writes: groupLength(lmul),
    emit(context) {
      const { code, unit, f } = context;
      const part = f.borrow(V128);
      const pushPart = (register: number) => {
        unit.get(register);
        if (funct3 === OPIVX || fields.vs1 !== 0) {
          pushCount(context);
          code.simd(onLanes(shift, sew + 1));
        }
      };
      context.begin(lmul);
      for (let k = 0; k < groupLength(lmul); k++) {
        pushPart(vs2 + (isTwo ? 2 * k : 0));
        if (isTwo) pushPart(vs2 + 2 * k + 1);
        else {
          code.set(part);
          code.get(part);
          code.get(part);
        }
        code.simdBytes(simd.shuffle, lowHalves(sew));
        context.set(k, sew);
      }
      f.release(V128, part);
    },
  };
}

/** Selects the lower halves of the elements of two vectors. */
function lowHalves(size: number): number[] {
  const bytes = 1 << size;
  return Array.from({ length: 16 }, (_, n) => 2 * bytes * Math.floor(n / bytes) + (n % bytes));
}
