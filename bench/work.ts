/** Measures real programs in QEMU and in our machine, and prints tables. */
import { join } from 'node:path';
import { measureUntil, StoredImage, type Stretch } from './containers.ts';
import { BOOTED, type Engine, NONE, type Runner } from './engine.ts';
import { withFolder } from './folder.ts';
import { findTestImage } from './images.ts';
import { INITRD } from './linux.ts';
import { besideOther, type Figures, measureInTurn } from './measure.ts';
import { PUBLIC } from './platform.ts';
import { COLD, type Program, WARM } from './programs.ts';
import { qemuLinux } from './qemu.ts';
import { geometricMean, printLeast, printNone, printTable } from './table.ts';

/** Cold work takes half a second, of which 3 % is little, so it is repeated more often by this factor. */
const COLD_TIMES = 3;

/** Ratios to QEMU's speed. */
const REQUIRED = { mean: 1.8, busyMean: 1.3, lowest: 0.8 };
/** Of these programs, in the first run and with stored code. */
const PROMINENT = { names: ['python', 'perl', 'sqlite', 'gzip'], first: 1, stored: 1.5 };
/** How much longer than without the JIT cold work may take, and how much more processor time. */
const MOST = { elapsed: 1.03, cpu: 1.15 };

/** The first run of a program has no stored code, and the other one that which an earlier run has left. */
const OURS = ['first', 'stored'] as const;
const WAYS = ['qemu', ...OURS, 'interpreted'] as const;
const TITLES = { qemu: 'qemu', first: 'first run', stored: 'stored code', interpreted: 'no JIT' };

type Way = (typeof WAYS)[number];
type Our = (typeof OURS)[number];
type WorkFigures = Figures<Way>;
type Runs = Record<Way, () => Promise<Stretch>>;

export interface WorkOptions {
  readonly repeat: number;
  /** The names of the programs to run; none for all. */
  readonly programs: readonly string[];
  /** Whether another process keeps a processor busy. */
  readonly busy: boolean;
}

/** The boot's name among the programs. */
const BOOT = 'boot';
export const WORK_NAMES = [BOOT, ...[...COLD, ...WARM].map(({ name }) => name)];

/** Runs programs in QEMU and in our machine, in all ways in turn, and prints tables. */
export async function benchWork(engine: Engine, { repeat, programs, busy }: WorkOptions): Promise<void> {
  const isChosen = (name: string) => programs.length === 0 || programs.includes(name);
  const cold: WorkFigures[] = [];
  const warm: WorkFigures[] = [];
  await besideOther(busy, async () => {
    if (isChosen(BOOT)) cold.push(...(await measureBoot(engine, repeat * COLD_TIMES)));
    const chosen = (of: readonly Program[]) => of.filter(({ name }) => isChosen(name));
    cold.push(...(await measurePrograms(chosen(COLD), engine, repeat * COLD_TIMES)));
    warm.push(...(await measurePrograms(chosen(WARM), engine, repeat)));
  });
  const where = `${engine.title}${busy ? ', beside a busy process' : ''}`;
  printFigures(`Cold work in ${where}: medians of ${repeat * COLD_TIMES}`, cold);
  printFigures(`Warm work in ${where}: medians of ${repeat}`, warm);
  printVerdict(cold, warm, busy ? REQUIRED.busyMean : REQUIRED.mean);
}

async function measureBoot({ boot }: Engine, rounds: number): Promise<WorkFigures[]> {
  if (!boot) return [];
  const qemu = { command: 'qemu-system-riscv64', args: qemuLinux(join(PUBLIC, INITRD), '') };
  const runs: Runs = {
    qemu: () => measureUntil(qemu, BOOTED),
    first: () => boot(false),
    stored: () => boot(false),
    interpreted: () => boot(true),
  };
  return [await measureInTurn(BOOT, runs, rounds, false)];
}

