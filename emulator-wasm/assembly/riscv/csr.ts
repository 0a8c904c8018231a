/** Control and status registers: access rights, WARL fields, side effects. */
import {
  H_CYCLE_OFFSET,
  H_FRM,
  H_ID,
  H_INSTRET,
  H_INSTRET_OFFSET,
  H_IPI,
  H_MCAUSE,
  H_MCOUNTEREN,
  H_MCOUNTINHIBIT,
  H_MEDELEG,
  H_MENVCFG,
  H_MEPC,
  H_MIDELEG,
  H_MIE,
  H_MIP,
  H_MSCRATCH,
  H_MSTATUS,
  H_MTVAL,
  H_MTVEC,
  H_PMPADDR,
  H_PMPCFG,
  H_SATP,
  H_SCAUSE,
  H_SCOUNTEREN,
  H_SENVCFG,
  H_SEPC,
  H_SSCRATCH,
  H_STIMECMP,
  H_STVAL,
  H_STVEC,
  H_VCSR,
  H_VL,
  H_VSTART,
  H_VTYPE,
} from '../../layout';
import { CSR_VL, CSR_VLENB, CSR_VTYPE } from './vector/opcodes';
import { VLENB } from './vector/unit';
import { mtime } from '../devices/clock';
import { getFlags, setFlags } from './fpu';
import { selectContexts } from './tlb';
import { pmpChanged } from './walk';
import { setPmpAddress, setPmpConfig } from './pmp';
import {
  CBCFE,
  CBIE,
  CBZE,
  FS,
  MACHINE_MODE,
  MIE,
  MPIE,
  MPP,
  MPRV,
  MXR,
  privilege,
  S_INTERRUPTS,
  SEIP,
  SIE,
  SPIE,
  SPP,
  SSIP,
  STIP,
  SUM,
  SUPERVISOR,
  TSR,
  TVM,
  TW,
  USER,
  VS,
  XL64,
} from './state';
import { pendingInterrupts, STCE } from './trap';

const SD: u64 = 1 << 63;
const WRITABLE_STATUS: u64 =
  SIE | MIE | SPIE | MPIE | SPP | MPP | VS | FS | MPRV | SUM | MXR | TVM | TW | TSR;
const S_STATUS: u64 = SIE | SPIE | SPP | VS | FS | SUM | MXR;
const UXL: u64 = 2 << 32;
/** Exceptions that can be delegated: all except ecall from M and the reserved ones. */
const DELEGABLE: u64 = 0xb3ff;
/** RV64 with A, B, C, D, F, I, M, S, U, V. */
const MISA: u64 = (2 << 62) | 0x34112f;

/** Set by an access that must raise an illegal instruction exception. */
export let csrIllegal: bool = false;
/** Set when interrupts or the fetch context may have changed, so that execution must leave the block. */
export let csrResync: bool = false;

@inline
function illegalCsr(): u64 {
  csrIllegal = true;
  return 0;
}

/** Whether the current privilege may access a CSR, according to the CSR's number (2.1). */
export function csrAccessible(hart: usize, n: u32, writing: bool): bool {
  if (((n >>> 8) & 3) > privilege(hart)) return false;
  return !(writing && n >>> 10 == 3);
}

/** Zicntr: the user's counters. Their numbers less CYCLE are the counters' bits. */
export const CYCLE: u32 = 0xc00;
const TIME: u32 = 0xc01;
export const INSTRET: u32 = 0xc02;

/** mcounteren and scounteren control which counters are readable below M. */
export function counterReadable(hart: usize, bit: u32): bool {
  const priv = privilege(hart);
  if (priv < MACHINE_MODE && !((load<u64>(hart, H_MCOUNTEREN) >> bit) & 1)) return false;
  return priv != USER || ((load<u64>(hart, H_SCOUNTEREN) >> bit) & 1) != 0;
}

@inline
function floatOff(hart: usize): bool {
  return !(load<u64>(hart, H_MSTATUS) & FS);
}
@inline
function fsDirty(hart: usize): void {
  store<u64>(hart, load<u64>(hart, H_MSTATUS) | FS, H_MSTATUS);
}

@inline
function vectorOff(hart: usize): bool {
  return !(load<u64>(hart, H_MSTATUS) & VS);
}

@inline
function readStatus(hart: usize): u64 {
  const status = load<u64>(hart, H_MSTATUS);
  return (status & FS) == FS || (status & VS) == VS ? status | SD : status;
}

@inline
function instret(hart: usize): u64 {
  return load<u64>(hart, H_INSTRET) + load<u64>(hart, H_INSTRET_OFFSET);
}
@inline
function cycle(hart: usize): u64 {
  return load<u64>(hart, H_INSTRET) + load<u64>(hart, H_CYCLE_OFFSET);
}

