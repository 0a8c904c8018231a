/** Which code is hot: samples of where the hart is, and reports to the translator. */
import {
  H_HOT_HEAD,
  H_HOT_SLOTS,
  H_HOT_TAIL,
  H_INSTRET,
  HOT_HASH,
  HOT_MAP,
  HOT_OFFSET,
  HOT_PAGE,
  HOT_SLOT_SIZE,
  HOT_SLOTS,
  M_MODE,
  MODE_FIRMWARE,
} from '../layout';
import * as host from './host';
import { PseudoOp } from './opcodes';
import { blockSlot, hashOf, pageOf, R_HEAT, R_PATIENCE } from './pages';
import { PAGE_MASK } from './state';
import { codeEntry, codeTlb } from './tlb';

/** In instructions. */
const STARTING: u64 = 150_000_000;
const EARLY: u64 = 200_000_000;
/** A page is reported after this many samples, and each further time after this many more. */
const FIRST_PATIENCE: u32 = 8;
const MORE_PATIENCE: u32 = 16;
const MOST_PATIENCE: u32 = 256;

let lastSampled: usize = 0;

/**
 * Notes that a quantum ended at `pc`, or that compiled code was left there. Code where that happens often is reported to
 * the translator. Early on only loops count, that is, pages in which two quanta end in a row: most programs do not run
 * the code of their first second long enough to repay its compilation. A booting Linux and a first short command do not
 * even repay the start of the translator.
 */
export function sample(hart: usize, pc: u64): void {
  const retired = load<u64>(hart, H_INSTRET);
  if (retired < STARTING && load<u32>(M_MODE) & MODE_FIRMWARE) return;
  const entry = codeEntry(codeTlb, pc);
  if (load<u64>(entry) != (pc & PAGE_MASK)) return;
  const record: usize = load<u32>(entry, 8);
  const again = record == lastSampled;
  lastSampled = record;
  if (!again && retired < EARLY) return;
  const offset = <u32>pc & 0xfff;
  const block: usize = load<u32>(blockSlot(record, offset));
  if (block == 0 || load<u16>(block) == PseudoOp.COMPILED) return;
  const heat = load<u32>(record, R_HEAT) + 1;
  const patience = max<u32>(load<u32>(record, R_PATIENCE), FIRST_PATIENCE);
  store<u32>(record, heat, R_HEAT);
  if (heat < patience || !report(hart, record, offset)) return;
  store<u32>(record, 0, R_HEAT);
  store<u32>(record, min<u32>(patience + MORE_PATIENCE, MOST_PATIENCE), R_PATIENCE);
}

/** Tells the translator of hot code; false if it has more than enough to do. */
export function report(hart: usize, record: usize, offset: u32): bool {
  const head = load<u32>(hart, H_HOT_HEAD);
  if (head - atomic.load<u32>(hart, H_HOT_TAIL) == HOT_SLOTS) return false;
  const slot = hart + H_HOT_SLOTS + (head % HOT_SLOTS) * HOT_SLOT_SIZE;
  store<u64>(slot, pageOf(record), HOT_PAGE);
  store<u64>(slot, hashOf(record), HOT_HASH);
  store<u32>(slot, offset, HOT_OFFSET);
  store<u32>(slot, blockSlot(record, 0), HOT_MAP);
  atomic.store<u32>(hart, head + 1, H_HOT_HEAD);
  host.hot();
  return true;
}
