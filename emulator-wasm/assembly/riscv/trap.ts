/** Traps, returns from traps, and the choice of the interrupt to take. */
import {
  H_IPI,
  H_MCAUSE,
  H_MEDELEG,
  H_MENVCFG,
  H_MEPC,
  H_MIDELEG,
  H_MIE,
  H_MIP,
  H_MSTATUS,
  H_MTIMECMP,
  H_MTVAL,
  H_MTVEC,
  H_PRIV,
  H_SCAUSE,
  H_SEPC,
  H_STIMECMP,
  H_STVAL,
  H_STVEC,
} from '../../layout';
import { mtime } from '../devices/clock';
import { selectContexts } from './tlb';
import { plicPending } from '../devices/plic';
import {
  MACHINE_MODE,
  MIE,
  MPIE,
  MPP,
  MPRV,
  MTIP,
  privilege,
  SIE,
  SPIE,
  SPP,
  STIP,
  SUPERVISOR,
  USER,
} from './state';

const INTERRUPT: u64 = 1 << 63;
/** menvcfg.STCE: stimecmp drives mip.STIP. */
export const STCE: u64 = 1 << 63;

/** Takes an exception at `pc` and returns the handler's address. */
export function takeException(hart: usize, cause: i32, value: u64, pc: u64): u64 {
  const delegated = privilege(hart) <= SUPERVISOR && (load<u64>(hart, H_MEDELEG) >> cause) & 1;
  return enter(hart, <u64>cause, value, pc, delegated != 0);
}

function enter(hart: usize, cause: u64, value: u64, pc: u64, delegated: bool): u64 {
  const handler = delegated ? enterSupervisor(hart, cause, value, pc) : enterMachine(hart, cause, value, pc);
  selectContexts(hart);
  return handler;
}

/** Direct or vectored. Vectored interrupts go to base + 4 * cause. */
@inline
function handlerAddress(vector: u64, cause: u64): u64 {
  const base = vector & ~3;
  return vector & 1 && cause & INTERRUPT ? base + 4 * (cause & ~INTERRUPT) : base;
}

function enterSupervisor(hart: usize, cause: u64, value: u64, pc: u64): u64 {
  let status = load<u64>(hart, H_MSTATUS) & ~(SPP | SPIE);
  if (privilege(hart) == SUPERVISOR) status |= SPP;
  if (status & SIE) status |= SPIE;
  store<u64>(hart, status & ~SIE, H_MSTATUS);
  store<u64>(hart, pc, H_SEPC);
  store<u64>(hart, cause, H_SCAUSE);
  store<u64>(hart, value, H_STVAL);
  store<u32>(hart, SUPERVISOR, H_PRIV);
  return handlerAddress(load<u64>(hart, H_STVEC), cause);
}

function enterMachine(hart: usize, cause: u64, value: u64, pc: u64): u64 {
  let status = load<u64>(hart, H_MSTATUS) & ~(MPP | MPIE);
  status |= (<u64>privilege(hart)) << 11;
  if (status & MIE) status |= MPIE;
  store<u64>(hart, status & ~MIE, H_MSTATUS);
  store<u64>(hart, pc, H_MEPC);
  store<u64>(hart, cause, H_MCAUSE);
  store<u64>(hart, value, H_MTVAL);
  store<u32>(hart, MACHINE_MODE, H_PRIV);
  return handlerAddress(load<u64>(hart, H_MTVEC), cause);
}

export function mret(hart: usize): u64 {
  let status = load<u64>(hart, H_MSTATUS);
  const previous = <u32>(status >> 11) & 3;
  status = status & MPIE ? status | MIE : status & ~MIE;
  status = (status | MPIE) & ~MPP;
  if (previous != MACHINE_MODE) status &= ~MPRV;
  store<u64>(hart, status, H_MSTATUS);
  store<u32>(hart, previous, H_PRIV);
  selectContexts(hart);
  return load<u64>(hart, H_MEPC);
}

export function sret(hart: usize): u64 {
  let status = load<u64>(hart, H_MSTATUS);
  const previous = status & SPP ? SUPERVISOR : USER;
  status = status & SPIE ? status | SIE : status & ~SIE;
  status = (status | SPIE) & ~(SPP | MPRV);
  store<u64>(hart, status, H_MSTATUS);
  store<u32>(hart, previous, H_PRIV);
  selectContexts(hart);
  return load<u64>(hart, H_SEPC);
}

/** mtime when it was last read for the timers, because reading it from the host is slow. */
let lastTime: u64 = 0;

/** The value of mip that software reads. */
export function pendingInterrupts(hart: usize): u64 {
  lastTime = mtime(hart);
  return pendingAt(hart, lastTime);
}

function pendingAt(hart: usize, time: u64): u64 {
  let pending = load<u64>(hart, H_MIP) | atomic.load<u32>(hart, H_IPI) | plicPending(hart);
  if (time >= load<u64>(hart, H_MTIMECMP)) pending |= MTIP;
  if (load<u64>(hart, H_MENVCFG) & STCE) {
    pending &= ~STIP;
    if (time >= load<u64>(hart, H_STIMECMP)) pending |= STIP;
  }
  return pending;
}

/** Pending interrupts that are enabled and that the current privilege does not mask. */
function deliverable(hart: usize, pending: u64): u64 {
  const enabled = pending & load<u64>(hart, H_MIE);
  if (enabled == 0) return 0;
  const priv = privilege(hart);
  const status = load<u64>(hart, H_MSTATUS);
  const delegated = load<u64>(hart, H_MIDELEG);
  const machine = enabled & ~delegated;
  if (machine && (priv < MACHINE_MODE || status & MIE)) return machine;
  return priv < SUPERVISOR || (priv == SUPERVISOR && status & SIE) ? enabled & delegated : 0;
}

/**
 * Takes the deliverable interrupt with the highest priority and returns its handler's address, or returns
 * `pc`.
 */
export function takeInterrupt(hart: usize, pending: u64, pc: u64): u64 {
  const ready = deliverable(hart, pending);
  if (ready == 0) return pc;
  const cause = mostUrgent(ready);
  const delegated = (load<u64>(hart, H_MIDELEG) >> cause) & 1;
  return enter(hart, INTERRUPT | cause, 0, pc, delegated != 0);
}

/** MEI, MSI, MTI, SEI, SSI, STI (privileged specification, 3.1.9). */
function mostUrgent(ready: u64): u64 {
  if (ready & (1 << 11)) return 11;
  if (ready & (1 << 3)) return 3;
  if (ready & (1 << 7)) return 7;
  if (ready & (1 << 9)) return 9;
  if (ready & (1 << 1)) return 1;
  return 5;
}

/** Whether an interrupt would be taken now. Does not see a timer that fired since the last read of mtime. */
export function interruptWaits(hart: usize): bool {
  return load<u64>(hart, H_MIE) != 0 && deliverable(hart, pendingAt(hart, lastTime)) != 0;
}
