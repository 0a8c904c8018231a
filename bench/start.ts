import { setTimeout as sleep } from 'node:timers/promises';
import { type Launch, measureUntil, type ProcessStretch, runToEnd, StoredImage } from './containers.ts';
import { withFolder } from './folder.ts';
import { findTestImage } from './images.ts';
import { median, printTable } from './table.ts';

const REQUIRED = 1;
/** A container of the usual machine, compared with one of a machine that boots. */
const USUAL_REQUIRED = 0.65;
/** The memory of the usual machine. One with less boots. */
const USUAL_MIB = 512;
/** The pause before each start, in ms, so that the clean-up of the previous one does not disturb it. */
const SETTLE = 500;

const TITLES = {
  qemu: 'qemu, 256 MiB',
  ours: 'ours, 256 MiB, which boots',
  usual: 'ours, 512 MiB, which has booted',
  booting: 'ours, 511 MiB, which boots',
};

interface Program {
  readonly title: string;
  readonly tag: string;
  /** The command, instead of the image's. */
  readonly command?: readonly string[];
  /** Its first output. */
  readonly output: RegExp;
}

const PROGRAMS: readonly Program[] = [
  { title: 'hello-world', tag: 'hello-world', output: /^Hello/m },
  { title: "python's print(1)", tag: 'python', command: ['python3', '-c', 'print(1)'], output: /^1$/m },
];

/** Starts containers from the store, and the same files in QEMU, in turn, and prints a table. */
export async function benchStart(repeat: number): Promise<void> {
  console.log(`Start of a stored image, to the container's first output: medians of ${repeat}`);
  for (const program of PROGRAMS) {
    const reference = findTestImage(program.tag);
    if (reference) {
      await withFolder(async (folder) => {
        const image = await StoredImage.pull(reference, folder);
        const launches = {
          qemu: await image.qemu(program),
          ours: image.ours(program),
          usual: image.ours({ ...program, memoryMib: USUAL_MIB }),
          booting: image.ours({ ...program, memoryMib: USUAL_MIB - 1 }),
        };
        runToEnd(launches.usual);
        await compareStarts(program, launches, repeat);
      });
    }
  }
}

async function compareStarts(
  { title, output }: Program,
  launches: Record<'qemu' | 'ours' | 'usual' | 'booting', Launch>,
  repeat: number,
): Promise<void> {
  const samples: Record<keyof typeof launches, ProcessStretch[]> = {
    qemu: [],
    ours: [],
    usual: [],
    booting: [],
  };
  for (let round = 0; round < repeat; round++) {
    for (const name of ['qemu', 'ours', 'usual', 'booting'] as const) {
      await sleep(SETTLE);
      samples[name].push(await measureUntil(launches[name], output));
    }
  }
  const elapsed = (from: ProcessStretch[]) => median(from.map((sample) => sample.elapsed));
  printTable(
    [title, 'seconds', 'best', 'processor s', 'peak memory MiB'],
    Object.entries(samples).map(([name, from]) => [
      TITLES[name as keyof typeof TITLES],
      elapsed(from).toFixed(3),
      Math.min(...from.map((sample) => sample.elapsed)).toFixed(3),
      median(from.map(({ cpu }) => cpu)).toFixed(2),
      (Math.max(...from.map(({ memory }) => memory)) / 2 ** 20).toFixed(0),
    ]),
  );
  const ratio = elapsed(samples.ours) / elapsed(samples.qemu);
  const usual = elapsed(samples.usual) / elapsed(samples.booting);
  console.log(
    `${title} takes ${ratio.toFixed(2)} × qemu's time (required: at most ${REQUIRED.toFixed(2)}), and ` +
      `${usual.toFixed(2)} × that of a boot in the usual machine ` +
      `(required of hello-world: at most ${USUAL_REQUIRED.toFixed(2)})\n`,
  );
}
