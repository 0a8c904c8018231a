/** Floating-point arithmetic (V 1.0, chapter 13; Zvfhmin), element by element with the scalar operations. */
import { H_F, H_FRM } from '../../../layout';
import * as fpu from '../fpu';
import { box, NAN_S, SIGN_D, SIGN_S, unbox, widen } from '../fpu/format';
import { NX, RTZ } from '../fpu/flags';
import { TO_ODD } from '../fpu/round';
import { softNarrow } from '../fpu/soft';
import { reciprocal, reciprocalRoot } from './estimate';
import { setFirst, slideDownOne, slideUpOne } from './move';
import {
  active,
  aligned,
  apart,
  disjoint,
  element,
  hart,
  lmul,
  maskBit,
  maskKept,
  notMask,
  register,
  setElement,
  setMaskBit,
  sew,
  signExtend,
  unmasked,
  vd,
  vl,
  vs1,
  vs2,
  vstart,
} from './unit';

let rm: i32 = 0;

/** Executes an instruction of OPFVV or OPFVF. Returns false if it is illegal. */
export function floatOperation(op: u32, vector: bool): bool {
  rm = load<i32>(hart, H_FRM);
  // Even if the instruction does not round (13.1).
  if (rm > 4) return false;
  if (op == 0x12) return vector && convert();
  if (sew < 2) return false;
  const given = load<u64>(hart + vs1 * 8, H_F);
  const scalar = sew == 3 ? given : <u64>unbox(given);
  switch (op) {
    case 0x01:
    case 0x03:
    case 0x05:
    case 0x07:
      return vector && reduce(op);
    case 0x0e:
      return !vector && slideUpOne(scalar);
    case 0x0f:
      return !vector && slideDownOne(scalar);
    case 0x10:
      return vector ? firstToFloat() : setFirst(scalar);
    case 0x13:
      return vector && unaryOperation();
    case 0x17:
      return !vector && merge(scalar);
    case 0x31:
    case 0x33:
      return vector && reduceWide();
  }
  if (op >= 0x18 && op <= 0x1f) return compareOperation(op, vector, scalar);
  if (op >= 0x30) return wideOperation(op, vector, scalar);
  return sameOperation(op, vector, scalar);
}

function firstToFloat(): bool {
  if (vs1 != 0 || !unmasked) return false;
  const value = element(register(vs2), 0, sew);
  store<u64>(hart + vd * 8, sew == 3 ? value : box(<u32>value), H_F);
  return true;
}

function merge(scalar: u64): bool {
  if (!aligned(vd, lmul) || !aligned(vs2, lmul) || (unmasked ? vs2 != 0 : vd == 0 || vs2 == 0)) return false;
  for (let i = vstart; i < vl; i++) {
    const value = active(i) ? scalar : element(register(vs2), i, sew);
    setElement(register(vd), i, sew, value);
  }
  return true;
}

/** Whether no source is the mask as well. */
@inline
function sourcesNotMask(vector: bool): bool {
  return notMask(vs2) && (!vector || notMask(vs1));
}

function scalarOnly(op: u32): bool {
  return op == 0x21 || op == 0x27 || op == 0x1d || op == 0x1f;
}

function isSame(op: u32): bool {
  switch (op) {
    case 0x00:
    case 0x02:
    case 0x04:
    case 0x06:
    case 0x08:
    case 0x09:
    case 0x0a:
    case 0x20:
    case 0x21:
    case 0x24:
    case 0x27:
      return true;
    default:
      return op >= 0x28 && op <= 0x2f;
  }
}

function sameOperation(op: u32, vector: bool, scalar: u64): bool {
  if (!isSame(op) || (vector && scalarOnly(op)) || !maskKept() || !sourcesNotMask(vector)) return false;
  if (!aligned(vd, lmul) || !aligned(vs2, lmul) || (vector && !aligned(vs1, lmul))) return false;
  const to = register(vd);
  for (let i = vstart; i < vl; i++) {
    if (!active(i)) continue;
    const a = element(register(vs2), i, sew);
    const b = vector ? element(register(vs1), i, sew) : scalar;
    setElement(
      to,
      i,
      sew,
      sew == 3 ? double(op, a, b, element(to, i, 3)) : single(op, a, b, element(to, i, 2)),
    );
  }
  return true;
}

