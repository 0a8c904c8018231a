/** The work that the interpreter's loop leaves aside: TLB misses, atomics, CSRs, system instructions. */
import {
  H_INSTRET,
  H_MENVCFG,
  H_MSTATUS,
  H_RUN,
  H_SENVCFG,
  H_WAKE,
  M_HARTS,
  M_MODE,
  M_POWER,
  MODE_FIRMWARE,
  POWER_RUNNING,
  RUN_STARTED,
} from '../../layout';
import { executeAtomic } from './atomics';
import { instructionBits, straddle } from './blocks';
import {
  clearCsrOutcome,
  counterReadable,
  csrAccessible,
  csrIllegal,
  csrResync,
  CYCLE,
  readCounter,
  readCsr,
  readForModify,
  writeCsr,
} from './csr';
import { atomicAddress, deviceStored, loadSlow, storeSlow } from './access';
import { executeVector, Outcome as VectorOutcome } from './vector';
import { executeRareFloat } from './rare-float';
import { Access } from './pmp';
import * as host from '../host';
import { sleepWhile } from '../mailbox';
import {
  CacheOp,
  CounterOp,
  CsrOp,
  FloatMemoryOp,
  HintOp,
  isAtomic,
  isCache,
  isCsr,
  isMemory,
  isRareFloat,
  MemoryOp,
  PseudoOp,
  RareFloatOp,
  SystemOp,
  VectorOp,
  U_EXTRA,
  U_IMM,
  U_OFFSET,
  U_RD,
  U_RS1,
  U_RS2,
} from './opcodes';
import { sbiCall } from './sbi';
import {
  BREAKPOINT,
  ECALL_FROM_U,
  faultCode,
  faultValue,
  CBCFE,
  CBIE,
  CBZE,
  FS,
  ILLEGAL_INSTRUCTION,
  LOAD_ACCESS,
  MACHINE_MODE,
  privilege,
  setFault,
  STORE_ACCESS,
  SUPERVISOR,
  TSR,
  TVM,
  TW,
  USER,
} from './state';
import { fenceI, sfence } from './tlb';
import { interruptWaits, mret, sret, takeException } from './trap';

export const enum Outcome {
  /** Retired; the next micro-op follows. */
  NEXT,
  /** Not an instruction; the next micro-op follows. */
  PSEUDO,
  /** Retired or trapped; continue at nextPc. */
  JUMP,
  /** The same, but check interrupts and requests first. */
  LEAVE,
}

export let nextPc: u64 = 0;
/** Set after WFI: the hart must not run before an interrupt is pending. */
export let waiting: bool = false;

/** The value of the instruction counter at which the interpreter's current budget is spent. */
let budgetEnd: u64 = 0;

export function beginBudget(hart: usize, budget: i32): void {
  budgetEnd = load<u64>(hart, H_INSTRET) + budget;
}
export function setBudget(hart: usize, left: i32): void {
  store<u64>(hart, budgetEnd - <i64>left, H_INSTRET);
}
export function stopWaiting(): void {
  waiting = false;
}

@inline
function lengthOf(u: usize): u64 {
  return load<u16>(u, U_OFFSET) & 1 ? 4 : 2;
}

function trap(hart: usize, pc: u64): i32 {
  // Consumes budget although nothing has retired, because a loop of exceptions would never end otherwise.
  budgetEnd--;
  nextPc = takeException(hart, faultCode - 1, faultValue, pc);
  return Outcome.JUMP;
}

function exception(hart: usize, pc: u64, cause: i32, value: u64): i32 {
  setFault(cause, value);
  return trap(hart, pc);
}

export function illegalInstruction(hart: usize, pc: u64): i32 {
  return exception(hart, pc, ILLEGAL_INSTRUCTION, instructionBits(hart, pc));
}

/** Retires the instruction, and checks interrupts if one is pending. */
function resync(hart: usize, u: usize, pc: u64): i32 {
  nextPc = pc + lengthOf(u);
  return mustLeave(hart) ? Outcome.LEAVE : Outcome.JUMP;
}

function mustLeave(hart: usize): bool {
  return interruptWaits(hart) || load<u32>(hart, H_RUN) != RUN_STARTED || load<u32>(M_POWER) != POWER_RUNNING;
}

