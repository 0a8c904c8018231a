/** Decodes vector instructions: the micro-op has the scalar registers, and the instruction as immediate. */
import { H_SINK } from '../../../layout';
import { fpReg, funct3Of, intDest, intReg, put, rdOf, rs1Of, rs2Of } from '../fields';
import { VectorOp } from '../opcodes';
import { OP_V, OPCFG, OPFVF, OPFVV, OPIVX, OPMVV, OPMVX } from './opcodes';

const STRIDED: u32 = 2;
/** funct6 of the moves and counts to a scalar register. */
const TO_SCALAR: u32 = 0x10;

export function decodeVector(i: u32, u: usize): i32 {
  if ((i & 0x7f) == OP_V) putOperation(i, u);
  else {
    const rs2 = ((i >>> 26) & 3) == STRIDED ? intReg(rs2Of(i)) : 0;
    put(u, VectorOp.VECTOR, H_SINK, intReg(rs1Of(i)), rs2, i);
  }
  return VectorOp.VECTOR;
}

function putOperation(i: u32, u: usize): void {
  const funct3 = funct3Of(i);
  const toScalar = i >>> 26 == TO_SCALAR;
  let rd: u32 = H_SINK;
  let rs1: u32 = 0;
  let rs2: u32 = 0;
  if (funct3 == OPCFG) {
    rd = intDest(rdOf(i));
    if (i >>> 30 != 3) rs1 = intReg(rs1Of(i));
    if (i >>> 30 == 2) rs2 = intReg(rs2Of(i));
  } else if (funct3 == OPIVX || funct3 == OPMVX) rs1 = intReg(rs1Of(i));
  else if (funct3 == OPFVF) rs1 = fpReg(rs1Of(i));
  else if (funct3 == OPMVV && toScalar) rd = intDest(rdOf(i));
  else if (funct3 == OPFVV && toScalar) rd = fpReg(rdOf(i));
  put(u, VectorOp.VECTOR, rd, rs1, rs2, i);
}
