/** Integer and fixed-point arithmetic (V 1.0, chapters 11 and 12; Zvbb), element by element. */
import { H_VCSR } from '../../../layout';
import { div, divu, mulhsu, mulhu, mulh, rem, remu } from '../integer';
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
  zeroExtend,
} from './unit';

/** Forms of the second operand, as bits: a vector, an integer register, an immediate. */
const VV: u32 = 1;
const VX: u32 = 2;
const VI: u32 = 4;

/** An operation's number is funct6, and OPM in addition for the instructions of OPMVV and OPMVX. */
const OPM: u32 = 64;

/** How operands and result relate. */
const enum Shape {
  ILLEGAL,
  /** All have SEW. */
  SAME,
  /** The result is a mask. */
  MASK,
  /** The result has twice SEW. */
  WIDE,
  /** So has the first operand, vs2. */
  WIDE_FIRST,
  /** Only the first operand has twice SEW. */
  NARROW,
}

let forms: u32 = 0;

@inline
function shaped(shape: i32, allowed: u32): i32 {
  forms = allowed;
  return shape;
}

function shapeOf(op: u32): i32 {
  switch (op) {
    case 0x00: // vadd
    case 0x09: // vand
    case 0x0a: // vor
    case 0x0b: // vxor
    case 0x10: // vadc
    case 0x17: // vmerge, vmv
    case 0x20: // vsaddu
    case 0x21: // vsadd
    case 0x25: // vsll
    case 0x28: // vsrl
    case 0x29: // vsra
    case 0x2a: // vssrl
    case 0x2b: // vssra
    case 0x14: // vror
      return shaped(Shape.SAME, VV | VX | VI);
    case 0x15: // vrol; the immediate form is vror with bit 5 set
      return shaped(Shape.SAME, VV | VX | VI);
    case 0x01: // vandn
    case 0x02: // vsub
    case 0x04: // vminu
    case 0x05: // vmin
    case 0x06: // vmaxu
    case 0x07: // vmax
    case 0x12: // vsbc
    case 0x22: // vssubu
    case 0x23: // vssub
    case 0x27: // vsmul
    case OPM | 0x08: // vaaddu
    case OPM | 0x09: // vaadd
    case OPM | 0x0a: // vasubu
    case OPM | 0x0b: // vasub
    case OPM | 0x20: // vdivu
    case OPM | 0x21: // vdiv
    case OPM | 0x22: // vremu
    case OPM | 0x23: // vrem
    case OPM | 0x24: // vmulhu
    case OPM | 0x25: // vmul
    case OPM | 0x26: // vmulhsu
    case OPM | 0x27: // vmulh
    case OPM | 0x29: // vmadd
    case OPM | 0x2b: // vnmsub
    case OPM | 0x2d: // vmacc
    case OPM | 0x2f: // vnmsac
      return shaped(Shape.SAME, VV | VX);
    case 0x03: // vrsub
      return shaped(Shape.SAME, VX | VI);
    case 0x11: // vmadc
    case 0x18: // vmseq
    case 0x19: // vmsne
    case 0x1c: // vmsleu
    case 0x1d: // vmsle
      return shaped(Shape.MASK, VV | VX | VI);
    case 0x13: // vmsbc
    case 0x1a: // vmsltu
    case 0x1b: // vmslt
      return shaped(Shape.MASK, VV | VX);
    case 0x1e: // vmsgtu
    case 0x1f: // vmsgt
      return shaped(Shape.MASK, VX | VI);
    case 0x2c: // vnsrl
    case 0x2d: // vnsra
    case 0x2e: // vnclipu
    case 0x2f: // vnclip
      return shaped(Shape.NARROW, VV | VX | VI);
    case 0x35: // vwsll
      return shaped(Shape.WIDE, VV | VX | VI);
    case OPM | 0x30: // vwaddu
    case OPM | 0x31: // vwadd
    case OPM | 0x32: // vwsubu
    case OPM | 0x33: // vwsub
    case OPM | 0x38: // vwmulu
    case OPM | 0x3a: // vwmulsu
    case OPM | 0x3b: // vwmul
    case OPM | 0x3c: // vwmaccu
    case OPM | 0x3d: // vwmacc
    case OPM | 0x3f: // vwmaccsu
      return shaped(Shape.WIDE, VV | VX);
    case OPM | 0x3e: // vwmaccus
      return shaped(Shape.WIDE, VX);
    case OPM | 0x34: // vwaddu.w
    case OPM | 0x35: // vwadd.w
    case OPM | 0x36: // vwsubu.w
    case OPM | 0x37: // vwsub.w
      return shaped(Shape.WIDE_FIRST, VV | VX);
    default:
      return Shape.ILLEGAL;
  }
}