/** An inhibited counter stands still. Its offset then holds the value itself. */
function counter(hart: usize, bit: u32): u64 {
  const offset = bit == 0 ? load<u64>(hart, H_CYCLE_OFFSET) : load<u64>(hart, H_INSTRET_OFFSET);
  return (load<u64>(hart, H_MCOUNTINHIBIT) >> bit) & 1 ? offset : load<u64>(hart, H_INSTRET) + offset;
}

/** The value of CYCLE, TIME or INSTRET, if H_INSTRET is up to date. */
export function readCounter(hart: usize, n: u32): u64 {
  return n == TIME ? mtime(hart) : counter(hart, n - CYCLE);
}

function setCounter(hart: usize, bit: u32, value: u64): void {
  // A write takes effect after the writing instruction has retired (Zicntr, 3.1.10).
  const inhibited = (load<u64>(hart, H_MCOUNTINHIBIT) >> bit) & 1;
  const offset = inhibited ? value : value - load<u64>(hart, H_INSTRET) - 1;
  if (bit == 0) store<u64>(hart, offset, H_CYCLE_OFFSET);
  else store<u64>(hart, offset, H_INSTRET_OFFSET);
}

function setCountInhibit(hart: usize, value: u64): void {
  const cycles = counter(hart, 0);
  const instructions = counter(hart, 2);
  store<u64>(hart, value & 5, H_MCOUNTINHIBIT);
  setCounter(hart, 0, cycles);
  setCounter(hart, 2, instructions);
}

/** The value of CSR `n`, if H_INSTRET is up to date. Sets csrIllegal if the CSR is absent or not readable. */
export function readCsr(hart: usize, n: u32): u64 {
  switch (n) {
    case 0x001:
      return floatOff(hart) ? illegalCsr() : getFlags();
    case 0x002:
      return floatOff(hart) ? illegalCsr() : load<u32>(hart, H_FRM);
    case 0x003:
      return floatOff(hart) ? illegalCsr() : getFlags() | (load<u32>(hart, H_FRM) << 5);
    case 0x008:
      return vectorOff(hart) ? illegalCsr() : load<u64>(hart, H_VSTART);
    case 0x009:
      return vectorOff(hart) ? illegalCsr() : load<u32>(hart, H_VCSR) & 1;
    case 0x00a:
      return vectorOff(hart) ? illegalCsr() : load<u32>(hart, H_VCSR) >>> 1;
    case 0x00f:
      return vectorOff(hart) ? illegalCsr() : load<u32>(hart, H_VCSR);
    case 0x100:
      return readStatus(hart) & (S_STATUS | UXL | SD);
    case 0x104:
      return load<u64>(hart, H_MIE) & load<u64>(hart, H_MIDELEG);
    case 0x105:
      return load<u64>(hart, H_STVEC);
    case 0x106:
      return load<u64>(hart, H_SCOUNTEREN);
    case 0x10a:
      return load<u64>(hart, H_SENVCFG);
    case 0x140:
      return load<u64>(hart, H_SSCRATCH);
    case 0x141:
      return load<u64>(hart, H_SEPC);
    case 0x142:
      return load<u64>(hart, H_SCAUSE);
    case 0x143:
      return load<u64>(hart, H_STVAL);
    case 0x144:
      return pendingInterrupts(hart) & load<u64>(hart, H_MIDELEG);
    case 0x14d:
      return stimecmpAccessible(hart) ? load<u64>(hart, H_STIMECMP) : illegalCsr();
    case 0x180:
      return satpAccessible(hart) ? load<u64>(hart, H_SATP) : illegalCsr();
    case 0x300:
      return readStatus(hart);
    case 0x301:
      return MISA;
    case 0x302:
      return load<u64>(hart, H_MEDELEG);
    case 0x303:
      return load<u64>(hart, H_MIDELEG);
    case 0x304:
      return load<u64>(hart, H_MIE);
    case 0x305:
      return load<u64>(hart, H_MTVEC);
    case 0x306:
      return load<u64>(hart, H_MCOUNTEREN);
    case 0x30a:
      return load<u64>(hart, H_MENVCFG);
    case 0x320:
      return load<u64>(hart, H_MCOUNTINHIBIT);
    case 0x340:
      return load<u64>(hart, H_MSCRATCH);
    case 0x341:
      return load<u64>(hart, H_MEPC);
    case 0x342:
      return load<u64>(hart, H_MCAUSE);
    case 0x343:
      return load<u64>(hart, H_MTVAL);
    case 0x344:
      return pendingInterrupts(hart);
    case 0x3a0:
      return load<u64>(hart, H_PMPCFG);
    case 0x3a2:
      return load<u64>(hart, H_PMPCFG + 8);
    case 0xb00:
      return counter(hart, 0);
    case 0xb02:
      return counter(hart, 2);
    case CYCLE:
    case TIME:
    case INSTRET:
      return counterReadable(hart, n - CYCLE) ? readCounter(hart, n) : illegalCsr();
    case CSR_VL:
      return vectorOff(hart) ? illegalCsr() : load<u64>(hart, H_VL);
    case CSR_VTYPE:
      return vectorOff(hart) ? illegalCsr() : load<u64>(hart, H_VTYPE);
    case CSR_VLENB:
      return vectorOff(hart) ? illegalCsr() : VLENB;
    case 0xf11: // mvendorid, marchid, mimpid: not a commercial implementation
    case 0xf12:
    case 0xf13:
      return 0;
    case 0xf14:
      return load<u32>(hart, H_ID);
    case 0xf15:
      return 0;
  }
  if (n >= 0x3b0 && n <= 0x3bf) return load<u64>(hart + (n - 0x3b0) * 8, H_PMPADDR);
  if (n >= 0xc03 && n <= 0xc1f) return counterReadable(hart, n & 31) ? 0 : illegalCsr();
  if ((n >= 0xb03 && n <= 0xb1f) || (n >= 0x323 && n <= 0x33f)) return 0;
  return illegalCsr();
}

