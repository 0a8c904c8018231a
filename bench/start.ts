import { setTimeout as sleep } from 'node:timers/promises';
import { type Launch, measureUntil, StoredImage, type Stretch } from './containers.ts';
import { withFolder } from './folder.ts';
import { findTestImage } from './images.ts';
import { median, printTable } from './table.ts';

const REQUIRED = 1;
/** The pause before each start, in ms, so that the clean-up of the previous one does not disturb it. */
const SETTLE = 500;

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
        const launches = { qemu: await image.qemu(program.command), ours: image.ours(program.command) };
        await compareStarts(program, launches, repeat);
      });
    }
  }
}

async function compareStarts(
  { title, output }: Program,
  launches: { qemu: Launch; ours: Launch },
  repeat: number,
): Promise<void> {
  const samples = { qemu: [] as Stretch[], ours: [] as Stretch[] };
  for (let round = 0; round < repeat; round++) {
    for (const name of ['qemu', 'ours'] as const) {
      await sleep(SETTLE);
      samples[name].push(await measureUntil(launches[name], output));
    }
  }
  const elapsed = (from: Stretch[]) => median(from.map((sample) => sample.elapsed));
  printTable(
    [title, 'seconds', 'best', 'processor s', 'peak memory MiB'],
    Object.entries(samples).map(([name, from]) => [
      name,
      elapsed(from).toFixed(3),
      Math.min(...from.map((sample) => sample.elapsed)).toFixed(3),
      median(from.map(({ cpu }) => cpu)).toFixed(2),
      (Math.max(...from.map(({ memory }) => memory)) / 2 ** 20).toFixed(0),
    ]),
  );
  const ratio = elapsed(samples.ours) / elapsed(samples.qemu);
  console.log(
    `${title} takes ${ratio.toFixed(2)} × qemu's time (required: at most ${REQUIRED.toFixed(2)})\n`,
  );
}