/** Immediates of shifts and clips have no sign. */
function unsignedImmediate(op: u32): bool {
  return op == 0x14 || op == 0x15 || op == 0x25 || op == 0x35 || (op >= 0x28 && op <= 0x2f);
}

function legal(op: u32, shape: i32, vector: bool): bool {
  const wide = lmul + 1;
  const addsMask = op == 0x10 || op == 0x12;
  if (shape != Shape.MASK && !addsMask && (!notMask(vs2) || (vector && !notMask(vs1)))) return false;
  switch (shape) {
    case Shape.SAME:
      if (addsMask) {
        if (unmasked || vd == 0) return false;
      } else if (op == 0x17) {
        if (unmasked ? vs2 != 0 : vd == 0) return false;
      } else if (!maskKept()) return false;
      return aligned(vd, lmul) && aligned(vs2, lmul) && (!vector || aligned(vs1, lmul));
    case Shape.MASK:
      if (!aligned(vs2, lmul) || (vd != vs2 && !apart(vd, 0, vs2, lmul))) return false;
      return !vector || (aligned(vs1, lmul) && (vd == vs1 || apart(vd, 0, vs1, lmul)));
    case Shape.NARROW:
      if (sew == 3 || lmul == 3 || !maskKept()) return false;
      if (!aligned(vs2, wide) || !aligned(vd, lmul)) return false;
      if (vector && !(aligned(vs1, lmul) && disjoint(vs1, lmul, vs2, wide))) return false;
      return vd == vs2 || apart(vd, lmul, vs2, wide);
    default:
      if (sew == 3 || lmul == 3 || !maskKept() || !aligned(vd, wide)) return false;
      if (vector && !(aligned(vs1, lmul) && apart(vd, wide, vs1, lmul))) return false;
      if (shape == Shape.WIDE_FIRST) return aligned(vs2, wide) && (!vector || disjoint(vs1, lmul, vs2, wide));
      // Multiply-add reads vd as well.
      if (
        op >= (OPM | 0x3c) &&
        !(disjoint(vd, wide, vs2, lmul) && (!vector || disjoint(vd, wide, vs1, lmul)))
      )
        return false;
      return aligned(vs2, lmul) && apart(vd, wide, vs2, lmul);
  }
}

/** Executes an instruction of OPIVV, OPIVX, OPIVI, OPMVV or OPMVX. Returns false if it is illegal. */
export function integerOperation(op: u32, form: u32, scalar: u64): bool {
  const shape = shapeOf(op);
  const vector = form == VV;
  if (shape == Shape.ILLEGAL || !(forms & form) || !legal(op, shape, vector)) return false;
  if (form == VI) {
    const extended: u64 = <u64>(<i64>(((<i32>vs1) << 27) >> 27));
    scalar = unsignedImmediate(op) ? <u64>vs1 | (op == 0x15 ? 32 : 0) : extended;
    if (op == 0x15) op = 0x14;
  }
  const first = register(vs2);
  const second = register(vs1);
  const to = register(vd);
  const firstSize = shape == Shape.WIDE_FIRST || shape == Shape.NARROW ? sew + 1 : sew;
  const toSize = shape == Shape.WIDE || shape == Shape.WIDE_FIRST ? sew + 1 : sew;
  scalar = zeroExtend(scalar, sew);
  // These read the mask as an operand, for every element.
  const all = unmasked || op == 0x10 || op == 0x11 || op == 0x12 || op == 0x13 || op == 0x17;
  for (let i = vstart; i < vl; i++) {
    if (!all && !maskBit(register(0), i)) continue;
    const a = element(first, i, firstSize);
    const b = vector ? element(second, i, sew) : scalar;
    if (shape == Shape.SAME) setElement(to, i, sew, same(op, a, b, to, i));
    else if (shape == Shape.MASK) setMaskBit(to, i, compare(op, a, b, i));
    else if (shape == Shape.NARROW) setElement(to, i, sew, narrow(op, a, b));
    else setElement(to, i, toSize, widen(op, a, b, to, i));
  }
  return true;
}

