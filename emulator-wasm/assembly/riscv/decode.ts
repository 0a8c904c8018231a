/** Decodes instruction bits to a micro-op. */
import { H_F, H_SINK, H_X } from '../../layout';
import {
  rdOf,
  rs1Of,
  rs2Of,
  funct3Of,
  funct7Of,
  immI,
  immS,
  immB,
  immJ,
  intReg,
  intDest,
  fpReg,
  put,
} from './fields';
import { CYCLE, INSTRET } from './csr';
import {
  AtomicOp,
  CacheOp,
  CounterOp,
  CsrOp,
  FarBranchOp,
  FarJumpOp,
  FloatMemoryOp,
  FloatOp,
  HintOp,
  IntegerOp,
  MemoryOp,
  NearBranchOp,
  NearJumpOp,
  RareFloatOp,
  SystemOp,
  VectorOp,
  U_EXTRA,
  U_IMM,
  U_OFFSET,
  U_RS1,
} from './opcodes';
import { decodeVector } from './vector/decode';
import { CSR_VL, CSR_VLENB } from './vector/opcodes';

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

/**
 * Decodes the 32-bit form `i` of the instruction at `offset` in its page, which is `length` (2 or 4) bytes
 * long, into the micro-op at `u`. Returns its operation.
 */
export function decode(i: u32, length: u32, offset: u32, u: usize): i32 {
  store<u16>(u, <u16>(offset | (length >>> 2)), U_OFFSET);
  store<u16>(u, 0, U_EXTRA);
  switch (i & 0x7f) {
    case 0x03:
      return decodeLoad(i, u);
    case 0x07:
      return decodeFpLoad(i, u);
    case 0x0f:
      return decodeFence(i, u);
    case 0x13:
      return decodeOpImm(i, u);
    case 0x17:
      return decodeUpper(i, u, IntegerOp.AUIPC, offset);
    case 0x1b:
      return decodeOpImm32(i, u);
    case 0x23:
      return decodeStore(i, u);
    case 0x27:
      return decodeFpStore(i, u);
    case 0x2f:
      return decodeAtomic(i, u);
    case 0x33:
      return decodeOp(i, u);
    case 0x37:
      return decodeUpper(i, u, IntegerOp.LI, 0);
    case 0x3b:
      return decodeOp32(i, u);
    case 0x43:
      return decodeFused(i, u, FloatOp.FMADD_S, FloatOp.FMADD_D);
    case 0x47:
      return decodeFused(i, u, FloatOp.FMSUB_S, FloatOp.FMSUB_D);
    case 0x4b:
      return decodeFused(i, u, FloatOp.FNMSUB_S, FloatOp.FNMSUB_D);
    case 0x4f:
      return decodeFused(i, u, FloatOp.FNMADD_S, FloatOp.FNMADD_D);
    case 0x53:
      return decodeFp(i, u);
    case 0x57:
      return decodeVector(i, u);
    case 0x63:
      return decodeBranch(i, offset, u);
    case 0x67:
      return decodeJalr(i, u);
    case 0x6f:
      return decodeJal(i, offset, u);
    case 0x73:
      return decodeSystem(i, u);
    default:
      return illegal(u);
  }
}

function illegal(u: usize): i32 {
  put(u, SystemOp.ILLEGAL, H_SINK, 0, 0, 0);
  return SystemOp.ILLEGAL;
}

function decodeUpper(i: u32, u: usize, op: i32, offset: u32): i32 {
  put(u, op, intDest(rdOf(i)), 0, 0, <i32>(i & 0xfffff000) + <i32>offset);
  return op;
}

function decodeLoad(i: u32, u: usize): i32 {
  const f = funct3Of(i);
  if (f == 7) return illegal(u);
  const op = MemoryOp.LB + <i32>f;
  put(u, op, intDest(rdOf(i)), intReg(rs1Of(i)), 0, immI(i));
  return op;
}

