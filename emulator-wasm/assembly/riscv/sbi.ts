/** The Supervisor Binary Interface 2.0, which the core itself implements. */
import {
  H_IPI,
  H_RUN,
  H_START_A1,
  H_START_LOCK,
  H_START_PC,
  H_STIMECMP,
  H_X,
  M_HARTS,
  M_PAGE_FLAGS,
  M_RAM_BASE,
  M_RAM_SIZE,
  PAGE_DIRTY,
  PAGE_WRITTEN,
  POWER_FAIL,
  POWER_OFF,
  POWER_REBOOT,
  RAM_START,
  REQUEST_FENCE_I,
  REQUEST_SFENCE,
  RUN_START_PENDING,
  RUN_STOPPED,
} from '../../layout';
import { powerOff } from '../devices/finisher';
import * as host from '../host';
import { hartBlock, wake } from '../mailbox';
import { requestRemote } from './remote';
import { uartFlush, uartReceive, uartTransmit } from '../devices/uart';

const A0 = H_X + 8 * 10;
const A1 = H_X + 8 * 11;
const A2 = H_X + 8 * 12;
const A6 = H_X + 8 * 16;
const A7 = H_X + 8 * 17;

const SUCCESS: i64 = 0;
const ERR_NOT_SUPPORTED: i64 = -2;
const ERR_INVALID_PARAM: i64 = -3;
const ERR_INVALID_ADDRESS: i64 = -5;
const ERR_ALREADY_AVAILABLE: i64 = -6;

const LEGACY_SET_TIMER: u32 = 0x00;
const LEGACY_PUTCHAR: u32 = 0x01;
const LEGACY_GETCHAR: u32 = 0x02;
const LEGACY_SHUTDOWN: u32 = 0x08;
const LEGACY_END: u32 = 0x10;
const BASE: u32 = 0x10;
const TIME: u32 = 0x5449_4d45;
const IPI: u32 = 0x0073_5049;
const RFENCE: u32 = 0x5246_4e43;
const HSM: u32 = 0x0048_534d;
const SRST: u32 = 0x5352_5354;
const DBCN: u32 = 0x4442_434e;

const SPEC_VERSION: i64 = 2 << 24;
/** An implementation ID that is not registered. */
const IMPLEMENTATION_ID: i64 = 0x4c52;
const IMPLEMENTATION_VERSION: i64 = 1;

const SSIP: u32 = 1 << 1;
const ALL_HARTS: u64 = u64.MAX_VALUE;

/** The most bytes that one console call moves. Callers must continue with the rest. */
const CONSOLE_CHUNK: u64 = 0x1_0000;
const PAGE_SHIFT = 12;

/**
 * Answers the ECALL of this hart: extension in a7, function in a6, error to a0, value to a1.
 * When it returns, the hart may be stopped or the machine off.
 */
export function sbiCall(hart: usize): void {
  const extension = <u32>load<u64>(hart, A7);
  if (extension < LEGACY_END) {
    store<i64>(hart, legacy(hart, extension), A0);
    return;
  }
  // No value is negative, so one number holds either the error or the value.
  const result = call(hart, extension, <u32>load<u64>(hart, A6));
  store<i64>(hart, min(result, SUCCESS), A0);
  store<i64>(hart, max(result, 0), A1);
}

function call(hart: usize, extension: u32, func: u32): i64 {
  switch (extension) {
    case BASE:
      return base(hart, func);
    case TIME:
      return func == 0 ? setTimer(hart) : ERR_NOT_SUPPORTED;
    case IPI:
      return func == 0 ? sendIpi(hart) : ERR_NOT_SUPPORTED;
    case RFENCE:
      return remoteFence(hart, func);
    case HSM:
      return hartState(hart, func);
    case SRST:
      return func == 0 ? systemReset(<u32>load<u64>(hart, A0), <u32>load<u64>(hart, A1)) : ERR_NOT_SUPPORTED;
    case DBCN:
      return debugConsole(hart, func);
    default:
      return ERR_NOT_SUPPORTED;
  }
}

/** Legacy calls return one number and keep a1. */
function legacy(hart: usize, extension: u32): i64 {
  switch (extension) {
    case LEGACY_SET_TIMER:
      return setTimer(hart);
    case LEGACY_PUTCHAR:
      uartTransmit(<u8>load<u64>(hart, A0));
      return SUCCESS;
    case LEGACY_GETCHAR:
      return uartReceive();
    case LEGACY_SHUTDOWN:
      powerOff(POWER_OFF, 0);
      return SUCCESS;
    default:
      return ERR_NOT_SUPPORTED;
  }
}

function base(hart: usize, func: u32): i64 {
  switch (func) {
    case 0:
      return SPEC_VERSION;
    case 1:
      return IMPLEMENTATION_ID;
    case 2:
      return IMPLEMENTATION_VERSION;
    case 3:
      return probe(<u32>load<u64>(hart, A0));
    case 4: // mvendorid
    case 5: // marchid
    case 6: // mimpid
      return 0;
    default:
      return ERR_NOT_SUPPORTED;
  }
}

function probe(extension: u32): i64 {
  switch (extension) {
    case LEGACY_SET_TIMER:
    case LEGACY_PUTCHAR:
    case LEGACY_GETCHAR:
    case LEGACY_SHUTDOWN:
    case BASE:
    case TIME:
    case IPI:
    case RFENCE:
    case HSM:
    case SRST:
    case DBCN:
      return 1;
    default:
      return 0;
  }
}

/** STIP follows stimecmp, so a later time also clears a pending interrupt. */
function setTimer(hart: usize): i64 {
  store<u64>(hart, load<u64>(hart, A0), H_STIMECMP);
  return SUCCESS;
}

