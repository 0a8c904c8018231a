/** Measures whether the engines of all browsers give back the memory of containers that have ended. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ENGINES, type Engine, press, until } from '../e2e/support/engines.ts';
import { startLinuxRun } from '../e2e/support/linuxrun-server.ts';
import { BUSYBOX, linkTo } from '../e2e/support/visitor.ts';
import { printTable } from './table.ts';
import { processTree, proportionalMemory } from './threads.ts';

const CYCLES = 10;
/** In which the browser collects garbage, and the page starts its spare worker, in ms. */
const SETTLE = 8000;
const USE = linkTo({ image: BUSYBOX, entrypoint: 'dd', args: 'if=/dev/zero of=/dev/shm/x bs=1M count=200' });

const memoryOf = ({ program }: Engine) =>
  processTree(program).reduce((sum, pid) => sum + proportionalMemory(pid), 0) / 2 ** 20;

/** @returns the memory before the first run and after the end of each, in MiB */
async function cycle(engine: Engine, url: string): Promise<number[]> {
  const tab = await engine.start();
  await tab.open(url);
  await sleep(SETTLE);
  const memory = [memoryOf(engine)];
  for (let n = 0; n < CYCLES; n++) {
    await press(tab, 'Run');
    await until(tab, `return document.body.innerText.includes('Ended with status 0')`);
    await press(tab, 'Run another');
    await sleep(SETTLE);
    memory.push(memoryOf(engine));
  }
  await tab.close();
  return memory;
}

/** Runs a container that uses 200 MiB ten times in one page of each engine. */
export async function benchCycles(): Promise<void> {
  const server = await startLinuxRun([]);
  const rows: string[][] = [];
  for (const [name, engine] of Object.entries(ENGINES)) {
    const memory = await cycle(engine, server.pageUrl + USE);
    rows.push([name, ...memory.map((mebibytes) => mebibytes.toFixed(0))]);
  }
  await server.close();
  console.log('Memory of the processes of each browser after containers that use 200 MiB, MiB');
  printTable(['', 'before', ...Array.from({ length: CYCLES }, (_, n) => `${n + 1}`)], rows);
  console.log();
}
