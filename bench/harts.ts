/** Measures what a second hart adds, in ours and in QEMU with a thread for each hart. */
import { measureUntil } from './containers.ts';
import { type Engine, NONE } from './engine.ts';
import { type Figures, measureInTurn } from './measure.ts';
import { pair } from './programs.ts';
import { printNone, printTable } from './table.ts';
import { withImages } from './work.ts';

/** The throughput of two programs at a time, relative to that of one. */
const REQUIRED = 1.8;
type Way = 'qemu one' | 'qemu two' | 'one' | 'two';

export async function benchHarts(engine: Engine, repeat: number): Promise<void> {
  const [one, two] = [pair(1), pair(2)];
  const figures: Figures<Way>[] = [];
  await withImages(one, engine, async (single, image, runner) => {
    const double = two.find(({ name }) => name === single.name) ?? single;
    const qemu = async (program: typeof single) =>
      measureUntil(await image.qemu(program), program.to, program.from);
    const runs = {
      'qemu one': () => qemu(single),
      one: () => runner.run(single, NONE),
      'qemu two': () => qemu(double),
      two: () => runner.run(double, NONE),
    };
    figures.push(await measureInTurn(single.name, runs, repeat, false));
  });
  console.log(`Two harts, warm, in ${engine.title}: medians of ${repeat}`);
  const gain = ({ elapsed }: (typeof figures)[number], prefix: '' | 'qemu ') =>
    (2 * elapsed[`${prefix}one`]) / elapsed[`${prefix}two`];
  printTable(
    ['', 'qemu: one s', 'two s', 'throughput', 'ours: one s', 'two s', 'throughput'],
    figures.map((row) => [
      row.name,
      ...(['qemu ', ''] as const).flatMap((prefix) => [
        row.elapsed[`${prefix}one`].toFixed(2),
        row.elapsed[`${prefix}two`].toFixed(2),
        gain(row, prefix).toFixed(2),
      ]),
    ]),
  );
  const slow = figures.filter((row) => gain(row, '') < REQUIRED).map(({ name }) => name);
  printNone(`below ${REQUIRED} × the throughput of one`, slow);
  console.log();
}
