/** Measures the page and programs in the engines of all browsers, in turn in one run. */
import { readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ENGINES, type Engine, press, type Tab, until } from '../e2e/support/engines.ts';
import { SITE } from '../e2e/support/places.ts';
import { HELLO_WORLD, linkTo } from '../e2e/support/visitor.ts';
import { startServer } from '../src/server/server.ts';
import { BUILT, buildPage } from './chromium.ts';
import type { Stretch } from './containers.ts';
import { withFolder } from './folder.ts';
import { findTestImage } from './images.ts';
import { MEMORY_MIB } from './linux.ts';
import { type Figures, measureInTurn } from './measure.ts';
import type { PageRun, PageStretch } from './page/program.ts';
import { PUBLIC } from './platform.ts';
import { type Program, WARM } from './programs.ts';
import { printTable } from './table.ts';
import { processTime, processTree } from './threads.ts';

/** Of the times in Chromium. */
const REQUIRED = 1.5;
const STARTS_PER_REPEAT = 3;
const HELLO = 'hello-world';
const PROGRAMS = ['python', 'sqlite', 'gzip'];

/** The folder of the image's layout, which pages find beside them. */
const LAYOUT = 'engine-images';
/** A page counts as idle this long after it has been loaded, in ms. */
const SETTLE = 2000;

type Name = keyof typeof ENGINES;
type Tabs = Readonly<Record<Name, Tab>>;

const names = Object.keys(ENGINES) as Name[];
const forAll = <Value>(make: (name: Name) => Value) =>
  Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Value>;

export interface EnginesOptions {
  readonly wasm: string;
  readonly repeat: number;
  /** The names of those to run; none for all. */
  readonly programs: readonly string[];
}

export async function benchEngines({ wasm, repeat, programs }: EnginesOptions): Promise<void> {
  const isChosen = (name: string) => programs.length === 0 || programs.includes(name);
  const figures: Figures<Name>[] = [];
  await withTabs(async (tabs) => {
    if (isChosen(HELLO)) figures.push(await measureHello(tabs, repeat * STARTS_PER_REPEAT));
    const chosen = PROGRAMS.filter(isChosen);
    if (chosen.length > 0) await buildPage(wasm);
    for (const program of WARM.filter(({ name }) => chosen.includes(name)))
      figures.push(...(await measureProgram(tabs, program, repeat)));
    print(tabs, figures, repeat);
  });
}

async function withTabs(use: (tabs: Tabs) => Promise<void>): Promise<void> {
  const tabs: Partial<Record<Name, Tab>> = {};
  try {
    for (const name of names) tabs[name] = await ENGINES[name].start();
    await use(tabs as Tabs);
  } finally {
    for (const tab of Object.values(tabs)) await tab.close();
  }
}

/** From the click on Run to the output, in the page, which lacks its service worker. */
const measureHello = (tabs: Tabs, starts: number): Promise<Figures<Name>> =>
  withFolder(async (folder) => {
    // WebKit cannot be told to do without it, and it fetches files beside the measurement.
    const entries = (await readdir(SITE)).filter((name) => name !== 'service-worker.js');
    await Promise.all(entries.map((name) => symlink(join(SITE, name), join(folder, name))));
    return measureStarts(folder, tabs, starts);
  });

async function measureStarts(site: string, tabs: Tabs, starts: number): Promise<Figures<Name>> {
  const server = await startServer([site], 0);
  const url = server.pageUrl + linkTo({ image: HELLO_WORLD });
  const start = async (name: Name): Promise<Stretch> => {
    const tab = tabs[name];
    await tab.open(url);
    await sleep(SETTLE);
    const before = timeOf(ENGINES[name]);
    await press(tab, 'Run');
    const elapsed = await until<number>(
      tab,
      `const at = (name) => performance.getEntriesByName('linuxrun:' + name)[0]?.startTime;
      return at('first-output') - at('click') || undefined`,
    );
    return { elapsed: elapsed / 1000, cpu: timeOf(ENGINES[name]) - before, output: '' };
  };
  try {
    for (const name of names) await start(name); // stores the image
    return await measureInTurn(
      HELLO,
      forAll((name) => () => start(name)),
      starts,
      false,
    );
  } finally {
    await server.close();
  }
}

