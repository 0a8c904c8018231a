/** Measures programs that write code, with our JIT and without it. */
import { type Engine, NONE } from './engine.ts';
import { compileWriter } from './guest.ts';
import { type Figures, measureInTurn } from './measure.ts';
import { guestJits } from './programs.ts';
import { printNone, printTable } from './table.ts';
import { withImages } from './work.ts';

/** How much faster than without the JIT these have to be. */
const REQUIRED = { names: ['loop', 'qemu'], ratio: 1.5 };

export async function benchGuestJit(engine: Engine, repeat: number): Promise<void> {
  const figures: Figures<'compiled' | 'interpreted'>[] = [];
  await withImages(guestJits(await compileWriter()), engine, async (program, _, runner) => {
    const runs = {
      compiled: () => runner.run(program, NONE),
      interpreted: () => runner.run(program, 'interpreted'),
    };
    figures.push(await measureInTurn(program.name, runs, repeat, true));
  });
  const ratio = ({ elapsed }: (typeof figures)[number]) => elapsed.interpreted / elapsed.compiled;
  console.log(`Programs that write code, in ${engine.title}: medians of ${repeat}`);
  printTable(
    ['', 'JIT s', 'cpu s', 'no JIT s', 'cpu s', '× no JIT'],
    figures.map((row) => [
      row.name,
      ...(['compiled', 'interpreted'] as const).flatMap((way) => [
        row.elapsed[way].toFixed(2),
        row.cpu[way].toFixed(2),
      ]),
      ratio(row).toFixed(2),
    ]),
  );
  const names = (of: typeof figures) => of.map(({ name }) => name);
  const slow = figures.filter((row) => REQUIRED.names.includes(row.name) && ratio(row) < REQUIRED.ratio);
  printNone(`${REQUIRED.names.join(', ')} below ${REQUIRED.ratio} × the speed without the JIT`, names(slow));
  printNone('slower than without the JIT', names(figures.filter((row) => ratio(row) < 1)));
  console.log();
}