function decodeStore(i: u32, u: usize): i32 {
  const f = funct3Of(i);
  if (f > 3) return illegal(u);
  const op = MemoryOp.SB + <i32>f;
  put(u, op, H_SINK, intReg(rs1Of(i)), intReg(rs2Of(i)), immS(i));
  return op;
}

function decodeFpLoad(i: u32, u: usize): i32 {
  const f = funct3Of(i);
  if (!floatWidth(i)) return f == 4 ? illegal(u) : decodeVector(i, u);
  const op = f == 1 ? <i32>RareFloatOp.FLH : f == 2 ? FloatMemoryOp.FLW : FloatMemoryOp.FLD;
  put(u, op, fpReg(rdOf(i)), intReg(rs1Of(i)), 0, immI(i));
  return op;
}

function decodeFpStore(i: u32, u: usize): i32 {
  const f = funct3Of(i);
  if (!floatWidth(i)) return f == 4 ? illegal(u) : decodeVector(i, u);
  const op = f == 1 ? <i32>RareFloatOp.FSH : f == 2 ? FloatMemoryOp.FSW : FloatMemoryOp.FSD;
  put(u, op, H_SINK, intReg(rs1Of(i)), fpReg(rs2Of(i)), immS(i));
  return op;
}

function decodeOpImm(i: u32, u: usize): i32 {
  const rs1 = rs1Of(i);
  let imm = immI(i);
  let op: i32 = SystemOp.ILLEGAL;
  switch (funct3Of(i)) {
    case 0:
      op = rs1 == 0 ? IntegerOp.LI : imm == 0 ? IntegerOp.MV : IntegerOp.ADDI;
      break;
    case 1:
      op = shiftLeftImm(imm);
      if (op < IntegerOp.CLZ || op > IntegerOp.SEXT_H) imm &= 63;
      break;
    case 2:
      op = IntegerOp.SLTI;
      break;
    case 3:
      op = IntegerOp.SLTIU;
      break;
    case 4:
      op = IntegerOp.XORI;
      break;
    case 5:
      op = shiftRightImm(imm);
      imm &= 63;
      break;
    case 6:
      op = IntegerOp.ORI;
      break;
    default:
      op = IntegerOp.ANDI;
      break;
  }
  if (op == SystemOp.ILLEGAL) return illegal(u);
  put(u, op, intDest(rdOf(i)), intReg(rs1), 0, imm);
  return op;
}

function shiftLeftImm(imm: i32): i32 {
  switch ((imm >> 6) & 0x3f) {
    case 0x00:
      return IntegerOp.SLLI;
    case 0x0a:
      return IntegerOp.BSETI;
    case 0x12:
      return IntegerOp.BCLRI;
    case 0x1a:
      return IntegerOp.BINVI;
    case 0x18:
      return unaryCount(imm & 0x3f, IntegerOp.CLZ, IntegerOp.CTZ, IntegerOp.CPOP);
    default:
      return SystemOp.ILLEGAL;
  }
}

function unaryCount(selector: i32, clz: i32, ctz: i32, cpop: i32): i32 {
  switch (selector) {
    case 0:
      return clz;
    case 1:
      return ctz;
    case 2:
      return cpop;
    case 4:
      return clz == IntegerOp.CLZ ? IntegerOp.SEXT_B : SystemOp.ILLEGAL;
    case 5:
      return clz == IntegerOp.CLZ ? IntegerOp.SEXT_H : SystemOp.ILLEGAL;
    default:
      return SystemOp.ILLEGAL;
  }
}

function shiftRightImm(imm: i32): i32 {
  const bits = imm & 0xfff;
  if (bits == 0x287) return IntegerOp.ORC_B;
  if (bits == 0x6b8) return IntegerOp.REV8;
  switch (bits >> 6) {
    case 0x00:
      return IntegerOp.SRLI;
    case 0x10:
      return IntegerOp.SRAI;
    case 0x12:
      return IntegerOp.BEXTI;
    case 0x18:
      return IntegerOp.RORI;
    default:
      return SystemOp.ILLEGAL;
  }
}