export function executeSlow(hart: usize, u: usize, pc: u64): i32 {
  const op = <i32>load<u16>(u);
  if (isMemory(op)) return executeMemory(hart, op, u, pc);
  if (isAtomic(op)) return executeAtomic(hart, u) ? Outcome.NEXT : trap(hart, pc);
  if (isCsr(op)) return executeCsr(hart, op, u, pc);
  if (isCache(op)) return executeCache(hart, op, u, pc);
  if (isRareFloat(op)) return rareFloat(hart, op, u, pc);
  switch (op) {
    case CounterOp.READ_COUNTER:
      return executeCounter(hart, u, pc);
    case HintOp.PAUSE:
      if (load<u32>(M_HARTS) > 1) yieldSometimes(hart);
      return Outcome.NEXT;
    case VectorOp.VECTOR:
      return vector(hart, u, pc);
    case VectorOp.READ_VECTOR_CSR:
      return executeCsr(hart, CsrOp.CSRRS, u, pc);
    case PseudoOp.FP_CHECK:
      return checkFloat(hart, pc);
    case PseudoOp.STRADDLE:
      return straddle(hart, pc, u) ? Outcome.PSEUDO : trap(hart, pc);
    case SystemOp.FENCE_I:
      fenceI(hart);
      return resync(hart, u, pc);
    case SystemOp.ECALL:
      return environmentCall(hart, u, pc);
    case SystemOp.EBREAK:
      return exception(hart, pc, BREAKPOINT, pc);
    case SystemOp.MRET:
      return returnFrom(hart, pc, MACHINE_MODE);
    case SystemOp.SRET:
      return returnFrom(hart, pc, SUPERVISOR);
    case SystemOp.WFI:
      return waitForInterrupt(hart, u, pc);
    case SystemOp.SFENCE_VMA:
      return executeSfence(hart, u, pc);
    default:
      return illegalInstruction(hart, pc);
  }
}

let pauses: i32 = 0;

/** A hart that spins for long may be waiting for one to which the host has given no processor. */
function yieldSometimes(hart: usize): void {
  pauses = (pauses + 1) % SPINS;
  if (pauses == 0) sleepWhile(hart + H_WAKE, atomic.load<u32>(hart, H_WAKE), host.now() + YIELD_TICKS);
}
const SPINS = 256;
const YIELD_TICKS: f64 = 500;

function rareFloat(hart: usize, op: i32, u: usize, pc: u64): i32 {
  const done = executeRareFloat(hart, op, u);
  if (done) return deviceStored && op == RareFloatOp.FSH ? resync(hart, u, pc) : Outcome.NEXT;
  return faultCode ? trap(hart, pc) : illegalInstruction(hart, pc);
}

function vector(hart: usize, u: usize, pc: u64): i32 {
  switch (executeVector(hart, load<u32>(u, U_IMM))) {
    case VectorOutcome.DONE:
      return Outcome.NEXT;
    case VectorOutcome.DEVICE:
      return resync(hart, u, pc);
    case VectorOutcome.FAULT:
      return trap(hart, pc);
    default:
      return illegalInstruction(hart, pc);
  }
}

const CACHE_BLOCK: u64 = 64;

/** Zicbom and Zicboz. There are no caches, so all except cbo.zero only check the access. */
function executeCache(hart: usize, op: i32, u: usize, pc: u64): i32 {
  const permission = op == CacheOp.CBO_ZERO ? CBZE : op == CacheOp.CBO_INVAL ? CBIE : CBCFE;
  const priv = privilege(hart);
  const blocked =
    (priv < MACHINE_MODE && !(load<u64>(hart, H_MENVCFG) & permission)) ||
    (priv == USER && !(load<u64>(hart, H_SENVCFG) & permission));
  if (blocked) return illegalInstruction(hart, pc);
  const va = load<u64>(hart + load<u16>(u, U_RS1)) & ~(CACHE_BLOCK - 1);
  if (op == CacheOp.CBO_ZERO) {
    const host = atomicAddress(hart, va, <u32>CACHE_BLOCK, Access.STORE);
    if (faultCode) return trap(hart, pc);
    memory.fill(host, 0, <usize>CACHE_BLOCK);
    return Outcome.NEXT;
  }
  atomicAddress(hart, va, <u32>CACHE_BLOCK, Access.LOAD);
  // Whoever may load may manage, and faults are those of stores (Zicbom, 2.5.2).
  if (faultCode) return exception(hart, pc, faultCode - 1 + (STORE_ACCESS - LOAD_ACCESS), faultValue);
  return Outcome.NEXT;
}

/** The number of bytes and the kind of extension, for LB … FSD. */
function executeMemory(hart: usize, op: i32, u: usize, pc: u64): i32 {
  const va = load<u64>(hart + load<u16>(u, U_RS1)) + <i64>load<i32>(u, U_IMM);
  const value = load<u64>(hart + load<u16>(u, U_RS2));
  switch (op) {
    case MemoryOp.SB:
      storeSlow(hart, va, 1, value);
      break;
    case MemoryOp.SH:
      storeSlow(hart, va, 2, value);
      break;
    case FloatMemoryOp.FSW:
    case MemoryOp.SW:
      storeSlow(hart, va, 4, value);
      break;
    case FloatMemoryOp.FSD:
    case MemoryOp.SD:
      storeSlow(hart, va, 8, value);
      break;
    default:
      return executeLoad(hart, op, u, va, pc);
  }
  if (faultCode) return trap(hart, pc);
  return deviceStored ? resync(hart, u, pc) : Outcome.NEXT;
}