/** `a` is of vs2, `b` of vs1 or a scalar, `d` of vd. */
function double(op: u32, a: u64, b: u64, d: u64): u64 {
  switch (op) {
    case 0x00:
      return fpu.addD(a, b, rm);
    case 0x02:
      return fpu.subD(a, b, rm);
    case 0x04:
      return fpu.minD(a, b);
    case 0x06:
      return fpu.maxD(a, b);
    case 0x08:
      return fpu.sgnjD(a, b);
    case 0x09:
      return fpu.sgnjnD(a, b);
    case 0x0a:
      return fpu.sgnjxD(a, b);
    case 0x20:
      return fpu.divD(a, b, rm);
    case 0x21:
      return fpu.divD(b, a, rm);
    case 0x24:
      return fpu.mulD(a, b, rm);
    case 0x27:
      return fpu.subD(b, a, rm);
    case 0x28:
    case 0x29:
    case 0x2a:
    case 0x2b:
      return fused(op, b, d, a);
    default:
      return fused(op, a, b, d);
  }
}

/** ±(a * b) ± c: madd, nmadd, msub, nmsub by the last two bits of the operation. */
function fused(op: u32, a: u64, b: u64, c: u64): u64 {
  const negateProduct = (op & 1) != 0;
  const kind = op & 3;
  const negateAddend = kind == 1 || kind == 2;
  return fpu.fmaD(negateProduct ? a ^ SIGN_D : a, b, negateAddend ? c ^ SIGN_D : c, rm);
}

function single(op: u32, left: u64, right: u64, old: u64): u64 {
  const a = box(<u32>left);
  const b = box(<u32>right);
  switch (op) {
    case 0x00:
      return fpu.addS(a, b, rm);
    case 0x02:
      return fpu.subS(a, b, rm);
    case 0x04:
      return fpu.minS(a, b);
    case 0x06:
      return fpu.maxS(a, b);
    case 0x08:
      return fpu.sgnjS(a, b);
    case 0x09:
      return fpu.sgnjnS(a, b);
    case 0x0a:
      return fpu.sgnjxS(a, b);
    case 0x20:
      return fpu.divS(a, b, rm);
    case 0x21:
      return fpu.divS(b, a, rm);
    case 0x24:
      return fpu.mulS(a, b, rm);
    case 0x27:
      return fpu.subS(b, a, rm);
    default: {
      const d = box(<u32>old);
      const negateProduct = (op & 1) != 0;
      const negateAddend = (op & 3) == 1 || (op & 3) == 2;
      return op < 0x2c
        ? fpu.fmaS(b, d, a, rm, negateProduct, negateAddend)
        : fpu.fmaS(a, b, d, rm, negateProduct, negateAddend);
    }
  }
}

function compareOperation(op: u32, vector: bool, scalar: u64): bool {
  if (op == 0x1a || op == 0x1e || (vector && scalarOnly(op)) || !aligned(vs2, lmul)) return false;
  if (vd != vs2 && !apart(vd, 0, vs2, lmul)) return false;
  if (vector && !(aligned(vs1, lmul) && (vd == vs1 || apart(vd, 0, vs1, lmul)))) return false;
  for (let i = vstart; i < vl; i++) {
    if (!active(i)) continue;
    const a = element(register(vs2), i, sew);
    const b = vector ? element(register(vs1), i, sew) : scalar;
    setMaskBit(register(vd), i, compare(op, a, b) != 0);
  }
  return true;
}