function decodeOpImm32(i: u32, u: usize): i32 {
  let imm = immI(i);
  const funct7 = funct7Of(i);
  let op: i32 = SystemOp.ILLEGAL;
  switch (funct3Of(i)) {
    case 0:
      op = IntegerOp.ADDIW;
      break;
    case 1:
      if (funct7 == 0) op = IntegerOp.SLLIW;
      else if (funct7 >>> 1 == 2) op = IntegerOp.SLLI_UW;
      else if (funct7 == 0x30) op = unaryCount(imm & 31, IntegerOp.CLZW, IntegerOp.CTZW, IntegerOp.CPOPW);
      imm &= 63;
      break;
    case 5:
      if (funct7 == 0) op = IntegerOp.SRLIW;
      else if (funct7 == 0x20) op = IntegerOp.SRAIW;
      else if (funct7 == 0x30) op = IntegerOp.RORIW;
      imm &= 31;
      break;
  }
  if (op == SystemOp.ILLEGAL) return illegal(u);
  put(u, op, intDest(rdOf(i)), intReg(rs1Of(i)), 0, imm);
  return op;
}

function decodeOp(i: u32, u: usize): i32 {
  const op = operation(funct7Of(i), funct3Of(i));
  if (op == SystemOp.ILLEGAL) return illegal(u);
  put(u, op, intDest(rdOf(i)), intReg(rs1Of(i)), intReg(rs2Of(i)), 0);
  return op;
}

function operation(funct7: u32, funct3: u32): i32 {
  switch (funct7) {
    case 0x00:
      switch (funct3) {
        case 0:
          return IntegerOp.ADD;
        case 1:
          return IntegerOp.SLL;
        case 2:
          return IntegerOp.SLT;
        case 3:
          return IntegerOp.SLTU;
        case 4:
          return IntegerOp.XOR;
        case 5:
          return IntegerOp.SRL;
        case 6:
          return IntegerOp.OR;
        default:
          return IntegerOp.AND;
      }
    case 0x01:
      return IntegerOp.MUL + <i32>funct3;
    case 0x05:
      return funct3 == 4
        ? IntegerOp.MIN
        : funct3 == 5
          ? IntegerOp.MINU
          : funct3 == 6
            ? IntegerOp.MAX
            : funct3 == 7
              ? IntegerOp.MAXU
              : SystemOp.ILLEGAL;
    case 0x07:
      return funct3 == 5 ? IntegerOp.CZERO_EQZ : funct3 == 7 ? IntegerOp.CZERO_NEZ : SystemOp.ILLEGAL;
    case 0x10:
      return funct3 == 2
        ? IntegerOp.SH1ADD
        : funct3 == 4
          ? IntegerOp.SH2ADD
          : funct3 == 6
            ? IntegerOp.SH3ADD
            : SystemOp.ILLEGAL;
    case 0x14:
      return funct3 == 1 ? IntegerOp.BSET : SystemOp.ILLEGAL;
    case 0x20:
      switch (funct3) {
        case 0:
          return IntegerOp.SUB;
        case 4:
          return IntegerOp.XNOR;
        case 5:
          return IntegerOp.SRA;
        case 6:
          return IntegerOp.ORN;
        case 7:
          return IntegerOp.ANDN;
        default:
          return SystemOp.ILLEGAL;
      }
    case 0x24:
      return funct3 == 1 ? IntegerOp.BCLR : funct3 == 5 ? IntegerOp.BEXT : SystemOp.ILLEGAL;
    case 0x30:
      return funct3 == 1 ? IntegerOp.ROL : funct3 == 5 ? IntegerOp.ROR : SystemOp.ILLEGAL;
    case 0x34:
      return funct3 == 1 ? IntegerOp.BINV : SystemOp.ILLEGAL;
    default:
      return SystemOp.ILLEGAL;
  }
}

