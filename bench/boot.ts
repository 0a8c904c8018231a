import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nodePlatform } from '../src/machine/platform/node.ts';
import { INIT_STARTED } from '../src/machine/protocol.ts';
import { BOOT_MEMORY_MIB, bootLinux, INITRD, KERNEL } from './linux.ts';
import { processTime } from './threads.ts';

const run = promisify(execFile);

const PUBLIC = join(import.meta.dirname, '../public');
const TIMEOUT = 60_000;

/** What it cost from the start of the virtual machine to the first line of PID 1, in seconds. */
export interface BootSample {
  elapsed: number;
  /** Processor time of all the emulator's threads. */
  cpu: number;
  /** Guest instructions; 0 when the emulator does not count them. */
  instructions: number;
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
      resolve({ elapsed, cpu: processTime(qemu.pid as number), instructions: 0 });
      qemu.kill('SIGKILL');
    });
    qemu.on('error', reject);
    qemu.on('exit', () => reject(new Error(`QEMU ended before PID 1 started: ${output}`)));
  });
}

/**
 * Boots the kernel in a fresh Node: in one that has booted before, the core is optimised already.
 * @param command that makes this program call `bootHere`
 */
export async function bootInNode(command: string): Promise<BootSample> {
  const program = [...process.execArgv, process.argv[1] as string, command];
  const { stdout } = await run(process.execPath, program, { timeout: TIMEOUT });
  return JSON.parse(stdout);
}

/** Boots the kernel in this process. */
export async function bootHere(): Promise<BootSample> {
  const before = process.cpuUsage();
  const { seconds, instructions } = await bootLinux(nodePlatform(PUBLIC));
  const { user, system } = process.cpuUsage(before);
  return { elapsed: seconds, cpu: (user + system) / 1e6, instructions };
}
