/** The core's interface to its host. One instance runs one hart. */
import {
  H_FFLAGS,
  H_ID,
  H_INSTRET,
  H_MCOUNTEREN,
  H_MEDELEG,
  H_MENVCFG,
  H_MIDELEG,
  H_MSTATUS,
  H_MTIMECMP,
  H_PC,
  H_PRIV,
  H_PRIVATE,
  H_REQUEST,
  H_RUN,
  H_SATP,
  H_SCOUNTEREN,
  H_START_A1,
  H_START_PC,
  H_STIMECMP,
  H_VTYPE,
  H_WAKE,
  H_MIE,
  H_X,
  HART_STRIDE,
  HARTS,
  M_MODE,
  M_POWER,
  MODE_FIRMWARE,
  MODE_ICOUNT,
  MODE_JIT,
  POWER_RUNNING,
  REQUEST_PAUSE,
  REQUEST_RETURN,
  RUN_PAUSED,
  RUN_SLEEPING,
  RUN_START_PENDING,
  RUN_STARTED,
  RUN_STOPPED,
} from '../layout';
import { dropReservation } from './riscv/atomics';
import { mtime, skipTo } from './devices/clock';
import { resetCode } from './riscv/blocks';
import { earn, quantum, resetHeat, sample } from './riscv/heat';
import { getFlags, setFlags } from './riscv/fpu';
import * as host from './host';
import { interpret } from './riscv/interpreter';
import { pollWhile } from './mailbox';
import { serveRequests } from './riscv/remote';
import { resetTlbs, selectContexts } from './riscv/tlb';
import { pmpChanged } from './riscv/walk';
import { rtcDeadline, rtcTick } from './devices/rtc';
import { beginBudget, setBudget, stopWaiting, waiting } from './riscv/slow';
import { CBCFE, CBIE, CBZE, MTIP, S_INTERRUPTS, setXreg, STIP, SUPERVISOR, XL64 } from './riscv/state';
import { pendingInterrupts, STCE, takeInterrupt } from './riscv/trap';
import { uartFlush } from './devices/uart';

export {
  counterValue,
  decodePage,
  decodeStraddling,
  evict,
  floatState,
  hashCodePage,
  install,
  vectorOperation,
} from './riscv/compiled';
export * from './riscv/fpu';
export * from './riscv/integer';
export { lz4Compress, lz4Decompress } from './lz4';

/** Resets hart `id`, which will start at `pc` in privilege `priv` with a0 = id and a1. */
export function reset(id: i32, pc: u64, priv: i32, a1: u64): void {
  const hart = HARTS + id * HART_STRIDE;
  memory.fill(hart + H_X, 0, RESET_BYTES);
  store<u32>(hart, id, H_ID);
  store<u64>(hart, ~0, H_MTIMECMP);
  store<u64>(hart, ~0, H_STIMECMP);
  store<u64>(hart, XL64, H_MSTATUS);
  store<u64>(hart, (<u64>1) << 63, H_VTYPE);
  const firmware = (load<u32>(M_MODE) & MODE_FIRMWARE) != 0;
  if (firmware) actAsFirmware(hart);
  enter(hart, pc, priv, a1);
  begin(hart);
  atomic.store<u32>(hart, firmware && id > 0 ? RUN_STOPPED : RUN_STARTED, H_RUN);
}

/**
 * Makes hart `id` go on where a hart of another machine was paused, whose registers, mailbox and CSRs are in
 * the block. The host has checked them.
 */
export function resume(id: i32): void {
  begin(HARTS + id * HART_STRIDE);
}

/** Fills in what is not in the first RESET_BYTES of the block: caches, and the state of this instance. */
function begin(hart: usize): void {
  setFlags(load<u32>(hart, H_FFLAGS));
  // SC may fail, and WFI may return, at any time.
  dropReservation(hart);
  stopWaiting();
  resetCode(hart);
  resetHeat(hart);
  resetTlbs(hart);
  pmpChanged(hart, (load<u32>(M_MODE) & MODE_FIRMWARE) != 0);
}

/** Clears registers, mailbox and CSRs, which are everything except caches. */
const RESET_BYTES = H_PRIVATE;

/** Sets the CSRs as M-mode software does before it starts a supervisor: everything is delegated. */
function actAsFirmware(hart: usize): void {
  store<u64>(hart, 0xb1ff, H_MEDELEG);
  store<u64>(hart, S_INTERRUPTS, H_MIDELEG);
  store<u64>(hart, 7, H_MCOUNTEREN);
  // Linux does not change it, and its vDSO reads the time in U-mode.
  store<u64>(hart, 7, H_SCOUNTEREN);
  store<u64>(hart, STCE | CBIE | CBCFE | CBZE, H_MENVCFG);
}

function enter(hart: usize, pc: u64, priv: u32, a1: u64): void {
  store<u64>(hart, pc, H_PC);
  store<u32>(hart, priv, H_PRIV);
  setXreg(hart, 10, load<u32>(hart, H_ID));
  setXreg(hart, 11, a1);
}