function decodeOp32(i: u32, u: usize): i32 {
  const op = operation32(funct7Of(i), funct3Of(i), rs2Of(i));
  if (op == SystemOp.ILLEGAL) return illegal(u);
  put(u, op, intDest(rdOf(i)), intReg(rs1Of(i)), intReg(rs2Of(i)), 0);
  return op;
}

function operation32(funct7: u32, funct3: u32, rs2: u32): i32 {
  switch (funct7) {
    case 0x00:
      return funct3 == 0
        ? IntegerOp.ADDW
        : funct3 == 1
          ? IntegerOp.SLLW
          : funct3 == 5
            ? IntegerOp.SRLW
            : SystemOp.ILLEGAL;
    case 0x01:
      switch (funct3) {
        case 0:
          return IntegerOp.MULW;
        case 4:
          return IntegerOp.DIVW;
        case 5:
          return IntegerOp.DIVUW;
        case 6:
          return IntegerOp.REMW;
        case 7:
          return IntegerOp.REMUW;
        default:
          return SystemOp.ILLEGAL;
      }
    case 0x04:
      return funct3 == 0 ? IntegerOp.ADD_UW : funct3 == 4 && rs2 == 0 ? IntegerOp.ZEXT_H : SystemOp.ILLEGAL;
    case 0x10:
      return funct3 == 2
        ? IntegerOp.SH1ADD_UW
        : funct3 == 4
          ? IntegerOp.SH2ADD_UW
          : funct3 == 6
            ? IntegerOp.SH3ADD_UW
            : SystemOp.ILLEGAL;
    case 0x20:
      return funct3 == 0 ? IntegerOp.SUBW : funct3 == 5 ? IntegerOp.SRAW : SystemOp.ILLEGAL;
    case 0x30:
      return funct3 == 1 ? IntegerOp.ROLW : funct3 == 5 ? IntegerOp.RORW : SystemOp.ILLEGAL;
    default:
      return SystemOp.ILLEGAL;
  }
}

function decodeBranch(i: u32, offset: u32, u: usize): i32 {
  const f = <i32>funct3Of(i);
  if (f == 2 || f == 3) return illegal(u);
  const condition = f < 2 ? f : f - 2;
  const target = <i32>offset + immB(i);
  const near = (target & ~0xfff) == 0;
  const op = (near ? NearBranchOp.BEQ_NEAR : FarBranchOp.BEQ_FAR) + condition;
  put(u, op, H_SINK, intReg(rs1Of(i)), intReg(rs2Of(i)), near ? 0 : target);
  store<u16>(u, <u16>target, U_EXTRA);
  return op;
}

function decodeJal(i: u32, offset: u32, u: usize): i32 {
  const rd = rdOf(i);
  const target = <i32>offset + immJ(i);
  const near = (target & ~0xfff) == 0;
  const op = near ? (rd == 0 ? NearJumpOp.J_NEAR : NearJumpOp.JAL_NEAR) : FarJumpOp.JAL_FAR;
  put(u, op, intDest(rd), 0, 0, near ? 0 : target);
  store<u16>(u, <u16>target, U_EXTRA);
  return op;
}

function decodeJalr(i: u32, u: usize): i32 {
  if (funct3Of(i) != 0) return illegal(u);
  put(u, FarJumpOp.JALR, intDest(rdOf(i)), intReg(rs1Of(i)), 0, immI(i));
  return FarJumpOp.JALR;
}

function decodeAtomic(i: u32, u: usize): i32 {
  const width = funct3Of(i);
  if (width != 2 && width != 3) return illegal(u);
  const amo = amoFunction(i >>> 27);
  if (amo < 0 || (amo == 0 && rs2Of(i) != 0)) return illegal(u);
  const op = (width == 2 ? AtomicOp.LR_W : AtomicOp.LR_D) + amo;
  put(u, op, intDest(rdOf(i)), intReg(rs1Of(i)), intReg(rs2Of(i)), 0);
  return op;
}

