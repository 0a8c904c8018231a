/** SiFive test finisher, and the only way in which the guest ends the machine. */
import { M_EXIT_CODE, M_POWER, POWER_FAIL, POWER_OFF, POWER_REBOOT, POWER_RUNNING } from '../../layout';
import { wakeAll } from '../mailbox';
import { uartFlush } from './uart';

const FAIL: u32 = 0x3333;
const PASS: u32 = 0x5555;
const RESET: u32 = 0x7777;

/** Ends the machine in `state` (POWER_*) unless it has ended already. `code` is for M_EXIT_CODE, or 0. */
export function powerOff(state: u32, code: u32): void {
  uartFlush();
  // Stored before M_POWER, because a reader that sees the state reads the code. The first code stays.
  atomic.cmpxchg<u32>(M_EXIT_CODE, 0, code);
  atomic.cmpxchg<u32>(M_POWER, POWER_RUNNING, state);
  wakeAll();
}

export function finisherWrite(offset: u32, value: u32): void {
  if (offset != 0) return;
  switch (value & 0xffff) {
    case FAIL:
      powerOff(POWER_FAIL, value >> 16);
      break;
    case PASS:
      powerOff(POWER_OFF, 0);
      break;
    case RESET:
      powerOff(POWER_REBOOT, 0);
      break;
  }
}
