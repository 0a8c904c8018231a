import { write } from '../cli/program.ts';
import type { Machine } from '../machine/machine.ts';

const KIB = 1024;
const MIB = 2 ** 20;

/** Prints the cost of booting, and the memory that the guest kernel takes. */
export async function printReport(machine: Machine): Promise<number> {
  const boot = await machine.booted;
  const meminfo = await read(machine, '/proc/meminfo');
  const iomem = await read(machine, '/proc/iomem');
  const available = kilobytes(meminfo, 'MemTotal');
  const slab = kilobytes(meminfo, 'Slab');
  const [, start = '0', end = '0'] = /(\w+)-(\w+) : Kernel code/.exec(iomem) ?? [];
  const text = Number.parseInt(end, 16) + 1 - Number.parseInt(start, 16);
  const reserved = machine.ram.length - available;
  const lines = [
    `from kernel entry to PID 1: ${(boot.instructions / 1e6).toFixed(2)} M instructions, ${boot.seconds.toFixed(3)} s`,
    `guest kernel overhead: ${format(reserved + slab + text)} ` +
      `(RAM - MemTotal ${format(reserved)}, slab ${format(slab)}, kernel text ${format(text)})`,
    `emulator memory apart from guest RAM: ${format(machine.overhead)} for each hart`,
  ];
  await write(process.stdout, `${lines.join('\n')}\n`);
  return 0;
}

async function read(machine: Machine, file: string): Promise<string> {
  const cat = machine.run({ args: ['/bin/busybox', 'cat', file] });
  return new Response(cat.stdout).text();
}

/** A field of /proc/meminfo in bytes. */
function kilobytes(meminfo: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1]) * KIB;
}

function format(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
