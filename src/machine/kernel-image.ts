/** Linux's RISC-V boot image (Documentation/arch/riscv/boot-image-header.rst) and where it goes in RAM. */
import { RAM_START } from '../../emulator-wasm/layout.ts';
import { GUEST_PAGE } from '../options/limits.mjs';
import { MachineError } from './errors.ts';
import { roundUp } from './memory.ts';

const HEADER_SIZE = 64;
const MAGIC2 = new TextEncoder().encode('RSC\x05');
const GZIP_MAGIC = [0x1f, 0x8b];
const FLAG_BIG_ENDIAN = 1n;
/** Alignment of the kernel, one large page (Documentation/arch/riscv/boot.rst). */
const KERNEL_ALIGNMENT = 0x20_0000;

export interface KernelHeader {
  /** Offset of the image from a 2 MiB boundary, in bytes. */
  readonly textOffset: number;
  /** Bytes that the running kernel needs, including its BSS. */
  readonly imageSize: number;
}

/** Guest physical addresses, end exclusive. */
export interface AddressRange {
  readonly start: number;
  readonly end: number;
}

/** @throws MachineError when the file is not a RISC-V Linux Image */
export function parseKernelHeader(file: Uint8Array): KernelHeader {
  if (GZIP_MAGIC.every((byte, index) => file[index] === byte)) {
    throw new MachineError('the kernel is compressed: give the uncompressed "Image"');
  }
  if (file.length < HEADER_SIZE || !MAGIC2.every((byte, index) => file[56 + index] === byte)) {
    throw new MachineError('the kernel is damaged, or no RISC-V Linux "Image"');
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const textOffset = Number(view.getBigUint64(8, true));
  const imageSize = Number(view.getBigUint64(16, true));
  if (view.getBigUint64(24, true) & FLAG_BIG_ENDIAN) throw new MachineError('the kernel is big-endian');
  if (imageSize < file.length || textOffset % KERNEL_ALIGNMENT !== 0) {
    throw new MachineError('the kernel is damaged: its header contradicts its size');
  }
  return { textOffset, imageSize };
}

/**
 * Places kernel, initial RAM disk and device tree in RAM, one above the other.
 * @param deviceTree makes the tree when the place of the initial RAM disk is known
 * @returns physical addresses of the kernel's entry, of the device tree, and of the end of all
 * @throws MachineError when the kernel is damaged or they do not fit
 */
export function loadLinux(
  ram: Uint8Array,
  kernel: Uint8Array,
  initrd: Uint8Array | undefined,
  deviceTree: (initrd?: AddressRange) => Uint8Array,
): { entry: number; deviceTree: number; end: number } {
  const { textOffset, imageSize } = parseKernelHeader(kernel);
  const place = (bytes: Uint8Array, address: number) => {
    const missing = address - RAM_START + bytes.length - ram.length;
    if (missing > 0) {
      throw new MachineError(
        `too little memory: kernel and initial RAM disk need ${Math.ceil(missing / 1024)} KiB more`,
      );
    }
    ram.set(bytes, address - RAM_START);
    return roundUp(address + bytes.length, GUEST_PAGE);
  };
  const entry = RAM_START + textOffset;
  place(kernel, entry);
  let free = roundUp(entry + imageSize, GUEST_PAGE);
  let range: AddressRange | undefined;
  if (initrd) {
    range = { start: free, end: free + initrd.length };
    free = place(initrd, free);
  }
  return { entry, deviceTree: free, end: place(deviceTree(range), free) };
}
