import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Machine } from '../src/machine/machine.ts';
import type { HeldImage } from '../src/oci/pull.ts';
import { withFolder } from './folder.ts';
import { GUEST_FOLDER, writeGuestInitramfs } from './guest.ts';
import { findTestImage, pullInto, writeRootDisk } from './images.ts';
import { KERNEL, MEMORY_MIB } from './linux.ts';
import { benchPlatform } from './platform.ts';
import { startAlone } from './process.ts';
import { qemuLinux } from './qemu.ts';
import { median, printTable } from './table.ts';

const IMAGE = 'python';
const READER = `${GUEST_FOLDER}/disk`;
const DISK = '/dev/vda';

interface Pattern {
  readonly title: string;
  readonly mode: 'sequential' | 'random';
  /** Number of bytes, or of blocks of 4 KiB. */
  readonly amount: number;
  readonly bytes: number;
}

const PATTERNS: readonly Pattern[] = [
  { title: 'sequential', mode: 'sequential', amount: 64 << 20, bytes: 64 << 20 },
  { title: 'random 4 KiB', mode: 'random', amount: 2000, bytes: 2000 * 4096 },
];

/** Seconds of guest time, and a checksum of the data. */
interface ReadSample {
  elapsed: number;
  sum: string;
}

/** The data that both emulators read: an image in a store, and its disk as a file. */
interface Disks {
  readonly initramfs: string;
  readonly store: string;
  readonly image: HeldImage;
  readonly file: string;
}

function parseRead(output: string): ReadSample {
  const [, microseconds, sum = ''] = /^disk ok (\d+) (\w+)\s*$/m.exec(output) ?? [];
  if (microseconds === undefined) throw new Error(`the disk cannot be read: ${output.trim()}`);
  return { elapsed: Number(microseconds) / 1e6, sum };
}

/** Reads on a fresh machine, which has an empty cache. */
async function readInQemu({ initramfs, file }: Disks, { mode, amount }: Pattern): Promise<ReadSample> {
  const command = `rdinit=${READER} -- ${mode} ${DISK} ${amount}`;
  const qemu = startAlone('qemu-system-riscv64', qemuLinux(initramfs, command, [file]));
  return parseRead(await text(qemu.stdout));
}

async function readInNode(wasm: string, disks: Disks, { mode, amount }: Pattern): Promise<ReadSample> {
  const platform = benchPlatform(wasm);
  const machine = await Machine.start(platform, {
    emulator: await platform.loadEmulator(),
    kernel: await platform.loadFile(KERNEL),
    initrd: await readFile(disks.initramfs),
    cpus: 1,
    memoryBytes: MEMORY_MIB * 2 ** 20,
    commandLine: 'quiet',
    disks: [{ kind: 'image', store: disks.store }],
  });
  try {
    await machine.openImage(disks.image.layers);
    const reader = machine.run({ args: [READER, mode, DISK, String(amount)] });
    return parseRead(await new Response(reader.stdout).text());
  } finally {
    await machine.stop();
  }
}

/** Reads the root disk of an image in both emulators in turn, and prints a table. */
export async function benchDisk(wasm: string, repeat: number): Promise<void> {
  console.log(`Reads of the root disk in the guest: medians of ${repeat}`);
  const reference = findTestImage(IMAGE);
  if (!reference) return;
  await withFolder(async (folder) => {
    const store = join(folder, 'store');
    const { image } = await pullInto(store, reference);
    const file = join(folder, 'disk');
    await writeRootDisk(store, image, file);
    const disks = { initramfs: await writeGuestInitramfs(), store, image, file };
    const rows: string[][] = [];
    for (const pattern of PATTERNS) rows.push(await comparePattern(wasm, disks, pattern, repeat));
    printTable(['', 'qemu MB/s', 'ours MB/s', 'ratio'], rows);
    console.log();
  });
}

async function comparePattern(
  wasm: string,
  disks: Disks,
  pattern: Pattern,
  repeat: number,
): Promise<string[]> {
  const qemu: ReadSample[] = [];
  const ours: ReadSample[] = [];
  for (let round = 0; round < repeat; round++) {
    qemu.push(await readInQemu(disks, pattern));
    ours.push(await readInNode(wasm, disks, pattern));
  }
  const sums = new Set([...qemu, ...ours].map(({ sum }) => sum));
  if (sums.size > 1) throw new Error(`${pattern.title}: the disks differ, sums ${[...sums].join(', ')}`);
  const speed = (samples: ReadSample[]) =>
    pattern.bytes / median(samples.map(({ elapsed }) => elapsed)) / 1e6;
  return [
    pattern.title,
    speed(qemu).toFixed(1),
    speed(ours).toFixed(1),
    (speed(ours) / speed(qemu)).toFixed(2),
  ];
}
