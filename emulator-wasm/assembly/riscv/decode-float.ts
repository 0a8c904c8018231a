/** Decodes the instructions for floating-point numbers. */
import { H_SINK } from '../../layout';
import {
  rdOf,
  rs1Of,
  rs2Of,
  funct3Of,
  funct7Of,
  immI,
  immS,
  intReg,
  intDest,
  fpReg,
  put,
  illegal,
} from './fields';
import { FloatMemoryOp, FloatOp, RareFloatOp, SystemOp, U_EXTRA } from './opcodes';
import { decodeVector } from './vector/decode';

@inline
export function isFloatingPoint(i: u32): bool {
  const opcode = i & 0x7f;
  if (opcode == 0x07 || opcode == 0x27) return floatWidth(i);
  return opcode == 0x53 || (opcode & 0x73) == 0x43;
}

/** Whether a load or store of the floating-point opcodes has a scalar's width, H to D. */
@inline
function floatWidth(i: u32): bool {
  return funct3Of(i) - 1 < 3;
}

export function decodeFpLoad(i: u32, u: usize): i32 {
  const f = funct3Of(i);
  if (!floatWidth(i)) return f == 4 ? illegal(u) : decodeVector(i, u);
  const op = f == 1 ? <i32>RareFloatOp.FLH : f == 2 ? FloatMemoryOp.FLW : FloatMemoryOp.FLD;
  put(u, op, fpReg(rdOf(i)), intReg(rs1Of(i)), 0, immI(i));
  return op;
}

export function decodeFpStore(i: u32, u: usize): i32 {
  const f = funct3Of(i);
  if (!floatWidth(i)) return f == 4 ? illegal(u) : decodeVector(i, u);
  const op = f == 1 ? <i32>RareFloatOp.FSH : f == 2 ? FloatMemoryOp.FSW : FloatMemoryOp.FSD;
  put(u, op, H_SINK, intReg(rs1Of(i)), fpReg(rs2Of(i)), immS(i));
  return op;
}

export function decodeFused(i: u32, u: usize, single: i32, double: i32): i32 {
  const format = (i >>> 25) & 3;
  const rm = funct3Of(i);
  if (format > 1 || rm == 5 || rm == 6) return illegal(u);
  const op = format == 0 ? single : double;
  put(u, op, fpReg(rdOf(i)), fpReg(rs1Of(i)), fpReg(rs2Of(i)), fpReg(i >>> 27));
  store<u16>(u, <u16>rm, U_EXTRA);
  return op;
}

/** Which register files an OP-FP instruction's operands are in. */
const enum Files {
  ILLEGAL,
  FP_FP,
  INT_FP,
  FP_INT,
}
let files: i32 = Files.ILLEGAL;

export function decodeFp(i: u32, u: usize): i32 {
  const op = fpOperation(i);
  if (op == SystemOp.ILLEGAL) return illegal(u);
  const rd = files == Files.INT_FP ? intDest(rdOf(i)) : fpReg(rdOf(i));
  const rs1 = files == Files.FP_INT ? intReg(rs1Of(i)) : fpReg(rs1Of(i));
  put(u, op, rd, rs1, fpReg(rs2Of(i)), 0);
  store<u16>(u, <u16>funct3Of(i), U_EXTRA);
  return op;
}

@inline
function rounded(rm: u32, op: i32): i32 {
  return rm == 5 || rm == 6 ? <i32>SystemOp.ILLEGAL : op;
}

