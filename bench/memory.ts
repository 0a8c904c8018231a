/** Measures whether ended containers give their memory back, in the engines of all browsers. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ENGINES, press, type Tab, until } from '../e2e/support/engines.ts';
import { startLinuxRun } from '../e2e/support/linuxrun-server.ts';
import { HELLO_WORLD, linkTo } from '../e2e/support/visitor.ts';
import { printNone, printTable } from './table.ts';
import { processTree } from './threads.ts';

const CYCLES = 10;
const MIB = 2 ** 20;
/** The most that ten containers may leave: less than one machine. */
const ALLOWED = 60 * MIB;
/** The page prepares its next container, and the engine collects garbage, in ms. */
const SETTLE = 3000;

type Name = keyof typeof ENGINES;

export async function benchMemory(): Promise<void> {
  const server = await startLinuxRun([]);
  const url = server.pageUrl + linkTo({ image: HELLO_WORLD });
  const rows: { name: Name; sizes: number[] }[] = [];
  try {
    for (const name of Object.keys(ENGINES) as Name[]) {
      const tab = await ENGINES[name].start();
      rows.push({ name, sizes: await measureCycles(tab, ENGINES[name].program, url) });
      await tab.close();
    }
  } finally {
    await server.close();
  }
  console.log(`Memory of all processes after each of ${CYCLES} containers, MiB`);
  printTable(
    ['', 'first', ...Array.from({ length: CYCLES }, (_, cycle) => `${cycle + 1}`)],
    rows.map(({ name, sizes }) => [name, ...sizes.map((bytes) => (bytes / MIB).toFixed(0))]),
  );
  const grew = rows.filter(({ sizes }) => (sizes.at(-1) ?? 0) - (sizes[0] ?? 0) > ALLOWED);
  printNone(
    `more than ${ALLOWED / MIB} MiB left`,
    grew.map(({ name }) => name),
  );
}

/** The first container loads parts of the page that stay. */
async function measureCycles(tab: Tab, program: string, url: string): Promise<number[]> {
  await tab.open(url);
  await press(tab, 'Run');
  const sizes = [await sizeAfterEnd(tab, program)];
  while (sizes.length <= CYCLES) {
    await press(tab, 'Restart');
    sizes.push(await sizeAfterEnd(tab, program));
  }
  return sizes;
}

async function sizeAfterEnd(tab: Tab, program: string): Promise<number> {
  await until(tab, `return document.body.innerText.includes('Ended with status 0')`);
  await sleep(SETTLE);
  return processTree(program).reduce((sum, pid) => sum + proportionalSize(pid), 0);
}

/** Resident memory in bytes, with the part of each shared page that falls to the process. */
function proportionalSize(pid: string): number {
  try {
    const [, kilobytes] = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) * 1024;
  } catch {
    return 0; // it has ended
  }
}
