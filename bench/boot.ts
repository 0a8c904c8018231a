import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { processTime } from './threads.ts';

/** The line that PID 1 prints first of all. */
export const INIT_STARTED = 'LinuxRun: init started';
export const BOOT_MEMORY_MIB = 256;
export const KERNEL = 'kernel/Image';
export const INITRD = 'kernel/initramfs.cpio';

const PUBLIC = join(import.meta.dirname, '../public');
const TIMEOUT = 60_000;

/** What it cost from the start of the virtual machine to the first line of PID 1, in seconds. */
export interface BootSample {
  elapsed: number;
  /** Processor time of all the emulator's threads. */
  cpu: number;
}

const QEMU = [
  ...[
    '-M',
    'virt',
    '-m',
    `${BOOT_MEMORY_MIB}M`,
    '-kernel',
    join(PUBLIC, KERNEL),
    '-initrd',
    join(PUBLIC, INITRD),
  ],
  ...['-append', 'console=hvc0 quiet', '-display', 'none', '-serial', 'none', '-monitor', 'none'],
  ...['-global', 'virtio-mmio.force-legacy=false', '-device', 'virtio-serial-device'],
  ...['-chardev', 'stdio,id=console', '-device', 'virtconsole,chardev=console'],
];

/** Boots the kernel in a fresh qemu-system-riscv64, its firmware included. */
export function bootInQemu(): Promise<BootSample> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const qemu = spawn('qemu-system-riscv64', QEMU, {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: TIMEOUT,
    });
    let output = '';
    qemu.stdout.setEncoding('utf8').on('data', (text: string) => {
      const before = output.includes(INIT_STARTED);
      output += text;
      if (before || !output.includes(INIT_STARTED)) return;
      const elapsed = (performance.now() - start) / 1000;
      resolve({ elapsed, cpu: processTime(qemu.pid as number) });
      qemu.kill('SIGKILL');
    });
    qemu.on('error', reject);
    qemu.on('exit', () => reject(new Error(`QEMU ended before PID 1 started: ${output}`)));
  });
}