function compare(op: u32, a: u64, b: u64): u64 {
  if (sew == 2) {
    a = box(<u32>a);
    b = box(<u32>b);
  }
  switch (op) {
    case 0x18:
      return sew == 3 ? fpu.eqD(a, b) : fpu.eqS(a, b);
    case 0x19:
      return sew == 3 ? fpu.leD(a, b) : fpu.leS(a, b);
    case 0x1b:
      return sew == 3 ? fpu.ltD(a, b) : fpu.ltS(a, b);
    case 0x1c:
      return 1 ^ (sew == 3 ? fpu.eqD(a, b) : fpu.eqS(a, b));
    case 0x1d:
      return sew == 3 ? fpu.ltD(b, a) : fpu.ltS(b, a);
    default:
      return sew == 3 ? fpu.leD(b, a) : fpu.leS(b, a);
  }
}

/** Singles to a double. */
function wideOperation(op: u32, vector: bool, scalar: u64): bool {
  const wideFirst = op == 0x34 || op == 0x36;
  const known = op == 0x30 || op == 0x32 || op == 0x38 || wideFirst || op >= 0x3c;
  if (!known || sew != 2 || lmul == 3 || !maskKept() || !sourcesNotMask(vector)) return false;
  if (!aligned(vd, lmul + 1)) return false;
  // Multiply-add reads vd as well.
  if (op >= 0x3c && !(disjoint(vd, lmul + 1, vs2, lmul) && (!vector || disjoint(vd, lmul + 1, vs1, lmul))))
    return false;
  if (wideFirst && vector && !disjoint(vs1, lmul, vs2, lmul + 1)) return false;
  if (vector && !(aligned(vs1, lmul) && apart(vd, lmul + 1, vs1, lmul))) return false;
  if (wideFirst ? !aligned(vs2, lmul + 1) : !(aligned(vs2, lmul) && apart(vd, lmul + 1, vs2, lmul)))
    return false;
  for (let i = vstart; i < vl; i++) {
    if (!active(i)) continue;
    const b = widen(<u32>(vector ? element(register(vs1), i, 2) : scalar));
    const a = wideFirst ? element(register(vs2), i, 3) : widen(<u32>element(register(vs2), i, 2));
    setElement(register(vd), i, 3, wide(op, a, b, element(register(vd), i, 3)));
  }
  return true;
}

function wide(op: u32, a: u64, b: u64, d: u64): u64 {
  switch (op) {
    case 0x30:
    case 0x34:
      return fpu.addD(a, b, rm);
    case 0x32:
    case 0x36:
      return fpu.subD(a, b, rm);
    case 0x38:
      return fpu.mulD(a, b, rm);
    default:
      return fused(op, a, b, d);
  }
}

/** In the order of the elements, also where the order is free. */
function reduce(op: u32): bool {
  if (vstart != 0 || !aligned(vs2, lmul)) return false;
  if (vl == 0) return true;
  let result = element(register(vs1), 0, sew);
  const kind = op == 0x05 ? 0x04 : op == 0x07 ? 0x06 : 0x00;
  for (let i: u32 = 0; i < vl; i++) {
    if (!active(i)) continue;
    const value = element(register(vs2), i, sew);
    result = sew == 3 ? double(kind, result, value, 0) : single(kind, result, value, 0);
  }
  setElement(register(vd), 0, sew, result);
  return true;
}

function reduceWide(): bool {
  if (vstart != 0 || sew != 2 || !aligned(vs2, lmul)) return false;
  if (vl == 0) return true;
  let sum = element(register(vs1), 0, 3);
  for (let i: u32 = 0; i < vl; i++) {
    if (active(i)) sum = fpu.addD(sum, widen(<u32>element(register(vs2), i, 2)), rm);
  }
  setElement(register(vd), 0, 3, sum);
  return true;
}

/** vfsqrt, vfrsqrt7, vfrec7, vfclass (VFUNARY1) */
function unaryOperation(): bool {
  if (vs1 != 0 && vs1 != 4 && vs1 != 5 && vs1 != 16) return false;
  if (!maskKept() || !notMask(vs2) || !aligned(vd, lmul) || !aligned(vs2, lmul)) return false;
  for (let i = vstart; i < vl; i++) {
    if (active(i)) setElement(register(vd), i, sew, unary(element(register(vs2), i, sew)));
  }
  return true;
}

