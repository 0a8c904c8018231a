/** The guest's RAM, and where the machine keeps it. */
import { M_PAGE_FLAGS, M_RAM_BASE, M_RAM_SIZE, RAM_START } from '../layout';

export const PAGE_SIZE: u32 = 4096;
export const PAGE_MASK: u64 = ~0xfff;

/** Whether [pa, pa + size) is in guest RAM. */
@inline
export function inRam(pa: u64, size: u64): bool {
  const offset = pa - RAM_START;
  const ram = load<u64>(M_RAM_SIZE);
  return offset < ram && size <= ram - offset;
}
@inline
export function hostAddress(pa: u64): usize {
  return load<u32>(M_RAM_BASE) + <usize>(pa - RAM_START);
}

/** The host's address of the flags of the page with `pa`. */
@inline
export function pageFlags(pa: u64): usize {
  return load<u32>(M_PAGE_FLAGS) + <usize>((pa - RAM_START) >> 12);
}