/** The mask's bit as a carry, for the forms that have one. */
@inline
function carry(i: u32): u64 {
  return unmasked ? 0 : u64(maskBit(register(0), i));
}

function same(op: u32, a: u64, b: u64, to: usize, i: u32): u64 {
  const bits = 8 << sew;
  switch (op) {
    case 0x00:
      return a + b;
    case 0x01:
      return a & ~b;
    case 0x02:
      return a - b;
    case 0x03:
      return b - a;
    case 0x04:
      return min(a, b);
    case 0x05:
      return signed(a) < signed(b) ? a : b;
    case 0x06:
      return max(a, b);
    case 0x07:
      return signed(a) > signed(b) ? a : b;
    case 0x09:
      return a & b;
    case 0x0a:
      return a | b;
    case 0x0b:
      return a ^ b;
    case 0x10:
      return a + b + carry(i);
    case 0x12:
      return a - b - carry(i);
    case 0x14:
      return rotateRight(a, b & (bits - 1));
    case 0x15:
      return rotateRight(a, -b & (bits - 1));
    case 0x17:
      return unmasked || maskBit(register(0), i) ? b : a;
    case 0x20: {
      const sum = zeroExtend(a + b, sew);
      return sum < a ? saturated(~0) : sum;
    }
    case 0x21:
      return saturateSum(a, b, a + b);
    case 0x22:
      return a < b ? saturated(0) : a - b;
    case 0x23:
      return saturateSum(a, ~b, a - b);
    case 0x25:
      return a << (b & (bits - 1));
    case 0x27:
      return fractionalProduct(a, b);
    case 0x28:
      return a >> (b & (bits - 1));
    case 0x29:
      return <u64>(signed(a) >> (b & (bits - 1)));
    case 0x2a:
      return roundOff(a, b & (bits - 1), false);
    case 0x2b:
      return roundOff(<u64>signed(a), b & (bits - 1), true);
    case OPM | 0x08:
      return averaged((a & b) + ((a ^ b) >> 1), a ^ b);
    case OPM | 0x09:
      return averaged((<u64>signed(a) & <u64>signed(b)) + <u64>((signed(a) ^ signed(b)) >> 1), a ^ b);
    case OPM | 0x0a:
      return averaged(((a ^ b) >> 1) - (~a & b), a ^ b);
    case OPM | 0x0b:
      return averaged(<u64>((signed(a) ^ signed(b)) >> 1) - <u64>(~signed(a) & signed(b)), a ^ b);
    case OPM | 0x20:
      return divu(a, b);
    case OPM | 0x21:
      return div(signed(a), signed(b));
    case OPM | 0x22:
      return remu(a, b);
    case OPM | 0x23:
      return rem(signed(a), signed(b));
    case OPM | 0x24:
      return sew == 3 ? mulhu(a, b) : (a * b) >> bits;
    case OPM | 0x25:
      return a * b;
    case OPM | 0x26:
      return sew == 3 ? mulhsu(a, b) : (<u64>signed(a) * b) >> bits;
    case OPM | 0x27:
      return sew == 3 ? mulh(a, b) : <u64>(signed(a) * signed(b)) >> bits;
    case OPM | 0x29:
      return b * element(to, i, sew) + a;
    case OPM | 0x2b:
      return a - b * element(to, i, sew);
    case OPM | 0x2d:
      return a * b + element(to, i, sew);
    default:
      return element(to, i, sew) - a * b;
  }
}