function unary(a: u64): u64 {
  const isDouble = sew == 3;
  switch (vs1) {
    case 0:
      return isDouble ? fpu.sqrtD(a, rm) : fpu.sqrtS(box(<u32>a), rm);
    case 4:
      return reciprocalRoot(a, isDouble);
    case 5:
      return reciprocal(a, isDouble, rm);
    default:
      return isDouble ? fpu.classD(a) : fpu.classS(box(<u32>a));
  }
}

/** The conversions (VFUNARY0): within SEW, to twice SEW, from twice SEW. */
function convert(): bool {
  const kind = vs1 & 7;
  const group = vs1 >>> 3;
  const half = kind == 4 && sew == 1;
  if (group == 3 || !maskKept() || !notMask(vs2)) return false;
  if (group == 0) {
    if (kind == 4 || kind == 5 || sew < 2 || !aligned(vd, lmul) || !aligned(vs2, lmul)) return false;
  } else {
    if (lmul == 3 || sew == 3) return false;
    if (group == 1) {
      // Only to and from floats of 32 or 64 bits; of halves only vfwcvt.f.f and vfncvt.f.f.
      const fromInteger = kind == 2 || kind == 3;
      if (kind == 5 || (sew < 2 && !half && !(fromInteger && sew == 1))) return false;
      if (!aligned(vd, lmul + 1) || !aligned(vs2, lmul) || !apart(vd, lmul + 1, vs2, lmul)) return false;
    } else {
      const toInteger = kind < 2 || kind > 5;
      if (sew < 2 && !half && !(toInteger && sew == 1)) return false;
      if (!aligned(vd, lmul) || !aligned(vs2, lmul + 1)) return false;
      if (vd != vs2 && !apart(vd, lmul, vs2, lmul + 1)) return false;
    }
  }
  const fromSize = group == 2 ? sew + 1 : sew;
  const toSize = group == 1 ? sew + 1 : sew;
  for (let i = vstart; i < vl; i++) {
    if (active(i))
      setElement(
        register(vd),
        i,
        toSize,
        converted(kind, element(register(vs2), i, fromSize), fromSize, toSize),
      );
  }
  return true;
}

function converted(kind: u32, a: u64, from: i32, to: i32): u64 {
  switch (kind) {
    case 0:
      return toInteger(a, from, to, false, rm);
    case 1:
      return toInteger(a, from, to, true, rm);
    case 2:
      return fromUnsigned(a, to);
    case 3:
      return fromSigned(signExtend(a, from), to);
    case 4:
      return toFloat(a, from, to);
    case 5:
      return softNarrow(a, rm | TO_ODD);
    case 6:
      return toInteger(a, from, to, false, RTZ);
    default:
      return toInteger(a, from, to, true, RTZ);
  }
}

function fromUnsigned(a: u64, to: i32): u64 {
  return to == 3 ? fpu.cvtDLU(a, rm) : fpu.cvtSLU(a, rm);
}

function fromSigned(a: u64, to: i32): u64 {
  return to == 3 ? fpu.cvtDL(a, rm) : fpu.cvtSL(a, rm);
}

function toInteger(a: u64, from: i32, to: i32, isSigned: bool, mode: i32): u64 {
  if (from == 2) a = box(<u32>a);
  if (to == 3) {
    if (from == 3) return isSigned ? fpu.cvtLD(a, mode) : fpu.cvtLUD(a, mode);
    return isSigned ? fpu.cvtLS(a, mode) : fpu.cvtLUS(a, mode);
  }
  if (to == 2) {
    if (from == 3) return isSigned ? fpu.cvtWD(a, mode) : fpu.cvtWUD(a, mode);
    return isSigned ? fpu.cvtWS(a, mode) : fpu.cvtWUS(a, mode);
  }
  return fpu.cvtHalfwordS(a, mode, isSigned);
}

function toFloat(a: u64, from: i32, to: i32): u64 {
  if (from == 1) return fpu.cvtSH(fpu.boxH(<u32>a));
  if (from == 2) return to == 3 ? fpu.cvtDS(box(<u32>a)) : fpu.cvtHS(box(<u32>a), rm);
  return fpu.cvtSD(a, rm);
}
