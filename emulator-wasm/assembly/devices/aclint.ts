/** RISC-V ACLINT: MSWI (one msip word per hart) and MTIMER (one mtimecmp per hart, one mtime). */
import { H_IPI, H_MTIMECMP, M_HARTS } from '../../layout';
import { mtime, setMtime } from './clock';
import { hartBlock, wake, wakeAll } from '../mailbox';

export const MTIMER: u32 = 0x4000;
const MTIME: u32 = 0xbff8;

const MSIP: u32 = 1 << 3;

/** The address of the block of hart `index`; 0 if there is no such hart. */
function existingHart(index: u32): usize {
  return index < load<u32>(M_HARTS) ? hartBlock(index) : 0;
}

export function mswiRead(offset: u32): u32 {
  const target = existingHart(offset >> 2);
  return target != 0 && (atomic.load<u32>(target, H_IPI) & MSIP) != 0 ? 1 : 0;
}

export function mswiWrite(offset: u32, value: u32): void {
  const target = existingHart(offset >> 2);
  if (target == 0) return;
  if ((value & 1) != 0) {
    atomic.or<u32>(target, MSIP, H_IPI);
    wake(target);
  } else {
    atomic.and<u32>(target, ~MSIP, H_IPI);
  }
}

/** Reads the register at `offset` of the ACLINT. `size` is 4 or 8 bytes. */
export function mtimerRead(hart: usize, offset: u32, size: i32): u64 {
  const value = register(hart, offset & ~7) >> ((offset & 4) << 3);
  return size == 8 ? value : <u64>(<u32>value);
}

export function mtimerWrite(hart: usize, offset: u32, size: i32, value: u64): void {
  const address = offset & ~7;
  const written = size == 8 ? value : replaceHalf(register(hart, address), (offset & 4) << 3, <u32>value);
  if (address == MTIME) {
    setMtime(hart, written);
    wakeAll();
    return;
  }
  const target = existingHart((address - MTIMER) >> 3);
  if (target == 0) return;
  atomic.store<u64>(target, written, H_MTIMECMP);
  wake(target);
}

function register(hart: usize, address: u32): u64 {
  if (address == MTIME) return mtime(hart);
  const target = existingHart((address - MTIMER) >> 3);
  return target != 0 ? atomic.load<u64>(target, H_MTIMECMP) : 0;
}

function replaceHalf(old: u64, shift: u32, half: u32): u64 {
  return (old & ~((<u64>0xffff_ffff) << shift)) | ((<u64>half) << shift);
}
