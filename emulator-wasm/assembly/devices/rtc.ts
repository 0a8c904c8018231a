/** Goldfish RTC: nanoseconds since 1970 as two words, and an alarm. */
import { RTC_ALARM, RTC_ARMED, RTC_ENABLED, RTC_OFFSET, RTC_PENDING, RTC_TIME_HIGH } from '../../layout';
import { mtimeAfter, wallTime } from './clock';
import { wakeAll } from '../mailbox';

const TIME_LOW: u32 = 0x00;
const TIME_HIGH: u32 = 0x04;
const ALARM_LOW: u32 = 0x08;
const ALARM_HIGH: u32 = 0x0c;
const IRQ_ENABLED: u32 = 0x10;
const CLEAR_ALARM: u32 = 0x14;
const ALARM_STATUS: u32 = 0x18;
const CLEAR_INTERRUPT: u32 = 0x1c;

function time(hart: usize): u64 {
  return wallTime(hart) + atomic.load<u64>(RTC_OFFSET);
}

function setTime(hart: usize, nanoseconds: u64): void {
  atomic.store<u64>(RTC_OFFSET, nanoseconds - wallTime(hart));
}

function withLow(value: u64, low: u32): u64 {
  return (value & ~0xffff_ffff) | low;
}

function withHigh(value: u64, high: u32): u64 {
  return ((<u64>high) << 32) | <u64>(<u32>value);
}

/** The level of the RTC's interrupt line. */
export function rtcInterrupt(): bool {
  return (atomic.load<u32>(RTC_PENDING) & atomic.load<u32>(RTC_ENABLED)) != 0;
}

/** Fires the alarm if it is due. */
export function rtcTick(hart: usize): void {
  if (atomic.load<u32>(RTC_ARMED) == 0 || time(hart) < atomic.load<u64>(RTC_ALARM)) return;
  atomic.store<u32>(RTC_ARMED, 0);
  atomic.store<u32>(RTC_PENDING, 1);
  if (rtcInterrupt()) wakeAll();
}

/** The mtime at which the next `rtcTick` is due; u64.MAX_VALUE if no alarm is set. */
export function rtcDeadline(hart: usize): u64 {
  if (atomic.load<u32>(RTC_ARMED) == 0) return u64.MAX_VALUE;
  const alarm = atomic.load<u64>(RTC_ALARM);
  const now = time(hart);
  return mtimeAfter(hart, alarm > now ? alarm - now : 0);
}

export function rtcRead(hart: usize, offset: u32): u32 {
  switch (offset) {
    case TIME_LOW: {
      const now = time(hart);
      atomic.store<u32>(RTC_TIME_HIGH, <u32>(now >> 32));
      return <u32>now;
    }
    case TIME_HIGH:
      return atomic.load<u32>(RTC_TIME_HIGH);
    case ALARM_LOW:
      return <u32>atomic.load<u64>(RTC_ALARM);
    case ALARM_HIGH:
      return <u32>(atomic.load<u64>(RTC_ALARM) >> 32);
    case IRQ_ENABLED:
      return atomic.load<u32>(RTC_ENABLED);
    case ALARM_STATUS:
      return atomic.load<u32>(RTC_ARMED);
    default:
      return 0;
  }
}

export function rtcWrite(hart: usize, offset: u32, value: u32): void {
  switch (offset) {
    case TIME_LOW:
      setTime(hart, withLow(time(hart), value));
      break;
    case TIME_HIGH:
      setTime(hart, withHigh(time(hart), value));
      break;
    case ALARM_LOW:
      atomic.store<u64>(RTC_ALARM, withLow(atomic.load<u64>(RTC_ALARM), value));
      atomic.store<u32>(RTC_ARMED, 1);
      break;
    case ALARM_HIGH:
      atomic.store<u64>(RTC_ALARM, withHigh(atomic.load<u64>(RTC_ALARM), value));
      break;
    case IRQ_ENABLED:
      atomic.store<u32>(RTC_ENABLED, value & 1);
      break;
    case CLEAR_ALARM:
      atomic.store<u32>(RTC_ARMED, 0);
      break;
    case CLEAR_INTERRUPT:
      atomic.store<u32>(RTC_PENDING, 0);
      break;
    default:
      return;
  }
  rtcTick(hart);
  // A sleeping hart must compute again when the alarm is due, and whether the line is up.
  wakeAll();
}