function compare(op: u32, a: u64, b: u64, i: u32): bool {
  switch (op) {
    case 0x11: {
      const sum = zeroExtend(a + b + carry(i), sew);
      return carry(i) ? sum <= a : sum < a;
    }
    case 0x13:
      return carry(i) ? a <= b : a < b;
    case 0x18:
      return a == b;
    case 0x19:
      return a != b;
    case 0x1a:
      return a < b;
    case 0x1b:
      return signed(a) < signed(b);
    case 0x1c:
      return a <= b;
    case 0x1d:
      return signed(a) <= signed(b);
    case 0x1e:
      return a > b;
    default:
      return signed(a) > signed(b);
  }
}

/** `a` has twice SEW. */
function narrow(op: u32, a: u64, b: u64): u64 {
  const shift = b & ((16 << sew) - 1);
  const whole = signExtend(a, sew + 1);
  switch (op) {
    case 0x2c:
      return a >> shift;
    case 0x2d:
      return <u64>(<i64>whole >> shift);
    case 0x2e: {
      const value = roundOff(a, shift, false);
      return value > zeroExtend(~0, sew) ? saturated(~0) : value;
    }
    default: {
      const value = roundOff(whole, shift, true);
      return value == signExtend(value, sew) ? value : saturated(limit(<i64>value < 0));
    }
  }
}

/** The result has twice SEW. */
function widen(op: u32, a: u64, b: u64, to: usize, i: u32): u64 {
  switch (op) {
    case 0x35:
      return a << (b & ((16 << sew) - 1));
    case OPM | 0x30:
    case OPM | 0x34:
      return a + b;
    case OPM | 0x31:
      return <u64>(signed(a) + signed(b));
    case OPM | 0x35:
      return a + <u64>signed(b);
    case OPM | 0x32:
    case OPM | 0x36:
      return a - b;
    case OPM | 0x33:
      return <u64>(signed(a) - signed(b));
    case OPM | 0x37:
      return a - <u64>signed(b);
    case OPM | 0x38:
      return a * b;
    case OPM | 0x3a:
      return <u64>signed(a) * b;
    case OPM | 0x3b:
      return <u64>(signed(a) * signed(b));
    case OPM | 0x3c:
      return a * b + element(to, i, sew + 1);
    case OPM | 0x3d:
      return <u64>(signed(a) * signed(b)) + element(to, i, sew + 1);
    case OPM | 0x3e:
      return <u64>signed(a) * b + element(to, i, sew + 1);
    default:
      return a * <u64>signed(b) + element(to, i, sew + 1);
  }
}

@inline
function signed(a: u64): i64 {
  return <i64>signExtend(a, sew);
}

function rotateRight(a: u64, count: u64): u64 {
  return count == 0 ? a : (a >> count) | (a << ((8 << sew) - count));
}

/** The least or the greatest signed number of SEW. */
@inline
function limit(negative: bool): u64 {
  const least: u64 = (<u64>1) << ((8 << sew) - 1);
  return negative ? least : least - 1;
}

/** Sets vxsat. */
function saturated(value: u64): u64 {
  store<u32>(hart, load<u32>(hart, H_VCSR) | 1, H_VCSR);
  return value;
}

/** The sum of two numbers with the signs of a and b, unless it has another sign than both. */
function saturateSum(a: u64, b: u64, sum: u64): u64 {
  const overflow = signed((a ^ sum) & (b ^ sum)) < 0;
  return overflow ? saturated(limit(signed(a) < 0)) : sum;
}

