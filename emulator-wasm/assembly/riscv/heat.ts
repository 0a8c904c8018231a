/**
 * Decides which code is compiled: samples the hart's position, keeps the credit, and reports to the
 * translator.
 */
import {
  COMPILE_PRICE,
  H_COMPILED,
  H_HOT_HEAD,
  H_HOT_SLOTS,
  H_HOT_TAIL,
  H_ID,
  H_INSTRET,
  HOT_ADDRESS,
  HOT_HASH,
  HOT_JUMPS,
  HOT_PAGE,
  HOT_RECORD,
  HOT_SLOT_SIZE,
  HOT_SLOTS,
  M_CREDIT,
  M_MODE,
  MODE_FIRMWARE,
  MOST_DEBT,
  REGION_PRICE,
} from '../../layout';
import * as host from '../host';
import { PseudoOp } from './opcodes';
import { blockSlot, hashOf, pageOf, R_HEAT, R_PATIENCE, R_REWRITES, R_WINDOW } from './pages';
import { PAGE_MASK, PAGE_SIZE } from '../ram';
import { enterStored, hasStored, isDue, noteQuantum, resetStored } from './stored';
import { codeEntry, codeTlb } from './tlb';

/** In instructions. A machine that has booted before is beyond both. */
const STARTING: u64 = 100_000_000;
const EARLY: u64 = 150_000_000;
/** A page is reported after this many samples, and each further time after this many more. */
const FIRST_PATIENCE: u32 = 8;
const MORE_PATIENCE: u32 = 16;
const MOST_PATIENCE: u32 = 256;
/** The patience doubles with each rewrite of the page, up to this many times, and halves with each window. */
const MOST_DOUBLINGS: u32 = 5;
/** log2 of the instructions in a window. In wide programs heat halves with each window. */
const WINDOW_SHIFT: u64 = 24;
/** A page that was never warm has window 0, and is fresh. */
const FIRST_WINDOW: u64 = 3;
/** A program whose width is greater is wide. Each STEP pages more add the patience once more. */
const NARROW: u32 = 128;
const STEP: u32 = 2;
/**
 * A fresh page counts this many times more: a program that goes on to new code all the time does not repay
 * it.
 */
const FRESH: u32 = 4;
/** Each window lends LEND for every page by which its width is below BREAK_EVEN, or takes back as much. */
const BREAK_EVEN: i64 = 160;
const LEND: i64 = 200 * COMPILE_PRICE;
/** The credit that a wide program has to earn before any of its code is compiled. */
const RESERVE: i64 = 5_000 * COMPILE_PRICE;
/** The most that is lent, to narrow programs only, and the most that is saved. */
const MOST_LOAN: i64 = MOST_DEBT;
const MOST_CREDIT: i64 = MOST_DEBT;
/** log2 of the retired instructions that earn one of credit. In compiled code each earns one more. */
const INCOME_SHIFT: u64 = 4;
/** The instructions of a quantum, and of one after a quantum of which at least 63/64 ran in compiled code. */
const QUANTUM: i32 = 8192;
const COMPILED_QUANTUM: i32 = 32_768;
const INTERPRETED_SHIFT: u64 = 6;

let lastSampled: usize = 0;
let lastRetired: u64 = 0;
let lastCompiled: u64 = 0;
let window: u32 = 0;
/** Pages that were warm in this window, and in windows before, which count a quarter less with each. */
let warm: u32 = 0;
let warmBefore: u32 = 0;
/** The warm pages of this window that were not warm in the two windows before. */
let fresh: u32 = 0;
/** Below zero, the program first has to be narrow for longer. */
let loan: i64 = 0;
/** Instructions between checks of the clock, the interrupt lines and the mailbox. */
export let quantum: i32 = QUANTUM;

export function resetHeat(hart: usize): void {
  lastSampled = 0;
  lastRetired = load<u64>(hart, H_INSTRET);
  lastCompiled = load<u64>(hart, H_COMPILED);
  window = 0;
  warm = 0;
  warmBefore = 0;
  fresh = 0;
  loan = 0;
  quantum = QUANTUM;
  resetStored();
  if (load<u32>(hart, H_ID) == 0) atomic.store<i64>(M_CREDIT, 0);
}

/**
 * Earns credit for the quantum that has ended. Compiled code earns the most, because compiling has returned
 * it. The next quantum is longer where samples show little, because its end costs as much as a thousand
 * instructions of compiled code.
 */
export function earn(hart: usize): void {
  const retired = load<u64>(hart, H_INSTRET) - lastRetired;
  const compiled = load<u64>(hart, H_COMPILED) - lastCompiled;
  lastRetired += retired;
  lastCompiled += compiled;
  quantum = retired - compiled <= retired >> INTERPRETED_SHIFT ? COMPILED_QUANTUM : QUANTUM;
  if (isBooting(lastRetired, STARTING)) return;
  const income = (retired >> INCOME_SHIFT) + compiled;
  if (atomic.load<i64>(M_CREDIT) < MOST_CREDIT) atomic.add<i64>(M_CREDIT, income);
}

/**
 * Notes that a quantum ended at `pc`, or that compiled code was left there. Code where that happens often is
 * reported to the translator. Early on only loops count, that is, pages in which two quanta end in a row:
 * most programs do not run the code of their first second long enough to repay its compilation. A booting
 * Linux and a first short command do not even repay the start of the translator.
 */
