/** The vector instructions: V 1.0 with VLEN 128 and ELEN 64, Zvfhmin, Zvbb. */
import { H_MSTATUS, H_VSTART, H_X } from '../../../layout';
import { FS, VS } from '../state';
import { setVectorType } from './config';
import { floatOperation } from './float';
import { integerOperation, integerUnary } from './integer';
import { Outcome, accessMemory } from './memory';
import {
  compress,
  gather,
  gatherOne,
  maskLogic,
  maskToInteger,
  maskUnary,
  moveRegisters,
  reduce,
  reduceWide,
  setFirst,
  slideDown,
  slideDownOne,
  slideUp,
  slideUpOne,
} from './move';
import { OP_V, OPCFG, OPFVF, OPFVV, OPIVI, OPMVV, OPMVX } from './opcodes';
import { begin, illType, sew, vs1 } from './unit';

export { Outcome } from './memory';

/** Executes the instruction. Unless it is illegal, mstatus.VS becomes Dirty. */
export function executeVector(hart: usize, bits: u32): i32 {
  if (!(load<u64>(hart, H_MSTATUS) & VS)) return Outcome.ILLEGAL;
  const outcome = dispatch(hart, bits);
  if (outcome == Outcome.ILLEGAL) return outcome;
  store<u64>(hart, load<u64>(hart, H_MSTATUS) | VS, H_MSTATUS);
  if (outcome != Outcome.FAULT) store<u64>(hart, 0, H_VSTART);
  return outcome;
}

function dispatch(hart: usize, bits: u32): i32 {
  begin(hart, bits);
  if ((bits & 0x7f) != OP_V) return accessMemory(bits);
  const funct3 = (bits >>> 12) & 7;
  if (funct3 == OPCFG) return outcomeOf(setVectorType(hart, bits));
  if (illType) return Outcome.ILLEGAL;
  if (funct3 != OPFVV && funct3 != OPFVF) return outcomeOf(integer(hart, funct3, bits >>> 26));
  if (!(load<u64>(hart, H_MSTATUS) & FS)) return Outcome.ILLEGAL;
  if (!floatOperation(bits >>> 26, funct3 == OPFVV)) return Outcome.ILLEGAL;
  store<u64>(hart, load<u64>(hart, H_MSTATUS) | FS, H_MSTATUS);
  return Outcome.DONE;
}

@inline
function outcomeOf(legal: bool): i32 {
  return legal ? Outcome.DONE : Outcome.ILLEGAL;
}

function integer(hart: usize, funct3: u32, funct6: u32): bool {
  const scalar = load<u64>(hart + vs1 * 8, H_X);
  if (funct3 == OPMVV) return multiplyVector(funct6);
  if (funct3 == OPMVX) return multiplyScalar(funct6, scalar);
  const vector = funct3 == 0;
  const immediate = funct3 == OPIVI;
  const operand = immediate ? <u64>vs1 : scalar;
  switch (funct6) {
    case 0x0c:
      return vector ? gather(sew) : gatherOne(operand);
    case 0x0e:
      return vector ? gather(1) : slideUp(operand);
    case 0x0f:
      return !vector && slideDown(operand);
    case 0x27:
      if (immediate) return moveRegisters();
      break;
    case 0x30:
    case 0x31:
      return vector && reduceWide(funct6 == 0x31);
  }
  return integerOperation(funct6, vector ? 1 : immediate ? 4 : 2, scalar);
}

function multiplyVector(funct6: u32): bool {
  switch (funct6) {
    case 0x10:
      return maskToInteger();
    case 0x12:
      return integerUnary();
    case 0x14:
      return maskUnary();
    case 0x17:
      return compress();
  }
  if (funct6 < 8) return reduce(funct6);
  if (funct6 >= 0x18 && funct6 <= 0x1f) return maskLogic(funct6);
  return integerOperation(64 | funct6, 1, 0);
}

function multiplyScalar(funct6: u32, scalar: u64): bool {
  switch (funct6) {
    case 0x0e:
      return slideUpOne(scalar);
    case 0x0f:
      return slideDownOne(scalar);
    case 0x10:
      return setFirst(scalar);
  }
  return integerOperation(64 | funct6, 2, scalar);
}
