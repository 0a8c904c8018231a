/**
 * ns16550A with byte-wide registers. Sent bytes collect in a buffer that all harts share, which keeps their
 * order. Received bytes come from a ring that the host fills.
 */
import {
  M_POWER,
  POWER_RUNNING,
  UART_DLL,
  UART_DLM,
  UART_FCR,
  UART_IER,
  UART_LCR,
  UART_MCR,
  UART_RX_HEAD,
  UART_RX_RING,
  UART_RX_SIZE,
  UART_RX_TAIL,
  UART_SCR,
  UART_THRE_PENDING,
  UART_TX_BUFFER,
  UART_TX_LENGTH,
  UART_TX_LOCK,
  UART_TX_SIZE,
} from '../../layout';
import * as host from '../host';
import { sleepWhile, wakeAll } from '../mailbox';

const RBR_THR: u32 = 0;
const IER: u32 = 1;
const IIR_FCR: u32 = 2;
const LCR: u32 = 3;
const MCR: u32 = 4;
const LSR: u32 = 5;
const MSR: u32 = 6;
const SCR: u32 = 7;

const IER_RECEIVED: u32 = 1;
const IER_THR_EMPTY: u32 = 2;
const IER_MASK: u32 = 0x0f;
const IIR_NONE: u32 = 1;
const IIR_THR_EMPTY: u32 = 2;
const IIR_RECEIVED: u32 = 4;
const IIR_FIFOS: u32 = 0xc0;
const FCR_ENABLE: u32 = 1;
const FCR_CLEAR_RECEIVED: u32 = 2;
const LCR_DLAB: u32 = 0x80;
const MCR_LOOP: u32 = 0x10;
const MCR_MASK: u32 = 0x1f;
const LSR_DATA_READY: u32 = 0x01;
const LSR_THR_EMPTY: u32 = 0x20;
const LSR_TRANSMITTER_EMPTY: u32 = 0x40;
const MSR_CTS_DSR_DCD: u32 = 0xb0;

const NEWLINE: u8 = 0x0a;
const LOCK_WAIT_TICKS: f64 = 1_000;

function enabled(interrupts: u32): bool {
  return (atomic.load<u32>(UART_IER) & interrupts) != 0;
}

function hasReceived(): bool {
  return atomic.load<u32>(UART_RX_HEAD) != atomic.load<u32>(UART_RX_TAIL);
}

/** The pending interrupt with the highest priority, as IIR shows it. */
function interruptId(): u32 {
  if (enabled(IER_RECEIVED) && hasReceived()) return IIR_RECEIVED;
  if (enabled(IER_THR_EMPTY) && atomic.load<u32>(UART_THRE_PENDING) != 0) return IIR_THR_EMPTY;
  return IIR_NONE;
}

/** The level of the UART's interrupt line. */
export function uartInterrupt(): bool {
  return interruptId() != IIR_NONE;
}

/** Takes the next received byte; -1 if there is none. */
export function uartReceive(): i32 {
  let tail: u32;
  let byte: u8;
  do {
    tail = atomic.load<u32>(UART_RX_TAIL);
    if (atomic.load<u32>(UART_RX_HEAD) == tail) return -1;
    byte = atomic.load<u8>(UART_RX_RING + (tail % UART_RX_SIZE));
  } while (atomic.cmpxchg<u32>(UART_RX_TAIL, tail, tail + 1) != tail);
  return byte;
}

/** Returns false when the machine is off, because the lock's holder may have ended. */
function lockTransmitter(): bool {
  while (atomic.cmpxchg<u32>(UART_TX_LOCK, 0, 1) != 0) {
    if (atomic.load<u32>(M_POWER) != POWER_RUNNING) return false;
    sleepWhile(UART_TX_LOCK, 1, host.now() + LOCK_WAIT_TICKS);
  }
  return true;
}

function unlockTransmitter(): void {
  atomic.store<u32>(UART_TX_LOCK, 0);
  atomic.notify(UART_TX_LOCK, 1);
}

function send(length: u32): void {
  host.output(UART_TX_BUFFER, length);
  atomic.store<u32>(UART_TX_LENGTH, 0);
}