/** Measures the programs whose images are here. */
async function measurePrograms(
  programs: readonly Program[],
  engine: Engine,
  rounds: number,
): Promise<WorkFigures[]> {
  const figures: WorkFigures[] = [];
  await withImages(programs, engine, async (program, image, runner) => {
    const code = await runner.train(program);
    const runs: Runs = {
      qemu: async () => measureUntil(await image.qemu(program), program.to, program.from),
      first: () => runner.run(program, NONE),
      stored: () => runner.run(program, code),
      interpreted: () => runner.run(program, 'interpreted'),
    };
    figures.push(await measureInTurn(program.name, runs, rounds, program.from !== undefined));
  });
  return figures;
}

/** Calls a function for each program whose image is here. */
export async function withImages(
  programs: readonly Program[],
  engine: Engine,
  use: (program: Program, image: StoredImage, runner: Runner) => Promise<void>,
): Promise<void> {
  for (const tag of new Set(programs.map((program) => program.tag))) {
    const reference = findTestImage(tag);
    if (!reference) continue;
    await withFolder(async (folder) => {
      const image = await StoredImage.pull(reference, folder);
      await engine.withRunner(image, async (runner) => {
        for (const program of programs.filter((each) => each.tag === tag)) await use(program, image, runner);
      });
    });
  }
}

const toQemu = ({ elapsed }: WorkFigures, way: Our) => elapsed.qemu / elapsed[way];
/** How much more it takes than without the JIT. */
const overhead = (row: WorkFigures, way: Our, key: 'elapsed' | 'cpu') => row[key][way] / row[key].interpreted;

function printFigures(title: string, figures: readonly WorkFigures[]): void {
  if (figures.length === 0) return;
  console.log(title);
  printTable(
    [
      '',
      ...WAYS.flatMap((way) => [`${TITLES[way]} s`, 'cpu s']),
      ...OURS.flatMap((way) => [`${TITLES[way]} × qemu`, '÷ no JIT', 'cpu']),
    ],
    figures.map((row) => [
      row.name,
      ...WAYS.flatMap((way) => [row.elapsed[way].toFixed(2), row.cpu[way].toFixed(2)]),
      ...OURS.flatMap((way) => [
        toQemu(row, way).toFixed(2),
        overhead(row, way, 'elapsed').toFixed(2),
        overhead(row, way, 'cpu').toFixed(2),
      ]),
    ]),
  );
  console.log();
}

function printVerdict(
  cold: readonly WorkFigures[],
  warm: readonly WorkFigures[],
  requiredMean: number,
): void {
  const all = [...cold, ...warm];
  const printNames = (what: string, rows: readonly WorkFigures[], isMissed: (row: WorkFigures) => boolean) =>
    printNone(
      what,
      rows.filter(isMissed).map(({ name }) => name),
    );
  const prominent = all.filter(({ name }) => PROMINENT.names.includes(name));
  for (const way of OURS) {
    const title = TITLES[way];
    printLeast(
      `${title}: geometric mean × qemu`,
      geometricMean(all.map((row) => toQemu(row, way))),
      requiredMean,
    );
    const least = PROMINENT[way];
    printNames(
      `${title}: of ${PROMINENT.names.join(', ')} below ${least} × qemu`,
      prominent,
      (row) => toQemu(row, way) < least,
    );
    printNames(`${title}: below ${REQUIRED.lowest} × qemu`, all, (row) => toQemu(row, way) < REQUIRED.lowest);
    for (const key of ['elapsed', 'cpu'] as const)
      printNames(
        `${title}: cold work above ${MOST[key]} × the ${key === 'cpu' ? 'processor ' : ''}time without the JIT`,
        cold,
        (row) => overhead(row, way, key) > MOST[key],
      );
    printNames(
      `${title}: warm work slower than without the JIT`,
      warm,
      (row) => overhead(row, way, 'elapsed') > 1,
    );
  }
  console.log();
}
