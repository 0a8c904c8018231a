import { VIRTIO_SOURCE, VIRTIO_START, VIRTIO_STRIDE } from '../../../../emulator-wasm/layout.ts';

/** The slots of QEMU's `virt` board, whose interrupt sources precede those of UART and RTC. */
const LOW_SLOTS = 8;
/** The first source after those of UART and RTC. */
const HIGH_SOURCE = 12;

/** Guest physical address of a virtio slot's registers. */
export function slotAddress(slot: number): number {
  return VIRTIO_START + slot * VIRTIO_STRIDE;
}

/** The PLIC source of a virtio slot. */
export function slotSource(slot: number): number {
  return slot < LOW_SLOTS ? VIRTIO_SOURCE + slot : HIGH_SOURCE + slot - LOW_SLOTS;
}