/**
 * Runs hart `id` until the machine's power is no longer on, and returns its state (POWER_*); or until about
 * `instructions` have retired or the host asks for its return (REQUEST_RETURN, REQUEST_PAUSE), and returns
 * POWER_RUNNING. With one instruction, exactly that instruction retires or traps.
 */
export function run(id: i32, instructions: i64): i32 {
  const hart = HARTS + id * HART_STRIDE;
  const end = load<u64>(hart, H_INSTRET) + instructions;
  atomic.cmpxchg<u32>(hart, RUN_PAUSED, RUN_STARTED, H_RUN);
  while (true) {
    const power = atomic.load<u32>(M_POWER);
    if (power != POWER_RUNNING) {
      uartFlush();
      return power;
    }
    const left = <i64>(end - load<u64>(hart, H_INSTRET));
    if (left <= 0 || isCalledBack(hart)) return POWER_RUNNING;
    if (id == 0) rtcTick(hart);
    const mail = atomic.load<u32>(hart, H_WAKE);
    if (atomic.load<u32>(hart, H_RUN) != RUN_STARTED && !start(hart)) {
      serveRequests(hart);
      sleep(hart, mail, Infinity);
      continue;
    }
    serveRequests(hart);
    const pending = pendingInterrupts(hart);
    if (waiting) {
      if (!(pending & load<u64>(hart, H_MIE))) {
        doze(hart, mail);
        continue;
      }
      stopWaiting();
    }
    store<u64>(hart, takeInterrupt(hart, pending, load<u64>(hart, H_PC)), H_PC);
    const budget = <i32>min<i64>(left, quantum);
    beginBudget(hart, budget);
    setBudget(hart, interpret(hart, budget, instructions == 1));
    uartFlush();
    if (instructions == 1) return atomic.load<u32>(M_POWER);
    if (!(load<u32>(M_MODE) & MODE_JIT)) continue;
    earn(hart);
    sample(hart, load<u64>(hart, H_PC), true);
  }
}

/** Whether the hart's thread has other work to do first. */
function isCalledBack(hart: usize): bool {
  const requests = atomic.load<u32>(hart, H_REQUEST);
  if (requests & REQUEST_PAUSE) {
    pause(hart);
    return true;
  }
  if (!(requests & REQUEST_RETURN)) return false;
  atomic.and<u32>(hart, ~REQUEST_RETURN, H_REQUEST);
  return true;
}

/** Completes the hart's block. Other harts do not wait for this one until it runs again. */
function pause(hart: usize): void {
  store<u32>(hart, getFlags(), H_FFLAGS);
  atomic.cmpxchg<u32>(hart, RUN_STARTED, RUN_PAUSED, H_RUN);
}

/** Starts the hart if HSM hart_start was called for it. Returns false while it is stopped. */
function start(hart: usize): bool {
  if (atomic.load<u32>(hart, H_RUN) != RUN_START_PENDING) return false;
  store<u64>(hart, XL64, H_MSTATUS);
  store<u64>(hart, 0, H_SATP);
  stopWaiting();
  enter(hart, load<u64>(hart, H_START_PC), SUPERVISOR, load<u64>(hart, H_START_A1));
  selectContexts(hart);
  atomic.store<u32>(hart, RUN_STARTED, H_RUN);
  return true;
}

/** WFI: sleeps until another thread wakes the hart, or until its next timer. */
function doze(hart: usize, mail: u32): void {
  const deadline = nextTimer(hart);
  if (deadline == NEVER) return sleep(hart, mail, Infinity);
  if (load<u32>(M_MODE) & MODE_ICOUNT) return skipTo(hart, deadline);
  const time = mtime(hart);
  if (deadline > time) sleep(hart, mail, host.now() + <f64>(deadline - time));
}
const NEVER: u64 = ~0;

/** The time of the first timer that can end this hart's WFI. */
function nextTimer(hart: usize): u64 {
  const enabled = load<u64>(hart, H_MIE);
  let deadline = load<u32>(hart, H_ID) == 0 ? rtcDeadline(hart) : NEVER;
  if (enabled & MTIP) deadline = min<u64>(deadline, load<u64>(hart, H_MTIMECMP));
  if (enabled & STIP && load<u64>(hart, H_MENVCFG) & STCE)
    deadline = min<u64>(deadline, load<u64>(hart, H_STIMECMP));
  return deadline;
}

/** Sleeps while the hart's mailbox equals `mail`, at most until the host's clock reaches `deadline`. */
function sleep(hart: usize, mail: u32, deadline: f64): void {
  atomic.cmpxchg<u32>(hart, RUN_STARTED, RUN_SLEEPING, H_RUN);
  if (atomic.load<u32>(hart, H_REQUEST) == 0 && atomic.load<u32>(M_POWER) == POWER_RUNNING) {
    pollWhile(hart + H_WAKE, mail, deadline);
  }
  atomic.cmpxchg<u32>(hart, RUN_SLEEPING, RUN_STARTED, H_RUN);
}
