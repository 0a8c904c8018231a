/** Slides, gathers, moves, operations on masks, and integer reductions (V 1.0, chapters 14 to 16). */
import { setXreg } from '../state';
import {
  active,
  aligned,
  apart,
  disjoint,
  element,
  elements,
  hart,
  illType,
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
  VLENB,
  vs1,
  vs2,
  vstart,
} from './unit';

/** Whether a permutation from vs2 may write vd, which it must not overlap. */
function permutes(): bool {
  return maskKept() && notMask(vs2) && aligned(vd, lmul) && aligned(vs2, lmul) && apart(vd, lmul, vs2, lmul);
}

/** vrgather.vv and vrgatherei16.vv, by the size of the indices. */
export function gather(size: i32): bool {
  const groups = size - sew + lmul;
  if (!permutes() || groups < -3 || groups > 3 || !aligned(vs1, groups) || !apart(vd, lmul, vs1, groups))
    return false;
  if (!notMask(vs1) || (size != sew && !disjoint(vs1, groups, vs2, lmul))) return false;
  const indices = register(vs1);
  for (let i = vstart; i < vl; i++) if (active(i)) pick(i, element(indices, i, size));
  return true;
}

/** vrgather.vx and vrgather.vi */
export function gatherOne(index: u64): bool {
  if (!permutes()) return false;
  for (let i = vstart; i < vl; i++) if (active(i)) pick(i, index);
  return true;
}

@inline
function pick(i: u32, index: u64): void {
  const value = index < elements(sew, lmul) ? element(register(vs2), <u32>index, sew) : 0;
  setElement(register(vd), i, sew, value);
}

export function slideUp(distance: u64): bool {
  if (!permutes()) return false;
  const first = max(<u64>vstart, distance);
  for (let i = first; i < vl; i++) if (active(<u32>i)) pick(<u32>i, i - distance);
  return true;
}

export function slideDown(distance: u64): bool {
  if (!maskKept() || !notMask(vs2) || !aligned(vd, lmul) || !aligned(vs2, lmul)) return false;
  for (let i = vstart; i < vl; i++) {
    // The sum may wrap around.
    if (active(i)) pick(i, distance < elements(sew, lmul) ? distance + i : ~(<u64>0));
  }
  return true;
}

/** vslide1up and vfslide1up */
export function slideUpOne(scalar: u64): bool {
  if (!permutes()) return false;
  const to = register(vd);
  for (let i = vstart; i < vl; i++) {
    if (active(i)) setElement(to, i, sew, i == 0 ? scalar : element(register(vs2), i - 1, sew));
  }
  return true;
}

/** vslide1down and vfslide1down */
export function slideDownOne(scalar: u64): bool {
  if (!maskKept() || !notMask(vs2) || !aligned(vd, lmul) || !aligned(vs2, lmul)) return false;
  const to = register(vd);
  for (let i = vstart; i < vl; i++) {
    if (active(i)) setElement(to, i, sew, i == vl - 1 ? scalar : element(register(vs2), i + 1, sew));
  }
  return true;
}

export function compress(): bool {
  if (!unmasked || vstart != 0 || !aligned(vd, lmul) || !aligned(vs2, lmul)) return false;
  if (!apart(vd, lmul, vs2, lmul) || covers(vd, vs1)) return false;
  let next: u32 = 0;
  for (let i: u32 = 0; i < vl; i++) {
    if (maskBit(register(vs1), i)) setElement(register(vd), next++, sew, element(register(vs2), i, sew));
  }
  return true;
}

/** Whether the group at `n` has another register. */
function covers(n: u32, other: u32): bool {
  return other - n < (<u32>1) << max(lmul, 0);
}

/** vmv1r.v … vmv8r.v */
export function moveRegisters(): bool {
  const count = vs1 + 1;
  if (!unmasked || illType || count > 8 || (count & vs1) != 0 || (vd & vs1) != 0 || (vs2 & vs1) != 0)
    return false;
  const from = min(vstart << sew, count * VLENB);
  memory.copy(register(vd) + from, register(vs2) + from, count * VLENB - from);
  return true;
}

