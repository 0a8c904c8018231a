/** Resources that the pages of a browser use, as seen by the operating system and the browser. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';

export interface Footprint {
  /** The heap of the page's main thread after a garbage collection, in bytes. */
  readonly heap: number;
  /** DOM nodes, including detached nodes that are still referenced. */
  readonly nodes: number;
  /** Resident memory of all renderer processes, including shared WebAssembly memories, in bytes. */
  readonly resident: number;
  /** Threads of dedicated workers, including workers started by workers. */
  readonly workers: number;
}

/** Workers that wait for the next session: its own, three of the spare machine, and two of another. */
export const SPARE_WORKERS = 6;

/** The thread name of a dedicated worker, cut to the length that Linux keeps. */
const WORKER_THREAD = 'DedicatedWorker';

export async function footprintOf(page: Page): Promise<Footprint> {
  const inPage = await page.context().newCDPSession(page);
  await inPage.send('HeapProfiler.collectGarbage');
  const { usedSize } = await inPage.send('Runtime.getHeapUsage');
  const { nodes } = await inPage.send('Memory.getDOMCounters');
  await inPage.detach();
  const renderers = await rendererProcesses(page);
  return {
    heap: usedSize,
    nodes,
    resident: renderers.reduce((sum, pid) => sum + residentBytes(pid), 0),
    workers: renderers.reduce((sum, pid) => sum + workerThreads(pid), 0),
  };
}

async function rendererProcesses(page: Page): Promise<number[]> {
  const browser = await page.context().browser()?.newBrowserCDPSession();
  if (!browser) throw new Error('the page has no browser');
  const { processInfo } = await browser.send('SystemInfo.getProcessInfo');
  await browser.detach();
  return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
}

function residentBytes(pid: number): number {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`)) ?? [];
  return Number(kilobytes) * 1024;
}

function workerThreads(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks).filter((task) => read(`${tasks}/${task}/comm`).startsWith(WORKER_THREAD)).length;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // the process or thread has ended
  }
}
