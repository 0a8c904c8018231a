/**
 * `npm run bench -- [SECTION…] [WORKLOAD…] [OPTION…]`; with a wrong option it prints all.
 *
 * Measures the machine against qemu-system-riscv64, side by side in one run. Without sections it measures all
 * of them, without workloads it runs all of those, and without programs the work consists of all of them.
 * `--busy` keeps a processor busy beside the work, and `--node` is the Node in which our machine works.
 */
import { execFileSync } from 'node:child_process';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { BOOT_HERE, benchBoot, benchBootInNode, bootHere } from './boot.ts';
import { benchCommand } from './command.ts';
import { benchWorkloads, nodeRunner } from './compare.ts';
import { benchConnect } from './connect.ts';
import { benchDisk } from './disk.ts';
import { nodeEngine } from './engine.ts';
import { benchFilter } from './filter.ts';
import { benchFolders } from './folders.ts';
import { benchGuestJit } from './guest-jit.ts';
import { benchHarts } from './harts.ts';
import { benchIdle } from './idle.ts';
import { benchKept } from './kept.ts';
import { benchNet } from './net.ts';
import { benchPackage } from './package.ts';
import { PUBLIC } from './platform.ts';
import { benchPull, PULL_HERE, pullHere } from './pull.ts';
import { benchSession, benchSessionInChromium } from './session.ts';
import { benchStart } from './start.ts';
import { benchVector } from './vector.ts';
import { benchWork, WORK_NAMES, type WorkOptions } from './work.ts';
import { GROUPS } from './workloads.ts';

/** Of the geometric means of workloads. */
const REQUIRED = { node: 2.5, chromium: 2.2 };
const BOOTS_PER_REPEAT = 3;
const PULLS_PER_REPEAT = 3;
const STARTS_PER_REPEAT = 3;
const SECTIONS = [
  'node',
  'vector',
  'boot-node',
  'idle',
  'pull',
  'start',
  'session',
  'session-chromium',
  'package',
  'disk',
  'kept',
  'folders',
  'filter',
  'net',
  'connect',
  'command',
  'work',
  'guest-jit',
  'harts',
  'chromium',
  'boot-chromium',
  'work-chromium',
  'page',
  'engines',
  'memory',
  'preview',
  'browser-files',
  'emulated',
];

interface Plan {
  sections: string[];
  workloads: string[];
  repeat: number;
  wasm: string;
  node: string;
  work: WorkOptions;
}

const isWork = (name: string) => WORK_NAMES.includes(name);

function readPlan(): Plan {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      repeat: { type: 'string', default: '3' },
      wasm: { type: 'string', default: join(PUBLIC, 'emulator.wasm') },
      program: { type: 'string', multiple: true, default: [] },
      busy: { type: 'boolean', default: false },
      node: { type: 'string', default: process.execPath },
    },
  });
  const all = Object.values(GROUPS).flat();
  const workloads = positionals.filter((word) => all.includes(word));
  const sections = positionals.filter((word) => SECTIONS.includes(word) || word === BOOT_HERE);
  const repeat = Number(values.repeat);
  const unknown = workloads.length + sections.length < positionals.length;
  const { program: programs, busy } = values;
  if (unknown || !Number.isInteger(repeat) || repeat < 1 || !programs.every(isWork)) {
    throw new Error(
      `usage: npm run bench -- [${[...SECTIONS, ...all].join(' | ')}]… [--repeat N] [--wasm PATH] ` +
        `[--program ${WORK_NAMES.join(' | ')}]… [--busy] [--node PATH]`,
    );
  }
  return {
    sections: sections.length ? sections : SECTIONS,
    workloads: workloads.length ? workloads : all,
    repeat,
    wasm: values.wasm,
    node: resolve(values.node),
    work: { repeat, programs, busy },
  };
}

function printHost(): void {
  const [{ model = 'processor' } = {}, ...others] = cpus();
  // Other programs disturb elapsed times, and through the caches also processor times.
  const load = loadavg()[0]?.toFixed(1);
  console.log(`${others.length + 1} × ${model}, Node ${process.version}, load average before: ${load}\n`);
}

async function main(): Promise<void> {
  if (process.argv[2] === PULL_HERE) return pullHere(process.argv.slice(3));
  const { sections, workloads, repeat, wasm, node, work } = readPlan();
  const chosen = (section: string) => sections.includes(section);
  if (chosen(BOOT_HERE)) return bootHere(wasm);

  printHost();
  const engine = nodeEngine(node, execFileSync(node, ['--version'], { encoding: 'utf8' }).trim());
  const boots = repeat * BOOTS_PER_REPEAT;
  if (chosen('node'))
    await benchWorkloads('Workloads in Node', workloads, repeat, await nodeRunner(wasm), REQUIRED.node);
  if (chosen('vector')) await benchVector(wasm, repeat);
  if (chosen('boot-node')) await benchBootInNode(wasm, boots);
  if (chosen('idle')) await benchIdle(wasm);
  if (chosen('pull')) await benchPull(repeat * PULLS_PER_REPEAT);
  if (chosen('start')) await benchStart(repeat * STARTS_PER_REPEAT);
  if (chosen('session')) await benchSession(repeat * STARTS_PER_REPEAT);
  if (chosen('package')) await benchPackage(repeat);
  if (chosen('disk')) await benchDisk(wasm, repeat);
  if (chosen('kept')) await benchKept(wasm, repeat);
  if (chosen('folders')) await benchFolders(repeat);
  if (chosen('filter')) await benchFilter(wasm);
  if (chosen('net')) await benchNet(wasm, repeat);
  if (chosen('connect')) await benchConnect(wasm, repeat);
  if (chosen('command')) await benchCommand(repeat);
  if (chosen('work')) await benchWork(engine, work);
  if (chosen('guest-jit')) await benchGuestJit(engine, repeat);
  if (chosen('harts')) await benchHarts(engine, repeat);
  if (chosen('work-chromium')) {
    const { chromiumEngine } = await import('./chromium-engine.ts');
    await benchWork(await chromiumEngine(wasm), work);
  }
  if (chosen('page')) {
    const { benchPage } = await import('./page.ts');
    await benchPage(repeat * STARTS_PER_REPEAT);
  }
  if (chosen('page') || chosen('session-chromium'))
    await benchSessionInChromium(wasm, repeat * STARTS_PER_REPEAT);
  if (chosen('engines')) {
    const { benchEngines } = await import('./engines.ts');
    await benchEngines({ wasm, repeat, programs: work.programs });
  }
  if (chosen('memory')) {
    const { benchMemory } = await import('./memory.ts');
    await benchMemory();
  }
  if (chosen('preview')) {
    const { benchPreview } = await import('./preview.ts');
    await benchPreview(repeat);
  }
  if (chosen('browser-files')) {
    const { benchBrowserFiles } = await import('./browser-files.ts');
    await benchBrowserFiles(wasm, repeat);
  }
  if (chosen('emulated')) {
    const { benchEmulated } = await import('./emulated.ts');
    await benchEmulated(repeat);
  }
  if (!chosen('chromium') && !chosen('boot-chromium')) return;
  // Loaded late: it takes a quarter of a second, and this program starts itself to measure a pull or a boot.
  const { withChromium } = await import('./chromium.ts');
  await withChromium(wasm, async (chromium) => {
    if (chosen('chromium'))
      await benchWorkloads(
        'Workloads in Chromium',
        workloads,
        repeat,
        chromium.runWorkload,
        REQUIRED.chromium,
      );
    if (chosen('boot-chromium')) await benchBoot('Boot in Chromium', boots, chromium.boot);
  });
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
