/** Berkeley's host-target interface, by which bare-metal conformance programs end. */
import { M_TOHOST, POWER_CALL, POWER_FAIL, POWER_OFF } from '../../layout';
import { powerOff } from './finisher';
import { uartTransmit } from './uart';
import { hostAddress, inRam } from '../ram';

const CONSOLE: u64 = 1;
const PUTCHAR: u64 = 1;
/** A system call: its number, arguments and result, 8 bytes each. */
const CALL_SIZE: u64 = 64;

/** Whether stores to this page must be checked. */
@inline
export function isHtifPage(page: u64): bool {
  const tohost = load<u64>(M_TOHOST);
  return tohost != 0 && (tohost & ~0xfff) == page;
}

/** Called after a store to [pa, pa + size) in that page. Returns whether it was a command. */
export function htifStore(pa: u64, size: u32): bool {
  const tohost = load<u64>(M_TOHOST);
  if (pa + size <= tohost || pa >= tohost + 8) return false;
  const value = load<u64>(hostAddress(tohost));
  const device = value >> 56;
  const command = (value >> 48) & 0xff;
  if (device == 0 && value & 1) {
    const code = <u32>(value >> 1);
    powerOff(code == 0 ? POWER_OFF : POWER_FAIL, code);
  } else if (device == CONSOLE && command == PUTCHAR) {
    uartTransmit(<u8>value);
    store<u64>(hostAddress(tohost), 0);
  } else if (!(value & 7) && inRam(value, CALL_SIZE)) {
    // The program would wait for an answer forever.
    powerOff(POWER_CALL, load<u32>(hostAddress(value)));
  }
  return true;
}