/** FADD_S … FMV_W_X and FADD_D … FMV_D_X have the same order, except for one conversion. */
function fpOperation(i: u32): i32 {
  const funct7 = funct7Of(i);
  const rm = funct3Of(i);
  const rs2 = rs2Of(i);
  const format = funct7 & 3;
  if (format == 2) return halfOperation(funct7 >>> 2, rm, rs2);
  if (format > 1) return SystemOp.ILLEGAL;
  const rare = format == 0 ? 0 : <i32>(RareFloatOp.FLI_D - RareFloatOp.FLI_S);
  const first = format == 0 ? <i32>FloatOp.FADD_S : <i32>FloatOp.FADD_D;
  files = Files.FP_FP;
  switch (funct7 >>> 2) {
    case 0x00:
      return rounded(rm, first);
    case 0x01:
      return rounded(rm, first + 1);
    case 0x02:
      return rounded(rm, first + 2);
    case 0x03:
      return rounded(rm, first + 3);
    case 0x0b:
      return rs2 == 0 ? rounded(rm, first + 4) : SystemOp.ILLEGAL;
    case 0x04:
      return rm < 3 ? first + (FloatOp.FSGNJ_S - FloatOp.FADD_S) + rm : SystemOp.ILLEGAL;
    case 0x05:
      if (rm < 2) return first + (FloatOp.FMIN_S - FloatOp.FADD_S) + rm;
      return rm < 4 ? RareFloatOp.FMINM_S + rare + <i32>(rm - 2) : SystemOp.ILLEGAL;
    case 0x08:
      if (rs2 == 2) return rounded(rm, format == 0 ? RareFloatOp.FCVT_S_H : RareFloatOp.FCVT_D_H);
      if (rs2 == 4 || rs2 == 5) return rounded(rm, RareFloatOp.FROUND_S + rare + <i32>(rs2 - 4));
      if (rs2 != 1 - format) return SystemOp.ILLEGAL;
      return rounded(rm, format == 0 ? FloatOp.FCVT_S_D : FloatOp.FCVT_D_S);
    case 0x14:
      files = Files.INT_FP;
      if (rm < 3) return first + (FloatOp.FLE_S - FloatOp.FADD_S) - rm;
      return rm == 4 || rm == 5 ? RareFloatOp.FLEQ_S + rare + <i32>(rm - 4) : SystemOp.ILLEGAL;
    case 0x18:
      files = Files.INT_FP;
      if (rs2 == 8) return format == 1 && rm == 1 ? RareFloatOp.FCVTMOD_W_D : SystemOp.ILLEGAL;
      return rs2 < 4 ? rounded(rm, first + (FloatOp.FCVT_W_S - FloatOp.FADD_S) + rs2) : SystemOp.ILLEGAL;
    case 0x1a:
      files = Files.FP_INT;
      return rs2 < 4 ? rounded(rm, first + (FloatOp.FCVT_S_W - FloatOp.FADD_S) + rs2) : SystemOp.ILLEGAL;
    case 0x1c:
      files = Files.INT_FP;
      if (rs2 != 0 || rm > 1) return SystemOp.ILLEGAL;
      return first + (rm == 1 ? FloatOp.FCLASS_S - FloatOp.FADD_S : FloatOp.FMV_X_W - FloatOp.FADD_S);
    case 0x1e:
      if (rs2 == 1) return rm == 0 ? RareFloatOp.FLI_S + rare : SystemOp.ILLEGAL;
      files = Files.FP_INT;
      return rs2 == 0 && rm == 0 ? first + (FloatOp.FMV_W_X - FloatOp.FADD_S) : SystemOp.ILLEGAL;
    default:
      return SystemOp.ILLEGAL;
  }
}

/** Zfhmin, by the upper five bits of funct7. */
function halfOperation(funct5: u32, rm: u32, rs2: u32): i32 {
  files = Files.FP_FP;
  switch (funct5) {
    case 0x08:
      return rs2 > 1
        ? <i32>SystemOp.ILLEGAL
        : rounded(rm, rs2 == 0 ? RareFloatOp.FCVT_H_S : RareFloatOp.FCVT_H_D);
    case 0x1c:
      files = Files.INT_FP;
      return rs2 == 0 && rm == 0 ? RareFloatOp.FMV_X_H : SystemOp.ILLEGAL;
    case 0x1e:
      files = Files.FP_INT;
      return rs2 == 0 && rm == 0 ? RareFloatOp.FMV_H_X : SystemOp.ILLEGAL;
    default:
      return SystemOp.ILLEGAL;
  }
}
