/** Zfhmin and Zfa. */
import { H_F, H_FRM } from '../../layout';
import { loadSlow, storeSlow } from './access';
import * as fpu from './fpu';
import { RareFloatOp, U_EXTRA, U_IMM, U_RD, U_RS1, U_RS2 } from './opcodes';
import { clearFault, faultCode } from './state';

/** Returns false with the fault set, or without a fault if the rounding mode is invalid. */
export function executeRareFloat(hart: usize, op: i32, u: usize): bool {
  clearFault();
  const a = load<u64>(hart + load<u16>(u, U_RS1));
  const b = load<u64>(hart + load<u16>(u, U_RS2));
  if (op == RareFloatOp.FSH) {
    storeSlow(hart, a + <i64>load<i32>(u, U_IMM), 2, b);
    return !faultCode;
  }
  if (op == RareFloatOp.FLH) {
    const half = <u32>loadSlow(hart, a + <i64>load<i32>(u, U_IMM), 2);
    if (!faultCode) write(hart, u, fpu.boxH(half));
    return !faultCode;
  }
  const given = <i32>load<u16>(u, U_EXTRA);
  const rm = given == 7 ? load<i32>(hart, H_FRM) : given;
  if (rounds(op) && rm > 4) return false;
  write(hart, u, result(op, a, b, rm, (load<u16>(u, U_RS1) - H_F) / 8));
  return true;
}

@inline
function write(hart: usize, u: usize, value: u64): void {
  store<u64>(hart + load<u16>(u, U_RD), value);
}

/** Whether the instruction has a rounding mode, even one that does not matter. */
function rounds(op: i32): bool {
  switch (op) {
    case RareFloatOp.FCVT_S_H:
    case RareFloatOp.FCVT_H_S:
    case RareFloatOp.FCVT_D_H:
    case RareFloatOp.FCVT_H_D:
    case RareFloatOp.FROUND_S:
    case RareFloatOp.FROUNDNX_S:
    case RareFloatOp.FROUND_D:
    case RareFloatOp.FROUNDNX_D:
      return true;
    default:
      return false;
  }
}

function result(op: i32, a: u64, b: u64, rm: i32, number: u32): u64 {
  switch (op) {
    case RareFloatOp.FMV_X_H:
      return <u64>(<i64>(<i16>a));
    case RareFloatOp.FMV_H_X:
      return fpu.boxH(<u32>a & 0xffff);
    case RareFloatOp.FCVT_S_H:
      return fpu.cvtSH(a);
    case RareFloatOp.FCVT_H_S:
      return fpu.cvtHS(a, rm);
    case RareFloatOp.FCVT_D_H:
      return fpu.cvtDH(a);
    case RareFloatOp.FCVT_H_D:
      return fpu.cvtHD(a, rm);
    case RareFloatOp.FLI_S:
      return fpu.liS(number);
    case RareFloatOp.FMINM_S:
      return fpu.minmS(a, b, false);
    case RareFloatOp.FMAXM_S:
      return fpu.minmS(a, b, true);
    case RareFloatOp.FROUND_S:
      return fpu.roundS(a, rm, false);
    case RareFloatOp.FROUNDNX_S:
      return fpu.roundS(a, rm, true);
    case RareFloatOp.FLEQ_S:
      return fpu.leqS(a, b, true);
    case RareFloatOp.FLTQ_S:
      return fpu.leqS(a, b, false);
    case RareFloatOp.FLI_D:
      return fpu.liD(number);
    case RareFloatOp.FMINM_D:
      return fpu.minmD(a, b, false);
    case RareFloatOp.FMAXM_D:
      return fpu.minmD(a, b, true);
    case RareFloatOp.FROUND_D:
      return fpu.roundD(a, rm, false);
    case RareFloatOp.FROUNDNX_D:
      return fpu.roundD(a, rm, true);
    case RareFloatOp.FLEQ_D:
      return fpu.leqD(a, b, true);
    case RareFloatOp.FLTQ_D:
      return fpu.leqD(a, b, false);
    default:
      return fpu.cvtmodWD(a);
  }
}