/** Between the marks of a program, whose code an earlier run has stored. */
async function measureProgram(tabs: Tabs, program: Program, rounds: number): Promise<Figures<Name>[]> {
  const reference = findTestImage(program.tag);
  const [, layout, tag] = /^oci:\/\/(.*):(.*)$/.exec(reference ?? '') ?? [];
  if (!layout) return [];
  return withFolder(async (folder) => {
    await symlink(layout, join(folder, LAYOUT));
    const server = await startServer([BUILT, folder, PUBLIC], 0);
    const url = new URL('program.html', server.pageUrl).href;
    const run = (name: Name) => runProgram(ENGINES[name], tabs[name], url, `oci://${LAYOUT}:${tag}`, program);
    try {
      for (const name of names) await run(name);
      return [
        await measureInTurn(
          program.name,
          forAll((name) => () => run(name)),
          rounds,
          true,
        ),
      ];
    } finally {
      await server.close();
    }
  });
}

async function runProgram(
  engine: Engine,
  tab: Tab,
  url: string,
  reference: string,
  { command, from, to, memoryMib = MEMORY_MIB, cpus = 1 }: Program,
): Promise<Stretch> {
  const run: PageRun = {
    ...{ reference, command, memoryMib, cpus, code: 'kept', toTheEnd: true },
    ...{ from: from?.source, to: to.source },
  };
  await tab.open(url);
  await until(tab, `return 'runProgram' in globalThis`);
  await tab.run(`
    globalThis.marks = 0;
    globalThis.mark = async () => { marks++ };
    runProgram(${JSON.stringify(run)}).then(
      (stretch) => { globalThis.outcome = { stretch } },
      (error) => { globalThis.outcome = { error: String(error) } });`);
  await until(tab, 'return marks > 0 || globalThis.outcome');
  const before = timeOf(engine);
  await until(tab, 'return marks > 1 || globalThis.outcome');
  const cpu = timeOf(engine) - before;
  const { stretch, error } = await until<{ stretch?: PageStretch; error?: string }>(
    tab,
    'return globalThis.outcome',
  );
  if (!stretch) throw new Error(`${tab.version}: ${error}`);
  return { ...stretch, cpu };
}

/** Processor time of all processes of the engine. */
const timeOf = ({ program }: Engine) => processTree(program).reduce((sum, pid) => sum + processTime(pid), 0);

function print(tabs: Tabs, figures: readonly Figures<Name>[], repeat: number): void {
  const others = names.filter((name) => name !== 'Chromium');
  const ratio = ({ elapsed }: Figures<Name>, name: Name) => elapsed[name] / elapsed.Chromium;
  console.log(`Engines: medians of ${repeat}, of ${repeat * STARTS_PER_REPEAT} starts of ${HELLO}`);
  printTable(
    [
      '',
      ...names.flatMap((name) => [`${name} ${tabs[name].version} s`, 'cpu s']),
      ...others.map((name) => `${name} ÷ Chromium`),
    ],
    figures.map((row) => [
      row.name,
      ...names.flatMap((name) => [row.elapsed[name].toFixed(3), row.cpu[name].toFixed(2)]),
      ...others.map((name) => ratio(row, name).toFixed(2)),
    ]),
  );
  const missed = figures.flatMap((row) =>
    others.filter((name) => ratio(row, name) > REQUIRED).map((name) => `${row.name} in ${name}`),
  );
  console.log(`above ${REQUIRED} × Chromium: ${missed.join(', ') || 'nothing'} (required: nothing)\n`);
}