/** The distance of a funct5 from LR in AtomicOp, or -1. */
function amoFunction(funct5: u32): i32 {
  switch (funct5) {
    case 0x02:
      return 0;
    case 0x03:
      return 1;
    case 0x01:
      return 2;
    case 0x00:
      return 3;
    case 0x04:
      return 4;
    case 0x0c:
      return 5;
    case 0x08:
      return 6;
    case 0x10:
      return 7;
    case 0x14:
      return 8;
    case 0x18:
      return 9;
    case 0x1c:
      return 10;
    default:
      return -1;
  }
}

function decodeFence(i: u32, u: usize): i32 {
  const f = funct3Of(i);
  if (f == 2) return decodeCache(i, u);
  if (f > 1) return illegal(u);
  const op = f == 1 ? SystemOp.FENCE_I : i == 0x0100000f ? HintOp.PAUSE : MemoryOp.FENCE;
  put(u, op, H_SINK, 0, 0, 0);
  return op;
}

function decodeCache(i: u32, u: usize): i32 {
  const n = i >>> 20;
  if (rdOf(i) != 0 || n == 3 || n > 4) return illegal(u);
  const op = n == 4 ? CacheOp.CBO_ZERO : CacheOp.CBO_INVAL + <i32>n;
  put(u, op, H_SINK, intReg(rs1Of(i)), 0, 0);
  return op;
}

function decodeSystem(i: u32, u: usize): i32 {
  const f = funct3Of(i);
  if (f == 0) return decodePrivileged(i, u);
  if (f == 4) return decodeMayBe(i, u);
  const n = i >>> 20;
  const reads = f == 2 && rs1Of(i) == 0;
  let op: i32 = (f < 4 ? CsrOp.CSRRW - 1 : CsrOp.CSRRWI - 5) + <i32>f;
  if (reads && n >= CYCLE && n <= INSTRET) op = CounterOp.READ_COUNTER;
  else if (reads && n >= CSR_VL && n <= CSR_VLENB) op = VectorOp.READ_VECTOR_CSR;
  put(u, op, intDest(rdOf(i)), intReg(rs1Of(i)), 0, n);
  store<u16>(u, <u16>rs1Of(i), U_EXTRA);
  return op;
}

/** Zimop: instructions that write 0 until an extension redefines them. */
function decodeMayBe(i: u32, u: usize): i32 {
  if ((i & 0xb3c0_0000) != 0x81c0_0000 && (i & 0xb200_0000) != 0x8200_0000) return illegal(u);
  put(u, IntegerOp.LI, intDest(rdOf(i)), 0, 0, 0);
  return IntegerOp.LI;
}

function decodePrivileged(i: u32, u: usize): i32 {
  let op: i32 = SystemOp.ILLEGAL;
  switch (i) {
    case 0x00000073:
      op = SystemOp.ECALL;
      break;
    case 0x00100073:
      op = SystemOp.EBREAK;
      break;
    case 0x10200073:
      op = SystemOp.SRET;
      break;
    case 0x30200073:
      op = SystemOp.MRET;
      break;
    case 0x10500073:
      op = SystemOp.WFI;
      break;
    case 0x00d00073: // wrs.nto and wrs.sto may end at any time
    case 0x01d00073:
      op = HintOp.PAUSE;
      break;
    default:
      if (funct7Of(i) == 0x09 && rdOf(i) == 0) op = SystemOp.SFENCE_VMA;
      break;
  }
  put(u, op, H_SINK, intReg(rs1Of(i)), intReg(rs2Of(i)), 0);
  return op;
}

function decodeFused(i: u32, u: usize, single: i32, double: i32): i32 {
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

function decodeFp(i: u32, u: usize): i32 {
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
