/** The fields of an instruction of 32 bits, and the micro-op that the decoder makes of it. */
import { H_F, H_SINK, H_X } from '../../layout';
import { SystemOp, U_IMM, U_RS1 } from './opcodes';

@inline
export function rdOf(i: u32): u32 {
  return (i >>> 7) & 31;
}
@inline
export function rs1Of(i: u32): u32 {
  return (i >>> 15) & 31;
}
@inline
export function rs2Of(i: u32): u32 {
  return (i >>> 20) & 31;
}
@inline
export function funct3Of(i: u32): u32 {
  return (i >>> 12) & 7;
}
@inline
export function funct7Of(i: u32): u32 {
  return i >>> 25;
}
@inline
export function immI(i: u32): i32 {
  return <i32>i >> 20;
}
@inline
export function immS(i: u32): i32 {
  return ((<i32>i >> 25) << 5) | ((i >>> 7) & 31);
}
@inline
export function immB(i: u32): i32 {
  return ((<i32>i >> 31) << 12) | ((i << 4) & 0x800) | ((i >>> 20) & 0x7e0) | ((i >>> 7) & 0x1e);
}
@inline
export function immJ(i: u32): i32 {
  return ((<i32>i >> 31) << 20) | (i & 0xff000) | ((i >>> 9) & 0x800) | ((i >>> 20) & 0x7fe);
}

@inline
export function intReg(n: u32): u32 {
  return H_X + n * 8;
}
@inline
export function intDest(n: u32): u32 {
  return n == 0 ? H_SINK : H_X + n * 8;
}
@inline
export function fpReg(n: u32): u32 {
  return H_F + n * 8;
}

@inline
export function put(u: usize, op: i32, rd: u32, rs1: u32, rs2: u32, imm: i32): void {
  store<u32>(u, op | (rd << 16));
  store<u32>(u, rs1 | (rs2 << 16), U_RS1);
  store<i32>(u, imm, U_IMM);
}

/** Makes the micro-op at `u` an illegal instruction, whatever its operands. Returns its operation. */
export function illegal(u: usize): i32 {
  put(u, SystemOp.ILLEGAL, H_SINK, 0, 0, 0);
  return SystemOp.ILLEGAL;
}