/** The harts in a0 (mask) and a1 (id of its bit 0), one bit per hart id; -1 if one of them does not exist. */
function targets(hart: usize): i32 {
  const mask = load<u64>(hart, A0);
  const first = load<u64>(hart, A1);
  const harts: u64 = load<u32>(M_HARTS);
  if (first == ALL_HARTS) return (1 << (<i32>harts)) - 1;
  if (first >= harts || mask >> (harts - first) != 0) return -1;
  return <i32>(mask << first);
}

function sendIpi(hart: usize): i64 {
  const set = targets(hart);
  if (set < 0) return ERR_INVALID_PARAM;
  for (let rest = set; rest != 0; rest &= rest - 1) {
    const target = hartBlock(ctz(rest));
    atomic.or<u32>(target, SSIP, H_IPI);
    wake(target);
  }
  return SUCCESS;
}

/** A fence of everything includes every range and address space. */
function remoteFence(hart: usize, func: u32): i64 {
  if (func > 2) return ERR_NOT_SUPPORTED;
  const set = targets(hart);
  if (set < 0) return ERR_INVALID_PARAM;
  requestRemote(hart, set, func == 0 ? REQUEST_FENCE_I : REQUEST_SFENCE);
  return SUCCESS;
}

function hartState(hart: usize, func: u32): i64 {
  switch (func) {
    case 0:
      return startHart(load<u64>(hart, A0), load<u64>(hart, A1), load<u64>(hart, A2));
    case 1:
      // From now on, requests wait in the mailbox until the hart starts again.
      atomic.store<u32>(hart, RUN_STOPPED, H_RUN);
      return SUCCESS;
    case 2:
      return hartStatus(load<u64>(hart, A0));
    case 3:
      return suspendHart(<u32>load<u64>(hart, A0));
    default:
      return ERR_NOT_SUPPORTED;
  }
}

function startHart(id: u64, pc: u64, a1: u64): i64 {
  if (id >= load<u32>(M_HARTS)) return ERR_INVALID_PARAM;
  if ((pc & 1) != 0 || !isInRam(pc, 2)) return ERR_INVALID_ADDRESS;
  const target = hartBlock(<u32>id);
  // If several harts start the same one, one of them sets its pc, and the others come too late.
  if (atomic.xchg<u32>(target, 1, H_START_LOCK) != 0) return ERR_ALREADY_AVAILABLE;
  const stopped = atomic.load<u32>(target, H_RUN) == RUN_STOPPED;
  if (stopped) {
    atomic.store<u64>(target, pc, H_START_PC);
    atomic.store<u64>(target, a1, H_START_A1);
    atomic.store<u32>(target, RUN_START_PENDING, H_RUN);
    wake(target);
  }
  atomic.store<u32>(target, 0, H_START_LOCK);
  return stopped ? SUCCESS : ERR_ALREADY_AVAILABLE;
}

function hartStatus(id: u64): i64 {
  if (id >= load<u32>(M_HARTS)) return ERR_INVALID_PARAM;
  switch (atomic.load<u32>(hartBlock(<u32>id), H_RUN)) {
    case RUN_STOPPED:
      return 1;
    case RUN_START_PENDING:
      return 2;
    default:
      return 0;
  }
}

/** Default retentive suspension may end at any time, so it ends at once. */
function suspendHart(type: u32): i64 {
  if (type == 0) return SUCCESS;
  return type == 0x8000_0000 ? ERR_NOT_SUPPORTED : ERR_INVALID_PARAM;
}

function systemReset(type: u32, reason: u32): i64 {
  if (type > 2 || reason > 1) return ERR_INVALID_PARAM;
  if (type != 0) powerOff(POWER_REBOOT, 0);
  else if (reason == 1) powerOff(POWER_FAIL, 1);
  else powerOff(POWER_OFF, 0);
  return SUCCESS;
}

function isInRam(pa: u64, length: u64): bool {
  const size = load<u64>(M_RAM_SIZE);
  const offset = pa - RAM_START;
  return length <= size && offset <= size - length;
}

function debugConsole(hart: usize, func: u32): i64 {
  if (func == 2) {
    uartTransmit(<u8>load<u64>(hart, A0));
    return SUCCESS;
  }
  if (func > 2) return ERR_NOT_SUPPORTED;
  const length = load<u64>(hart, A0);
  const pa = load<u64>(hart, A1);
  if (load<u64>(hart, A2) != 0 || !isInRam(pa, length)) return ERR_INVALID_PARAM;
  const offset = <usize>(pa - RAM_START);
  const count = <usize>min(length, CONSOLE_CHUNK);
  return func == 0 ? writeConsole(offset, count) : readConsole(offset, count);
}

/**
 * `offset` is an offset in RAM, as for `readConsole`. Both functions return the number of bytes that they
 * moved.
 */
function writeConsole(offset: usize, count: usize): i64 {
  uartFlush();
  if (count != 0) host.output(load<u32>(M_RAM_BASE) + offset, <i32>count);
  return count;
}

function readConsole(offset: usize, count: usize): i64 {
  const ram: usize = load<u32>(M_RAM_BASE);
  const pageFlags: usize = load<u32>(M_PAGE_FLAGS);
  for (let done: usize = 0; done < count; done++) {
    const byte = uartReceive();
    if (byte < 0) return done;
    atomic.store<u8>(ram + offset + done, <u8>byte);
    atomic.or<u8>(pageFlags + ((offset + done) >> PAGE_SHIFT), PAGE_WRITTEN | PAGE_DIRTY);
  }
  return count;
}