function executeLoad(hart: usize, op: i32, u: usize, va: u64, pc: u64): i32 {
  let value: u64 = 0;
  switch (op) {
    case MemoryOp.LB:
      value = <u64>(<i64>(<i8>loadSlow(hart, va, 1)));
      break;
    case MemoryOp.LBU:
      value = loadSlow(hart, va, 1);
      break;
    case MemoryOp.LH:
      value = <u64>(<i64>(<i16>loadSlow(hart, va, 2)));
      break;
    case MemoryOp.LHU:
      value = loadSlow(hart, va, 2);
      break;
    case MemoryOp.LW:
      value = <u64>(<i64>(<i32>loadSlow(hart, va, 4)));
      break;
    case MemoryOp.LWU:
      value = loadSlow(hart, va, 4);
      break;
    case FloatMemoryOp.FLW:
      value = 0xffff_ffff_0000_0000 | loadSlow(hart, va, 4);
      break;
    default:
      value = loadSlow(hart, va, 8);
      break;
  }
  if (faultCode) return trap(hart, pc);
  store<u64>(hart + load<u16>(u, U_RD), value);
  return Outcome.NEXT;
}

function executeCsr(hart: usize, op: i32, u: usize, pc: u64): i32 {
  const n = load<u32>(u, U_IMM);
  const immediate = op >= CsrOp.CSRRWI;
  const kind = op - (immediate ? CsrOp.CSRRWI : CsrOp.CSRRW);
  const source = <u32>load<u16>(u, U_EXTRA);
  const operand = immediate ? <u64>source : load<u64>(hart + load<u16>(u, U_RS1));
  // csrrs and csrrc with x0 (or 0) do not write at all (Zicsr, 6.1).
  const writes = kind == 0 || source != 0;
  if (!csrAccessible(hart, n, writes)) return illegalInstruction(hart, pc);
  clearCsrOutcome();
  const old = readCsr(hart, n);
  if (csrIllegal) return illegalInstruction(hart, pc);
  if (writes) {
    const base = kind == 0 ? 0 : readForModify(hart, n);
    writeCsr(hart, n, kind == 0 ? operand : kind == 1 ? base | operand : base & ~operand);
    if (csrIllegal) return illegalInstruction(hart, pc);
  }
  store<u64>(hart + load<u16>(u, U_RD), old);
  return csrResync ? resync(hart, u, pc) : Outcome.NEXT;
}

function executeCounter(hart: usize, u: usize, pc: u64): i32 {
  const n = load<u32>(u, U_IMM);
  if (!counterReadable(hart, n - CYCLE)) return illegalInstruction(hart, pc);
  store<u64>(hart + load<u16>(u, U_RD), readCounter(hart, n));
  return Outcome.NEXT;
}

/** Prepares for floating-point instructions in the rest of the block. */
function checkFloat(hart: usize, pc: u64): i32 {
  const status = load<u64>(hart, H_MSTATUS);
  if (!(status & FS)) return illegalInstruction(hart, pc);
  store<u64>(hart, status | FS, H_MSTATUS);
  return Outcome.PSEUDO;
}

function environmentCall(hart: usize, u: usize, pc: u64): i32 {
  const priv = privilege(hart);
  if (priv == SUPERVISOR && load<u32>(M_MODE) & MODE_FIRMWARE) {
    sbiCall(hart);
    return resync(hart, u, pc);
  }
  return exception(hart, pc, ECALL_FROM_U + priv, 0);
}

function returnFrom(hart: usize, pc: u64, level: u32): i32 {
  const priv = privilege(hart);
  const trapped = level == SUPERVISOR && priv == SUPERVISOR && (load<u64>(hart, H_MSTATUS) & TSR) != 0;
  if (priv < level || trapped) return illegalInstruction(hart, pc);
  nextPc = level == MACHINE_MODE ? mret(hart) : sret(hart);
  return mustLeave(hart) ? Outcome.LEAVE : Outcome.JUMP;
}

function waitForInterrupt(hart: usize, u: usize, pc: u64): i32 {
  const priv = privilege(hart);
  if (priv == USER || (priv == SUPERVISOR && load<u64>(hart, H_MSTATUS) & TW))
    return illegalInstruction(hart, pc);
  waiting = true;
  nextPc = pc + lengthOf(u);
  return Outcome.LEAVE;
}

function executeSfence(hart: usize, u: usize, pc: u64): i32 {
  const priv = privilege(hart);
  if (priv == USER || (priv == SUPERVISOR && load<u64>(hart, H_MSTATUS) & TVM))
    return illegalInstruction(hart, pc);
  const rs1 = load<u16>(u, U_RS1);
  const rs2 = load<u16>(u, U_RS2);
  sfence(hart, rs1 != 0, load<u64>(hart + rs1), rs2 != 0 ? <i64>(load<u64>(hart + rs2) & 0xffff) : -1);
  return resync(hart, u, pc);
}