/** Whether a number is incremented after the last `shift` bits are dropped, by vxrm (3.8). */
function roundIncrement(value: u64, shift: u64): u64 {
  if (shift == 0) return 0;
  const half = (value >> (shift - 1)) & 1;
  const rest = value & (((<u64>1) << (shift - 1)) - 1);
  const odd = shift < 64 ? (value >> shift) & 1 : 0;
  switch ((load<u32>(hart, H_VCSR) >>> 1) & 3) {
    case 0:
      return half;
    case 1:
      return half & u64(rest != 0 || odd != 0);
    case 2:
      return 0;
    default:
      return u64(odd == 0 && (half | rest) != 0);
  }
}

function roundOff(value: u64, shift: u64, isSigned: bool): u64 {
  return (isSigned ? <u64>(<i64>value >> shift) : value >> shift) + roundIncrement(value, shift);
}

/** Rounds half a sum or difference, of which `low` has the bit that was dropped. */
function averaged(half: u64, low: u64): u64 {
  return half + roundIncrement((half << 1) | (low & 1), 1);
}

function fractionalProduct(a: u64, b: u64): u64 {
  if (a == limit(true) && b == a) return saturated(limit(false));
  const bits = 8 << sew;
  if (sew < 3) return roundOff(<u64>(signed(a) * signed(b)), bits - 1, true);
  // Bit 63 of the low half is the result's last bit.
  const low = a * b;
  return ((mulh(a, b) << 1) | (low >> 63)) + roundIncrement(low, 63);
}

/** vzext, vsext and the unary operations of Zvbb (VXUNARY0). */
export function integerUnary(): bool {
  if (vs1 >= 2 && vs1 <= 7) return extension(4 - (<i32>vs1 >>> 1), (vs1 & 1) != 0);
  if (vs1 < 8 || vs1 > 14 || vs1 == 11) return false;
  if (!maskKept() || !notMask(vs2) || !aligned(vd, lmul) || !aligned(vs2, lmul)) return false;
  const from = register(vs2);
  const to = register(vd);
  for (let i = vstart; i < vl; i++) {
    if (active(i)) setElement(to, i, sew, unary(vs1, element(from, i, sew)));
  }
  return true;
}

function extension(by: i32, isSigned: bool): bool {
  const size = sew - by;
  const groups = lmul - by;
  if (size < 0 || vd == vs2 || !maskKept() || !notMask(vs2)) return false;
  if (!aligned(vd, lmul) || !aligned(vs2, groups) || !apart(vd, lmul, vs2, groups)) return false;
  const from = register(vs2);
  const to = register(vd);
  for (let i = vstart; i < vl; i++) {
    if (!active(i)) continue;
    const value = element(from, i, size);
    setElement(to, i, sew, isSigned ? signExtend(value, size) : value);
  }
  return true;
}

function unary(op: u32, a: u64): u64 {
  const bits = <u64>(8 << sew);
  switch (op) {
    case 8:
      return reverseBits(reverseBytes(a));
    case 9:
      return reverseBytes(a) >> (64 - bits);
    case 10:
      return reverseBits(a) >> (64 - bits);
    case 12:
      return clz(a) - (64 - bits);
    case 13:
      return min(ctz(a), bits);
    default:
      return popcnt(a);
  }
}

function reverseBytes(a: u64): u64 {
  a = ((a >> 8) & 0x00ff_00ff_00ff_00ff) | ((a & 0x00ff_00ff_00ff_00ff) << 8);
  a = ((a >> 16) & 0x0000_ffff_0000_ffff) | ((a & 0x0000_ffff_0000_ffff) << 16);
  return (a >> 32) | (a << 32);
}

function reverseBits(a: u64): u64 {
  a = ((a >> 1) & 0x5555_5555_5555_5555) | ((a & 0x5555_5555_5555_5555) << 1);
  a = ((a >> 2) & 0x3333_3333_3333_3333) | ((a & 0x3333_3333_3333_3333) << 2);
  a = ((a >> 4) & 0x0f0f_0f0f_0f0f_0f0f) | ((a & 0x0f0f_0f0f_0f0f_0f0f) << 4);
  return reverseBytes(a);
}
