import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startContainer } from '../src/container/container.ts';
import { Machine } from '../src/machine/machine.ts';
import { nodePlatform } from '../src/machine/platform/node.ts';
import type { HeldImage } from '../src/oci/pull.ts';
import { withFolder } from './folder.ts';
import { GUEST_FOLDER, writeGuestInitramfs } from './guest.ts';
import { pullInto } from './images.ts';
import { KERNEL, MEMORY_MIB } from './linux.ts';
import { benchPlatform, PUBLIC } from './platform.ts';
import { median, printTable } from './table.ts';

/** One of the demo images. */
const BUSYBOX = `oci://${PUBLIC}/images:busybox`;
const PROGRAM = `${GUEST_FOLDER}/disk`;
const MIB = 1 << 20;
const DISK_SIZE = 256 * MIB;

interface Pattern {
  readonly title: string;
  readonly mode: string;
  readonly amount: number;
  readonly unit: 'MB/s' | 'per second';
}

const PATTERNS: readonly Pattern[] = [
  { title: 'write 64 MiB, then sync', mode: 'write', amount: 64 * MIB, unit: 'MB/s' },
  { title: 'write random 4 KiB', mode: 'write-random', amount: 2000, unit: 'per second' },
  { title: 'write random 4 KiB, sync each', mode: 'write-synced', amount: 500, unit: 'per second' },
  { title: 'read 64 MiB', mode: 'sequential', amount: 64 * MIB, unit: 'MB/s' },
  { title: 'read random 4 KiB', mode: 'random', amount: 2000, unit: 'per second' },
];

/** A kept disk beside one in memory, and starts with both. */
export async function benchKept(wasm: string, repeat: number): Promise<void> {
  console.log(`A kept disk and the scratch disk in memory, in the guest: medians of ${repeat}`);
  await withFolder(async (folder) => {
    const initramfs = await writeGuestInitramfs();
    const rows: string[][] = [];
    const speeds = new Map<Pattern, { memory: number[]; kept: number[] }>(
      PATTERNS.map((pattern) => [pattern, { memory: [], kept: [] }]),
    );
    for (let round = 0; round < repeat; round++) await measure(wasm, folder, initramfs, speeds);
    for (const [{ title, unit }, { memory, kept }] of speeds) {
      const ratio = median(kept) / median(memory);
      rows.push([title, unit, median(memory).toFixed(0), median(kept).toFixed(0), ratio.toFixed(2)]);
    }
    printTable(['', '', 'memory', 'kept', 'ratio'], rows);
    console.log();
  });
  await benchKeptStarts(repeat * 3);
}

/** Writes and then reads both disks of a fresh machine. */
async function measure(
  wasm: string,
  store: string,
  initramfs: string,
  speeds: ReadonlyMap<Pattern, { memory: number[]; kept: number[] }>,
): Promise<void> {
  const platform = benchPlatform(wasm);
  const machine = await Machine.start(platform, {
    emulator: await platform.loadEmulator(),
    kernel: await platform.loadFile(KERNEL),
    initrd: await readFile(initramfs),
    cpus: 1,
    memoryBytes: MEMORY_MIB * MIB,
    commandLine: 'quiet',
    disks: [
      { kind: 'scratch', sizeBytes: DISK_SIZE },
      { kind: 'kept', store, disk: randomUUID(), sizeBytes: DISK_SIZE },
    ],
  });
  try {
    for (const [pattern, { memory, kept }] of speeds) {
      memory.push(await speedOf(machine, pattern, '/dev/vda'));
      kept.push(await speedOf(machine, pattern, '/dev/vdb'));
    }
  } finally {
    await machine.stop();
  }
}

async function speedOf(machine: Machine, { mode, amount, unit }: Pattern, disk: string): Promise<number> {
  const script = `echo 3 > /proc/sys/vm/drop_caches; ${PROGRAM} ${mode} ${disk} ${amount}`;
  const output = await new Response(machine.run({ args: ['sh', '-c', script] }).stdout).text();
  const [, microseconds] = /^disk ok (\d+) /m.exec(output) ?? [];
  if (microseconds === undefined) throw new Error(`the disk cannot be used: ${output.trim()}`);
  return (amount / Number(microseconds)) * (unit === 'MB/s' ? 1 : 1e6);
}

/** Starts a container with a disk in memory, a new kept one, and one that was used before. */
async function benchKeptStarts(repeat: number): Promise<void> {
  console.log(`From the start of a machine to a running program: medians of ${repeat}`);
  await withFolder(async (folder) => {
    const store = join(folder, 'store');
    const { image } = await pullInto(store, BUSYBOX);
    const used = randomUUID();
    await timeStart(store, image, used);
    const times = {
      memory: [] as number[],
      'new kept disk': [] as number[],
      'used kept disk': [] as number[],
    };
    for (let round = 0; round < repeat; round++) {
      times.memory.push(await timeStart(store, image));
      times['new kept disk'].push(await timeStart(store, image, randomUUID()));
      times['used kept disk'].push(await timeStart(store, image, used));
    }
    const rows = Object.entries(times).map(([title, all]) => {
      // Other load disturbs the starts of one round alike.
      const more = all.map((time, round) => time - (times.memory[round] as number));
      return [title, median(all), Math.min(...all), median(more)].map((cell) =>
        typeof cell === 'number' ? cell.toFixed(0) : cell,
      );
    });
    printTable(['', 'ms', 'best', 'more than memory'], rows);
    console.log();
  });
}

async function timeStart(store: string, image: HeldImage, disk?: string): Promise<number> {
  const begin = performance.now();
  const container = await startContainer({
    platform: nodePlatform(PUBLIC, 1),
    image: { ...image, release: async () => {} },
    store,
    cpus: 1,
    memoryBytes: MEMORY_MIB * MIB,
    diskBytes: DISK_SIZE,
    entrypoint: ['true'],
    ...(disk !== undefined && { keptDisk: { disk } }),
  });
  const isRunning = await container.started;
  const elapsed = performance.now() - begin;
  await container.destroy();
  if (!isRunning) throw new Error('the container has not started');
  return elapsed;
}
