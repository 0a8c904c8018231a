/** Decodes the instructions for integers, which have no effect but their result. */
import { rdOf, rs1Of, rs2Of, funct3Of, funct7Of, immI, intReg, intDest, put, illegal } from './fields';
import { IntegerOp, SystemOp } from './opcodes';

export function decodeOpImm(i: u32, u: usize): i32 {
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

export function decodeOpImm32(i: u32, u: usize): i32 {
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

export function decodeOp(i: u32, u: usize): i32 {
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

export function decodeOp32(i: u32, u: usize): i32 {
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
