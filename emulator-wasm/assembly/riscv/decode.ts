/** Decodes instruction bits to a micro-op. */
import { H_SINK } from '../../layout';
import { CYCLE, INSTRET } from './csr';
import { decodeFp, decodeFpLoad, decodeFpStore, decodeFused } from './decode-float';
import { decodeOp, decodeOp32, decodeOpImm, decodeOpImm32 } from './decode-integer';
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
  put,
  illegal,
} from './fields';
import {
  AtomicOp,
  CacheOp,
  CounterOp,
  CsrOp,
  FarBranchOp,
  FarJumpOp,
  FloatOp,
  HintOp,
  IntegerOp,
  MemoryOp,
  NearBranchOp,
  NearJumpOp,
  SystemOp,
  VectorOp,
  U_EXTRA,
  U_OFFSET,
} from './opcodes';
import { decodeVector } from './vector/decode';
import { CSR_VL, CSR_VLENB } from './vector/opcodes';

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
