/** Accesses to physical addresses outside RAM: selects the device and checks the width. */
import {
  ACLINT_START,
  FINISHER_START,
  PLIC_START,
  RTC_START,
  UART_START,
  V_CONFIG_SIZE,
  VIRTIO_SLOTS,
  VIRTIO_START,
  VIRTIO_STRIDE,
} from '../../layout';
import { MTIMER, mswiRead, mswiWrite, mtimerRead, mtimerWrite } from './aclint';
import { finisherWrite } from './finisher';
import { plicRead, plicWrite } from './plic';
import { rtcRead, rtcWrite } from './rtc';
import { uartRead, uartWrite } from './uart';
import { virtioConfigRead, virtioConfigWrite, virtioRead, virtioWrite } from './virtio-mmio';

const FINISHER_SIZE: u64 = 0x1000;
const RTC_SIZE: u64 = 0x24;
const ACLINT_SIZE: u64 = 0xc000;
const PLIC_SIZE: u64 = 0x60_0000;
const UART_SIZE: u64 = 8;
const VIRTIO_SIZE: u64 = VIRTIO_SLOTS * VIRTIO_STRIDE;
const VIRTIO_CONFIG: u32 = 0x100;

// Access widths in bytes, which are bits of a set of widths.
const BYTE = 1;
const HALF = 2;
const WORD = 4;
const DOUBLE = 8;

/** Whether the last access by this hart failed, because nothing is there or the width is not allowed. */
export let busFault: bool = false;

/** Notes a fault unless the access has one of the allowed widths. */
function allows(widths: i32, size: i32): bool {
  busFault = (widths & size) == 0;
  return !busFault;
}

/** Reads `size` (1, 2, 4 or 8) bytes at a naturally aligned address outside RAM. Sets `busFault`. */
export function busRead(hart: usize, pa: u64, size: i32): u64 {
  const aligned = (pa & (size - 1)) == 0;
  if (!aligned) return fault();
  if (pa - PLIC_START < PLIC_SIZE) {
    return allows(WORD, size) ? plicRead(<u32>(pa - PLIC_START)) : 0;
  }
  if (pa - VIRTIO_START < VIRTIO_SIZE) return readVirtio(<u32>(pa - VIRTIO_START), size);
  if (pa - UART_START < UART_SIZE) {
    return allows(BYTE | HALF | WORD | DOUBLE, size) ? uartRead(<u32>(pa - UART_START)) : 0;
  }
  if (pa - ACLINT_START < ACLINT_SIZE) return readAclint(hart, <u32>(pa - ACLINT_START), size);
  if (pa - RTC_START < RTC_SIZE) {
    return allows(WORD, size) ? rtcRead(hart, <u32>(pa - RTC_START)) : 0;
  }
  // The finisher reads as zero.
  const answered = pa - FINISHER_START < FINISHER_SIZE && allows(HALF | WORD, size);
  return answered ? 0 : fault();
}

/** Writes the low `size` bytes of `value`. Otherwise like `busRead`. */
export function busWrite(hart: usize, pa: u64, size: i32, value: u64): void {
  const aligned = (pa & (size - 1)) == 0;
  if (!aligned) {
    fault();
  } else if (pa - PLIC_START < PLIC_SIZE) {
    if (allows(WORD, size)) plicWrite(<u32>(pa - PLIC_START), <u32>value);
  } else if (pa - VIRTIO_START < VIRTIO_SIZE) {
    writeVirtio(<u32>(pa - VIRTIO_START), size, <u32>value);
  } else if (pa - UART_START < UART_SIZE) {
    if (allows(BYTE | HALF | WORD | DOUBLE, size)) uartWrite(<u32>(pa - UART_START), <u8>value);
  } else if (pa - ACLINT_START < ACLINT_SIZE) {
    writeAclint(hart, <u32>(pa - ACLINT_START), size, value);
  } else if (pa - RTC_START < RTC_SIZE) {
    if (allows(WORD, size)) rtcWrite(hart, <u32>(pa - RTC_START), <u32>value);
  } else if (pa - FINISHER_START < FINISHER_SIZE) {
    if (!allows(HALF | WORD, size)) return;
    finisherWrite(<u32>(pa - FINISHER_START), size == HALF ? <u16>value : <u32>value);
  } else {
    fault();
  }
}

function fault(): u64 {
  busFault = true;
  return 0;
}

function readAclint(hart: usize, offset: u32, size: i32): u64 {
  if (offset < MTIMER) return allows(WORD, size) ? mswiRead(offset) : 0;
  return allows(WORD | DOUBLE, size) ? mtimerRead(hart, offset, size) : 0;
}

function writeAclint(hart: usize, offset: u32, size: i32, value: u64): void {
  if (offset < MTIMER) {
    if (allows(WORD, size)) mswiWrite(offset, <u32>value);
  } else if (allows(WORD | DOUBLE, size)) mtimerWrite(hart, offset, size, value);
}

function readVirtio(offset: u32, size: i32): u64 {
  const slot = offset / VIRTIO_STRIDE;
  const register = offset % VIRTIO_STRIDE;
  if (register < VIRTIO_CONFIG) return allows(WORD, size) ? virtioRead(slot, register) : 0;
  if (!allows(configWidths(register), size)) return 0;
  return virtioConfigRead(slot, register - VIRTIO_CONFIG, size);
}

function writeVirtio(offset: u32, size: i32, value: u32): void {
  const slot = offset / VIRTIO_STRIDE;
  const register = offset % VIRTIO_STRIDE;
  if (register < VIRTIO_CONFIG) {
    if (allows(WORD, size)) virtioWrite(slot, register, value);
  } else if (allows(configWidths(register), size)) {
    virtioConfigWrite(slot, register - VIRTIO_CONFIG, size, value);
  }
}

/** Nothing answers after the configuration space. */
function configWidths(register: u32): i32 {
  return register < VIRTIO_CONFIG + V_CONFIG_SIZE ? BYTE | HALF | WORD : 0;
}
