import { type BootFigures, Machine } from '../src/machine/machine.ts';
import type { Platform } from '../src/machine/platform/platform.ts';

export const MEMORY_MIB = 256;
export const KERNEL = 'kernel/Image';
export const INITRD = 'kernel/initramfs.cpio';

export const kernelFor = (cpus: number) => (cpus === 1 ? KERNEL : 'kernel/Image-smp');

/** Starts Linux with files that are loaded already, so that loading does not count as the machine's time. */
export async function startLinux(platform: Platform, cpus: number): Promise<Machine> {
  const [emulator, kernel, initrd] = await Promise.all([
    platform.loadEmulator(),
    platform.loadFile(kernelFor(cpus)),
    platform.loadFile(INITRD),
  ]);
  const size = { cpus, memoryBytes: MEMORY_MIB * 2 ** 20 };
  return Machine.start(platform, { emulator, kernel, initrd, ...size, commandLine: 'quiet' });
}

/** Boots Linux with one hart to the first line of PID 1, then stops the machine. */
export async function bootLinux(platform: Platform): Promise<BootFigures> {
  const machine = await startLinux(platform, 1);
  try {
    return await machine.booted;
  } finally {
    await machine.stop();
  }
}