@inline
function satpAccessible(hart: usize): bool {
  return privilege(hart) != SUPERVISOR || !(load<u64>(hart, H_MSTATUS) & TVM);
}

function stimecmpAccessible(hart: usize): bool {
  if (privilege(hart) == MACHINE_MODE) return true;
  return (load<u64>(hart, H_MCOUNTEREN) & 2) != 0 && (load<u64>(hart, H_MENVCFG) & STCE) != 0;
}

/** Writes CSR `n`; sets csrIllegal and csrResync. */
export function writeCsr(hart: usize, n: u32, value: u64): void {
  switch (n) {
    case 0x001:
      if (floatOff(hart)) illegalCsr();
      else {
        setFlags(<u32>value & 31);
        fsDirty(hart);
      }
      return;
    case 0x002:
      if (floatOff(hart)) illegalCsr();
      else {
        store<u32>(hart, <u32>value & 7, H_FRM);
        fsDirty(hart);
      }
      return;
    case 0x003:
      if (floatOff(hart)) {
        illegalCsr();
        return;
      }
      setFlags(<u32>value & 31);
      store<u32>(hart, (<u32>value >>> 5) & 7, H_FRM);
      fsDirty(hart);
      return;
    case 0x008:
      // As many bits as the largest element's index has.
      if (vectorWritable(hart)) store<u64>(hart, value & (8 * VLENB - 1), H_VSTART);
      return;
    case 0x009:
      if (vectorWritable(hart)) store<u32>(hart, (load<u32>(hart, H_VCSR) & 6) | (<u32>value & 1), H_VCSR);
      return;
    case 0x00a:
      if (vectorWritable(hart))
        store<u32>(hart, (load<u32>(hart, H_VCSR) & 1) | ((<u32>value & 3) << 1), H_VCSR);
      return;
    case 0x00f:
      if (vectorWritable(hart)) store<u32>(hart, <u32>value & 7, H_VCSR);
      return;
    case 0x100:
      writeStatus(hart, (load<u64>(hart, H_MSTATUS) & ~S_STATUS) | (value & S_STATUS));
      return;
    case 0x104: {
      const delegated = load<u64>(hart, H_MIDELEG);
      store<u64>(hart, (load<u64>(hart, H_MIE) & ~delegated) | (value & delegated), H_MIE);
      csrResync = true;
      return;
    }
    case 0x105:
      store<u64>(hart, value & ~2, H_STVEC);
      return;
    case 0x106:
      store<u64>(hart, value & 0xffff_ffff, H_SCOUNTEREN);
      return;
    case 0x10a:
      store<u64>(hart, writableEnvironment(value), H_SENVCFG);
      return;
    case 0x140:
      store<u64>(hart, value, H_SSCRATCH);
      return;
    case 0x141:
      store<u64>(hart, value & ~1, H_SEPC);
      return;
    case 0x142:
      store<u64>(hart, value, H_SCAUSE);
      return;
    case 0x143:
      store<u64>(hart, value, H_STVAL);
      return;
    case 0x144:
      writePending(hart, value, load<u64>(hart, H_MIDELEG) & SSIP);
      return;
    case 0x14d:
      if (!stimecmpAccessible(hart)) illegalCsr();
      else {
        store<u64>(hart, value, H_STIMECMP);
        csrResync = true;
      }
      return;
    case 0x180:
      writeSatp(hart, value);
      return;
    case 0x300:
      writeStatus(hart, value & WRITABLE_STATUS);
      return;
    case 0x301:
      return;
    case 0x302:
      store<u64>(hart, value & DELEGABLE, H_MEDELEG);
      return;
    case 0x303:
      store<u64>(hart, value & S_INTERRUPTS, H_MIDELEG);
      csrResync = true;
      return;
    case 0x304:
      store<u64>(hart, value & 0xaaa, H_MIE);
      csrResync = true;
      return;
    case 0x305:
      store<u64>(hart, value & ~2, H_MTVEC);
      return;
    case 0x306:
      store<u64>(hart, value & 0xffff_ffff, H_MCOUNTEREN);
      return;
    case 0x30a:
      store<u64>(hart, (value & STCE) | writableEnvironment(value), H_MENVCFG);
      csrResync = true;
      return;
    case 0x320:
      setCountInhibit(hart, value);
      return;
    case 0x340:
      store<u64>(hart, value, H_MSCRATCH);
      return;
    case 0x341:
      store<u64>(hart, value & ~1, H_MEPC);
      return;
    case 0x342:
      store<u64>(hart, value, H_MCAUSE);
      return;
    case 0x343:
      store<u64>(hart, value, H_MTVAL);
      return;
    case 0x344:
      writePending(hart, value, SSIP | SEIP | STIP);
      return;
    case 0x3a0:
      setPmpConfig(hart, 0, value);
      pmpChanged(hart, false);
      csrResync = true;
      return;
    case 0x3a2:
      setPmpConfig(hart, 8, value);
      pmpChanged(hart, false);
      csrResync = true;
      return;
    case 0xb00:
      setCounter(hart, 0, value);
      return;
    case 0xb02:
      setCounter(hart, 2, value);
      return;
  }
  if (n >= 0x3b0 && n <= 0x3bf) {
    setPmpAddress(hart, n - 0x3b0, value);
    pmpChanged(hart, false);
    csrResync = true;
  } else if (!((n >= 0xb03 && n <= 0xb1f) || (n >= 0x323 && n <= 0x33f))) illegalCsr();
}