/** Sends one byte. The host sees it at the end of its line or of the quantum. */
export function uartTransmit(byte: u8): void {
  if (!lockTransmitter()) return;
  const length = atomic.load<u32>(UART_TX_LENGTH) + 1;
  atomic.store<u8>(UART_TX_BUFFER + length - 1, byte);
  if (byte == NEWLINE || length == UART_TX_SIZE) send(length);
  else atomic.store<u32>(UART_TX_LENGTH, length);
  unlockTransmitter();
}

/** Passes the collected bytes to the host. */
export function uartFlush(): void {
  if (atomic.load<u32>(UART_TX_LENGTH) == 0 || !lockTransmitter()) return;
  const length = atomic.load<u32>(UART_TX_LENGTH);
  if (length != 0) send(length);
  unlockTransmitter();
}

function divisorLatched(): bool {
  return (atomic.load<u32>(UART_LCR) & LCR_DLAB) != 0;
}

/** Reading IIR acknowledges the THRE interrupt that it shows. */
function readInterruptId(): u32 {
  const id = interruptId();
  if (id == IIR_THR_EMPTY) atomic.store<u32>(UART_THRE_PENDING, 0);
  return (atomic.load<u32>(UART_FCR) & FCR_ENABLE) != 0 ? id | IIR_FIFOS : id;
}

/** Loop-back connects the modem's inputs to its outputs: CTS to RTS, DSR to DTR, RI to OUT1, DCD to OUT2. */
function modemStatus(): u32 {
  const mcr = atomic.load<u32>(UART_MCR);
  if ((mcr & MCR_LOOP) == 0) return MSR_CTS_DSR_DCD;
  return ((mcr & 2) << 3) | ((mcr & 1) << 5) | ((mcr & 0xc) << 4);
}

export function uartRead(offset: u32): u32 {
  switch (offset) {
    case RBR_THR:
      if (divisorLatched()) return atomic.load<u32>(UART_DLL);
      return max(uartReceive(), 0);
    case IER:
      return divisorLatched() ? atomic.load<u32>(UART_DLM) : atomic.load<u32>(UART_IER);
    case IIR_FCR:
      return readInterruptId();
    case LCR:
      return atomic.load<u32>(UART_LCR);
    case MCR:
      return atomic.load<u32>(UART_MCR);
    case LSR:
      return LSR_THR_EMPTY | LSR_TRANSMITTER_EMPTY | (hasReceived() ? LSR_DATA_READY : 0);
    case MSR:
      return modemStatus();
    default:
      return atomic.load<u32>(UART_SCR);
  }
}

/** A byte sent in loop-back is dropped, because only the host writes to the ring of received bytes. */
function writeTransmitter(byte: u8): void {
  if ((atomic.load<u32>(UART_MCR) & MCR_LOOP) == 0) uartTransmit(byte);
  atomic.store<u32>(UART_THRE_PENDING, 1);
}

function writeInterruptEnable(value: u32): void {
  const old = atomic.xchg<u32>(UART_IER, value & IER_MASK);
  if ((value & ~old & IER_THR_EMPTY) != 0) atomic.store<u32>(UART_THRE_PENDING, 1);
}

/** Switching the FIFOs on or off also empties them. */
function writeFifoControl(value: u32): void {
  const old = atomic.xchg<u32>(UART_FCR, value & FCR_ENABLE);
  if ((value & FCR_CLEAR_RECEIVED) == 0 && ((value ^ old) & FCR_ENABLE) == 0) return;
  for (let count = UART_RX_SIZE; count > 0 && uartReceive() >= 0; count--) {}
}

export function uartWrite(offset: u32, byte: u8): void {
  switch (offset) {
    case RBR_THR:
      if (divisorLatched()) atomic.store<u32>(UART_DLL, byte);
      else writeTransmitter(byte);
      break;
    case IER:
      if (divisorLatched()) atomic.store<u32>(UART_DLM, byte);
      else writeInterruptEnable(byte);
      break;
    case IIR_FCR:
      writeFifoControl(byte);
      break;
    case LCR:
      atomic.store<u32>(UART_LCR, byte);
      break;
    case MCR:
      atomic.store<u32>(UART_MCR, byte & MCR_MASK);
      break;
    case SCR:
      atomic.store<u32>(UART_SCR, byte);
      break;
    default:
      return;
  }
  if (uartInterrupt()) wakeAll();
}
