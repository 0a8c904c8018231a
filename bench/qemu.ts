import { join } from 'node:path';
import { kernelFor, MEMORY_MIB } from './linux.ts';
import { PUBLIC } from './platform.ts';
import { runTimed } from './process.ts';
import { parseReport, type Sample } from './sample.ts';
import type { Workload } from './workloads.ts';

/** Runs a workload in a fresh qemu-system-riscv64. The processor time includes QEMU's start-up. */
export async function runInQemu({ name, path }: Workload): Promise<Sample> {
  const machine = ['-M', 'virt', '-m', '128M', '-bios', 'none', '-kernel', path, '-nographic'];
  const { stdout, cpu } = await runTimed('qemu-system-riscv64', machine);
  return { ...parseReport(name, stdout), cpu };
}

/**
 * Returns QEMU's arguments for Linux on a machine with the same devices as ours, and with Sv39, which is all
 * that our harts have: Java refuses to start with QEMU's Sv57. The console is on stdout.
 * @param commandLine appended to our kernel command line
 * @param disks paths of raw files, for virtio-blk
 */
export function qemuLinux(
  initrd: string,
  commandLine: string,
  disks: readonly string[] = [],
  { memoryMib = MEMORY_MIB, cpus = 1 } = {},
): string[] {
  return [
    ...['-M', 'virt', '-m', `${memoryMib}M`, '-smp', `${cpus}`, '-accel', 'tcg,thread=multi'],
    ...['-kernel', join(PUBLIC, kernelFor(cpus)), '-initrd', initrd],
    ...['-append', `console=hvc0 quiet no4lvl ${commandLine}`],
    ...['-display', 'none', '-serial', 'none', '-monitor', 'none', '-no-reboot'],
    ...['-global', 'virtio-mmio.force-legacy=false', '-device', 'virtio-serial-device'],
    ...['-chardev', 'stdio,id=console', '-device', 'virtconsole,chardev=console'],
    ...disks.flatMap((file, i) => [
      ...['-drive', `file=${file},format=raw,if=none,id=disk${i}`],
      ...['-device', `virtio-blk-device,drive=disk${i}`],
    ]),
  ];
}
