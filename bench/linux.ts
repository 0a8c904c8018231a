import { type BootFigures, Machine } from '../src/machine/machine.ts';
import type { Platform } from '../src/machine/platform/platform.ts';

export const BOOT_MEMORY_MIB = 256;
export const KERNEL = 'kernel/Image';
export const INITRD = 'kernel/initramfs.cpio';

/** Boots Linux with one hart up to the first line of PID 1, then pulls the plug. */
export async function bootLinux(platform: Platform): Promise<BootFigures> {
  const [emulator, kernel, initrd] = await Promise.all([
    platform.loadEmulator(),
    platform.loadFile(KERNEL),
    platform.loadFile(INITRD),
  ]);
  const options = { cpus: 1, memoryBytes: BOOT_MEMORY_MIB * 2 ** 20, commandLine: 'quiet' };
  const machine = await Machine.start(platform, { emulator, kernel, initrd, ...options });
  try {
    return await machine.booted;
  } finally {
    await machine.stop();
  }
}