/** vmv.x.s, vcpop.m, vfirst.m */
export function maskToInteger(): bool {
  let value: u64 = 0;
  switch (vs1) {
    case 0:
      if (!unmasked) return false;
      value = signExtend(element(register(vs2), 0, sew), sew);
      break;
    case 16:
      if (vstart != 0) return false;
      for (let i: u32 = 0; i < vl; i++) value += u64(active(i) && maskBit(register(vs2), i));
      break;
    case 17:
      if (vstart != 0) return false;
      value = ~0;
      for (let i: u32 = 0; i < vl; i++) {
        if (!active(i) || !maskBit(register(vs2), i)) continue;
        value = i;
        break;
      }
      break;
    default:
      return false;
  }
  if (vd != 0) setXreg(hart, vd, value);
  return true;
}

/** vmv.s.x and vfmv.s.f */
export function setFirst(scalar: u64): bool {
  if (!unmasked || vs2 != 0) return false;
  if (vstart < vl) setElement(register(vd), 0, sew, scalar);
  return true;
}

/** vmand … vmxnor */
export function maskLogic(op: u32): bool {
  if (!unmasked) return false;
  for (let i = vstart; i < vl; i++) {
    const a = maskBit(register(vs2), i);
    const b = maskBit(register(vs1), i);
    setMaskBit(register(vd), i, logic(op, a, b));
  }
  return true;
}

function logic(op: u32, a: bool, b: bool): bool {
  switch (op) {
    case 0x18:
      return a && !b;
    case 0x19:
      return a && b;
    case 0x1a:
      return a || b;
    case 0x1b:
      return a != b;
    case 0x1c:
      return a || !b;
    case 0x1d:
      return !(a && b);
    case 0x1e:
      return !(a || b);
    default:
      return a == b;
  }
}

/** vmsbf, vmsof, vmsif, viota, vid (VMUNARY0) */
export function maskUnary(): bool {
  switch (vs1) {
    case 1:
    case 2:
    case 3:
      return setAroundFirst();
    case 16:
      return countBefore();
    case 17:
      if (vs2 != 0 || !maskKept() || !aligned(vd, lmul)) return false;
      for (let i = vstart; i < vl; i++) if (active(i)) setElement(register(vd), i, sew, i);
      return true;
    default:
      return false;
  }
}

/** Bits before the first one that is set (vmsbf), that one (vmsof), or both (vmsif). */
function setAroundFirst(): bool {
  if (vstart != 0 || vd == vs2 || !maskKept()) return false;
  let found = false;
  for (let i: u32 = 0; i < vl; i++) {
    if (!active(i)) continue;
    const first = !found && maskBit(register(vs2), i);
    setMaskBit(register(vd), i, vs1 == 1 ? !found && !first : vs1 == 2 ? first : !found);
    found = found || first;
  }
  return true;
}

function countBefore(): bool {
  if (vstart != 0 || !maskKept() || !aligned(vd, lmul) || covers(vd, vs2)) return false;
  let count: u64 = 0;
  for (let i: u32 = 0; i < vl; i++) {
    if (!active(i)) continue;
    setElement(register(vd), i, sew, count);
    count += u64(maskBit(register(vs2), i));
  }
  return true;
}

/** vredsum … vredmax */
export function reduce(op: u32): bool {
  if (vstart != 0 || !aligned(vs2, lmul)) return false;
  if (vl == 0) return true;
  let result = element(register(vs1), 0, sew);
  for (let i: u32 = 0; i < vl; i++) {
    if (active(i)) result = combine(op, result, element(register(vs2), i, sew));
  }
  setElement(register(vd), 0, sew, result);
  return true;
}

function combine(op: u32, a: u64, b: u64): u64 {
  switch (op) {
    case 0:
      return a + b;
    case 1:
      return a & b;
    case 2:
      return a | b;
    case 3:
      return a ^ b;
    case 4:
      return min(a, b);
    case 5:
      return <i64>signExtend(a, sew) < <i64>signExtend(b, sew) ? a : b;
    case 6:
      return max(a, b);
    default:
      return <i64>signExtend(a, sew) > <i64>signExtend(b, sew) ? a : b;
  }
}

/** vwredsumu and vwredsum */
export function reduceWide(isSigned: bool): bool {
  if (vstart != 0 || sew == 3 || !aligned(vs2, lmul)) return false;
  if (vl == 0) return true;
  let sum = element(register(vs1), 0, sew + 1);
  for (let i: u32 = 0; i < vl; i++) {
    const value = element(register(vs2), i, sew);
    if (active(i)) sum += isSigned ? signExtend(value, sew) : value;
  }
  setElement(register(vd), 0, sew + 1, sum);
  return true;
}
