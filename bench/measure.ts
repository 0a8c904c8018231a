/** Measures real programs in QEMU, in our machine, and in ours without the JIT, in turn. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Launch, measureUntil, StoredImage, type Stretch } from './containers.ts';
import { withFolder } from './folder.ts';
import { findTestImage } from './images.ts';
import type { Program } from './programs.ts';
import { median } from './table.ts';

export const INTERPRETED = ['--jit', 'off'];
/** The pause before each run in ms, in which the system cleans up after the last one. */
const SETTLE = 300;

export type Way = 'qemu' | 'compiled' | 'interpreted';

export interface Task {
  readonly title: string;
  readonly from?: RegExp | undefined;
  readonly to: RegExp;
  launch(way: Way): Launch | Promise<Launch>;
}

/** Seconds, medians. */
export interface Figures<W extends Way> {
  readonly title: string;
  readonly elapsed: Record<W, number>;
  readonly cpu: Record<W, number>;
}

/** Measures the programs whose images are here. */
export async function measurePrograms<W extends Way>(
  programs: readonly Program[],
  ways: readonly W[],
  rounds: number,
): Promise<Figures<W>[]> {
  const figures: Figures<W>[] = [];
  for (const tag of new Set(programs.map((program) => program.tag))) {
    const reference = findTestImage(tag);
    if (!reference) continue;
    await withFolder(async (folder) => {
      const image = await StoredImage.pull(reference, folder);
      for (const program of programs.filter((each) => each.tag === tag))
        figures.push(await measureTask(taskOf(program, image), ways, rounds));
    });
  }
  return figures;
}

function taskOf({ title, from, to, command, memoryMib }: Program, image: StoredImage): Task {
  return {
    title,
    from,
    to,
    launch: (way) =>
      way === 'qemu'
        ? image.qemu(command)
        : image.ours(command, way === 'interpreted' ? INTERPRETED : [], memoryMib),
  };
}

/** @throws when the output between the marks differs from run to run */
export async function measureTask<W extends Way>(
  task: Task,
  ways: readonly W[],
  rounds: number,
): Promise<Figures<W>> {
  const samples = new Map(ways.map((way) => [way, [] as Stretch[]]));
  for (let round = 0; round < rounds; round++) {
    for (const [way, stretches] of samples) {
      const launch = await task.launch(way);
      await sleep(SETTLE);
      stretches.push(await measureUntil(launch, task.to, task.from));
    }
  }
  if (task.from) requireSameOutput(task.title, [...samples.values()].flat());
  const middle = (key: 'elapsed' | 'cpu') =>
    Object.fromEntries(
      [...samples].map(([way, stretches]) => [way, median(stretches.map((stretch) => stretch[key]))]),
    ) as Record<W, number>;
  return { title: task.title, elapsed: middle('elapsed'), cpu: middle('cpu') };
}

function requireSameOutput(title: string, stretches: readonly Stretch[]): void {
  const outputs = new Set(stretches.map(({ output }) => output));
  if (outputs.size > 1) throw new Error(`${title} printed different things:\n${[...outputs].join('\n')}`);
}
