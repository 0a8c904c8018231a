/** Measures the npm package: its size, and the time from its installation to the first output. */
import { execFile } from 'node:child_process';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inProject } from '../scripts/setup/places.mjs';
import { measureUntil } from './containers.ts';
import { withFolder } from './folder.ts';
import { median, printTable } from './table.ts';

const run = promisify(execFile);
const REQUIRED = { first: 10, later: 1 };
const PROGRAM = `import { Command } from 'linuxrun';
console.log((await new Command('echo').arg('hi').output()).text());
`;
/** What users start, by files in their project and arguments. */
const WAYS = {
  'linuxrun run busybox echo hi': [
    'node_modules/linuxrun/dist/node/linuxrun.cjs',
    'run',
    'busybox',
    'echo',
    'hi',
  ],
  "new Command('echo').arg('hi')": ['program.mjs'],
};

/** Seconds until a program prints its first line. */
async function timeOf(project: string, [program = '', ...args]: readonly string[]): Promise<number> {
  const env = { XDG_CACHE_HOME: join(project, 'cache') };
  const launch = { command: process.execPath, args: [join(project, program), ...args], env };
  return (await measureUntil(launch, /^hi$/m)).elapsed;
}

/** Installs the package in an empty folder for each round, and prints a table. */
export async function benchPackage(repeat: number): Promise<void> {
  await withFolder(async (folder) => {
    await run('npm', ['pack', inProject('dist/package'), '--pack-destination', folder]);
    const [archive = ''] = await readdir(folder);
    const { size } = await stat(join(folder, archive));
    console.log(
      `The npm package of ${(size / 1e6).toFixed(1)} MB, to the first output: medians of ${repeat}`,
    );
    const rows = [];
    for (const [title, way] of Object.entries(WAYS)) {
      const times: { first: number; later: number }[] = [];
      for (let round = 0; round < repeat; round++) {
        const project = join(folder, `${rows.length}-${round}`);
        await mkdir(project);
        await run('npm', ['install', '--offline', '--no-audit', '--prefix', project, join(folder, archive)]);
        await writeFile(join(project, 'program.mjs'), PROGRAM);
        times.push({ first: await timeOf(project, way), later: await timeOf(project, way) });
      }
      const medians = (['first', 'later'] as const).map((name) => median(times.map((each) => each[name])));
      rows.push([title, ...medians.map((seconds) => seconds.toFixed(2))]);
    }
    printTable(['', 'first, s', 'later, s'], rows);
  });
  console.log(`required: at most ${REQUIRED.first} s after unpacking, and ${REQUIRED.later} s later\n`);
}