/** Whether vector CSRs may be written, which makes mstatus.VS Dirty. */
function vectorWritable(hart: usize): bool {
  if (vectorOff(hart)) {
    illegalCsr();
    return false;
  }
  store<u64>(hart, load<u64>(hart, H_MSTATUS) | VS, H_MSTATUS);
  return true;
}

/** FIOM, CBIE, CBCFE and CBZE. The value 2 of CBIE is reserved. */
function writableEnvironment(value: u64): u64 {
  return value & (1 | CBCFE | CBZE | ((value & CBIE) == 2 << 4 ? 0 : CBIE));
}

function writeStatus(hart: usize, value: u64): void {
  // MPP is WARL, and privilege 2 does not exist.
  if ((value & MPP) == 2 << 11) value = (value & ~MPP) | (load<u64>(hart, H_MSTATUS) & MPP);
  const changed = load<u64>(hart, H_MSTATUS) ^ value;
  store<u64>(hart, value | XL64, H_MSTATUS);
  if (changed & (SUM | MXR | MPRV | MPP)) selectContexts(hart);
  if (changed & value & (SIE | MIE)) csrResync = true;
  if (changed & FS) csrResync = true;
}

/** SSIP is in the mailbox, where other harts set it too. */
function writePending(hart: usize, value: u64, mask: u64): void {
  if (mask & SSIP) {
    if (value & SSIP) atomic.or<u32>(hart, <u32>SSIP, H_IPI);
    else atomic.and<u32>(hart, ~(<u32>SSIP), H_IPI);
  }
  mask &= load<u64>(hart, H_MENVCFG) & STCE ? SEIP : SEIP | STIP;
  store<u64>(hart, (load<u64>(hart, H_MIP) & ~mask) | (value & mask), H_MIP);
  csrResync = true;
}

/** Accepts Bare and Sv39. Any other mode leaves satp unchanged (4.1.11). */
function writeSatp(hart: usize, value: u64): void {
  if (!satpAccessible(hart)) {
    illegalCsr();
    return;
  }
  const mode = value >> 60;
  if (mode != 0 && mode != 8) return;
  store<u64>(hart, mode == 0 ? 0 : value, H_SATP);
  selectContexts(hart);
  csrResync = true;
}

/**
 * A read for csrrs and csrrc must not include the external interrupt line in the value that is written back
 * to the software-writable SEIP (3.1.9).
 */
export function readForModify(hart: usize, n: u32): u64 {
  if (n == 0x344) return load<u64>(hart, H_MIP) | atomic.load<u32>(hart, H_IPI);
  return readCsr(hart, n);
}

export function clearCsrOutcome(): void {
  csrIllegal = false;
  csrResync = false;
}