export function sample(hart: usize, pc: u64, endsQuantum: bool): void {
  const retired = load<u64>(hart, H_INSTRET);
  const starting = isBooting(retired, STARTING);
  const stored = hasStored();
  if (starting && !stored) return;
  pc = skipStraddle(pc);
  const record = recordOf(pc);
  if (record == 0) return;
  const again = record == lastSampled;
  lastSampled = record;
  if (stored && endsQuantum) noteQuantum(record);
  const offset = <u32>pc & 0xfff;
  const block: usize = load<u32>(blockSlot(record, offset));
  if (block == 0 || load<u16>(block) == PseudoOp.COMPILED) return;
  if (starting) return;
  noteWindow(record, <u32>(FIRST_WINDOW + (retired >> WINDOW_SHIFT)));
  if (stored && hasFewPages() && isDue(record) && enterStored(record)) return;
  if (!again && isBooting(retired, EARLY)) return;
  const heat = load<u32>(record, R_HEAT) + 1;
  store<u32>(record, heat, R_HEAT);
  if (heat < patienceOf(record)) return;
  if (!enterStored(record) && !(isAffordable() && report(hart, record, pc))) return;
  store<u32>(record, 0, R_HEAT);
  store<u32>(record, min<u32>(basePatience(record) + MORE_PATIENCE, MOST_PATIENCE), R_PATIENCE);
}

/** The record of the page with `pc` if the page TLB has it, or 0. */
@inline
function recordOf(pc: u64): usize {
  const entry = codeEntry(codeTlb, pc);
  return load<u64>(entry) == (pc & PAGE_MASK) ? load<u32>(entry, 8) : 0;
}

/**
 * Returns the address after an instruction that begins in the last two bytes of a page. The interpreter
 * executes it by itself, and can enter compiled code there.
 */
function skipStraddle(pc: u64): u64 {
  const last = PAGE_SIZE - 2;
  const record = (<u32>pc & 0xfff) == last ? recordOf(pc) : 0;
  if (record == 0) return pc;
  const block: usize = load<u32>(blockSlot(record, last));
  return block && load<u16>(block) == PseudoOp.STRADDLE ? pc + 4 : pc;
}

/** Whether fewer instructions than `least` are retired, on a machine that boots Linux. */
@inline
function isBooting(retired: u64, least: u64): bool {
  return retired < least && (load<u32>(M_MODE) & MODE_FIRMWARE) != 0;
}

/** Counts the page among those that are warm in this window. */
function noteWindow(record: usize, now: u32): void {
  if (now != window) {
    const more = (BREAK_EVEN - <i64>windowWidth()) * LEND;
    loan = max<i64>(-MOST_LOAN, min<i64>(loan + more, MOST_LOAN));
    warmBefore = max<u32>(warm, warmBefore - (warmBefore >> 2));
    warm = 0;
    fresh = 0;
    window = now;
  }
  const age = now - load<u32>(record, R_WINDOW);
  if (age == 0) return;
  warm++;
  if (age > 2) fresh++;
  store<u32>(record, now, R_WINDOW);
  const doublings = min<u32>(load<u32>(record, R_REWRITES), MOST_DOUBLINGS);
  store<u32>(record, doublings > age ? doublings - age : 0, R_REWRITES);
  if (isWide()) store<u32>(record, load<u32>(record, R_HEAT) >> min<u32>(age, 31), R_HEAT);
}

@inline
function windowWidth(): u32 {
  return warm + FRESH * fresh;
}

@inline
function width(): u32 {
  return max<u32>(windowWidth(), warmBefore);
}

@inline
function isWide(): bool {
  return width() > NARROW;
}

/** Whether the program would be narrow if none of its pages were fresh. */
@inline
function hasFewPages(): bool {
  return max<u32>(warm, warmBefore) <= NARROW;
}

/** Narrow programs may owe: the code that they need is bounded, and mostly repays. */
function isAffordable(): bool {
  return atomic.load<i64>(M_CREDIT) > (isWide() ? RESERVE : -max<i64>(loan, 0));
}

@inline
function basePatience(record: usize): u32 {
  return max<u32>(load<u32>(record, R_PATIENCE), FIRST_PATIENCE);
}

/**
 * How hot the page has to be. Compilation repays less in pages that are written again and again, and in
 * programs with many warm pages.
 */
function patienceOf(record: usize): u32 {
  const patience = basePatience(record) << min<u32>(load<u32>(record, R_REWRITES), MOST_DOUBLINGS);
  return isWide() ? patience + (patience * (width() - NARROW)) / STEP : patience;
}

/** Tells the translator of hot code; false if it has more than enough to do. */
export function report(hart: usize, record: usize, pc: u64): bool {
  const head = load<u32>(hart, H_HOT_HEAD);
  if (head - atomic.load<u32>(hart, H_HOT_TAIL) == HOT_SLOTS) return false;
  const slot = hart + H_HOT_SLOTS + (head % HOT_SLOTS) * HOT_SLOT_SIZE;
  store<u64>(slot, pageOf(record), HOT_PAGE);
  store<u64>(slot, hashOf(record), HOT_HASH);
  store<u64>(slot, pc, HOT_ADDRESS);
  store<u32>(slot, record, HOT_RECORD);
  store<u32>(slot, codeTlb, HOT_JUMPS);
  atomic.sub<i64>(M_CREDIT, REGION_PRICE);
  atomic.store<u32>(hart, head + 1, H_HOT_HEAD);
  host.hot();
  return true;
}
