/** SiFive PLIC 1.0.0: 31 level-triggered sources, contexts 2n (M-mode) and 2n + 1 (S-mode) of hart n. */
import {
  H_ID,
  M_HARTS,
  PLIC_CLAIMED,
  PLIC_CONTEXT_STRIDE,
  PLIC_CONTEXTS,
  PLIC_LEVEL,
  PLIC_PRIORITY,
  PLIC_SOURCES,
  RTC_IRQ,
  UART_IRQ,
} from '../../layout';
import { wakeAll } from '../mailbox';
import { rtcInterrupt } from './rtc';
import { uartInterrupt } from './uart';

// Register map.
const PENDING: u32 = 0x1000;
const ENABLES: u32 = 0x2000;
const ENABLE_SHIFT: u32 = 7;
const CONTEXTS: u32 = 0x20_0000;
const CONTEXT_SHIFT: u32 = 12;
const THRESHOLD: u32 = 0;
const CLAIM: u32 = 4;

const MAX_PRIORITY: u32 = 7;
const MEIP: u32 = 1 << 11;
const SEIP: u32 = 1 << 9;

// Words of a context.
const C_ENABLE: usize = 0;
const C_THRESHOLD: usize = 4;

/** The lines of devices inside the core are computed from their state, so no raise or lower can be lost. */
function levels(): u32 {
  return atomic.load<u32>(PLIC_LEVEL) | (u32(uartInterrupt()) << UART_IRQ) | (u32(rtcInterrupt()) << RTC_IRQ);
}

function pending(): u32 {
  return levels() & ~atomic.load<u32>(PLIC_CLAIMED);
}

/**
 * The source with the highest priority above `floor`, and the lowest number among equals; 0 if there is none.
 */
function highest(sources: u32, floor: u32): u32 {
  let best: u32 = 0;
  let bestPriority = floor;
  for (; sources != 0; sources &= sources - 1) {
    const source = ctz(sources);
    const priority = atomic.load<u32>(PLIC_PRIORITY + 4 * source);
    if (priority > bestPriority) {
      best = source;
      bestPriority = priority;
    }
  }
  return best;
}

function interrupts(context: usize, sources: u32): bool {
  const enabled = sources & atomic.load<u32>(context, C_ENABLE);
  return enabled != 0 && highest(enabled, atomic.load<u32>(context, C_THRESHOLD)) != 0;
}

/** The external interrupt bits of mip, MEIP and SEIP, that the PLIC drives at this hart. */
export function plicPending(hart: usize): u32 {
  const sources = pending();
  if (sources == 0) return 0;
  const machine: usize = PLIC_CONTEXTS + 2 * load<u32>(hart, H_ID) * PLIC_CONTEXT_STRIDE;
  const supervisor = machine + PLIC_CONTEXT_STRIDE;
  return (interrupts(machine, sources) ? MEIP : 0) | (interrupts(supervisor, sources) ? SEIP : 0);
}

export function plicRaise(source: u32): void {
  atomic.or<u32>(PLIC_LEVEL, 1 << source);
  wakeAll();
}

export function plicLower(source: u32): void {
  atomic.and<u32>(PLIC_LEVEL, ~(1 << source));
}

/** "The claim operation is not affected by the setting of the priority threshold register." */
function claim(context: usize): u32 {
  let claimed: u32;
  let source: u32;
  do {
    claimed = atomic.load<u32>(PLIC_CLAIMED);
    source = highest(levels() & ~claimed & atomic.load<u32>(context, C_ENABLE), 0);
  } while (source != 0 && atomic.cmpxchg<u32>(PLIC_CLAIMED, claimed, claimed | (1 << source)) != claimed);
  return source;
}

/** The specification says that a completion of a source that is not enabled for the context is ignored. */
function complete(context: usize, source: u32): void {
  if (source >= <u32>PLIC_SOURCES) return;
  const bit: u32 = 1 << source;
  if ((atomic.load<u32>(context, C_ENABLE) & bit) == 0) return;
  atomic.and<u32>(PLIC_CLAIMED, ~bit);
}

/** The address of the words of context `number`; 0 if there is no such context. */
function contextBlock(number: u32): usize {
  return number < 2 * load<u32>(M_HARTS) ? <usize>(PLIC_CONTEXTS + number * PLIC_CONTEXT_STRIDE) : 0;
}

export function plicRead(offset: u32): u32 {
  if (offset < PENDING) {
    return offset < 4 * PLIC_SOURCES ? atomic.load<u32>(PLIC_PRIORITY + offset) : 0;
  }
  if (offset < ENABLES) return offset == PENDING ? pending() : 0;
  if (offset < CONTEXTS) {
    const context = enableContext(offset);
    return context != 0 ? atomic.load<u32>(context, C_ENABLE) : 0;
  }
  const context = contextBlock((offset - CONTEXTS) >> CONTEXT_SHIFT);
  if (context == 0) return 0;
  const register = offset & ((1 << CONTEXT_SHIFT) - 1);
  if (register == THRESHOLD) return atomic.load<u32>(context, C_THRESHOLD);
  return register == CLAIM ? claim(context) : 0;
}

export function plicWrite(offset: u32, value: u32): void {
  if (offset < PENDING) {
    if (offset == 0 || offset >= 4 * PLIC_SOURCES) return;
    atomic.store<u32>(PLIC_PRIORITY + offset, value & MAX_PRIORITY);
  } else if (offset < ENABLES) {
    return;
  } else if (offset < CONTEXTS) {
    const context = enableContext(offset);
    if (context == 0) return;
    atomic.store<u32>(context, value & ~1, C_ENABLE);
  } else {
    const context = contextBlock((offset - CONTEXTS) >> CONTEXT_SHIFT);
    if (context == 0) return;
    const register = offset & ((1 << CONTEXT_SHIFT) - 1);
    if (register == THRESHOLD) atomic.store<u32>(context, value & MAX_PRIORITY, C_THRESHOLD);
    else if (register == CLAIM) complete(context, value);
  }
  // A masked or claimed source may now interrupt a sleeping hart.
  if (pending() != 0) wakeAll();
}

/** The context whose enable word for sources 0 to 31 is at `offset`; 0 if there is none. */
function enableContext(offset: u32): usize {
  const inContext = offset & ((1 << ENABLE_SHIFT) - 1);
  return inContext == 0 ? contextBlock((offset - ENABLES) >> ENABLE_SHIFT) : 0;
}
