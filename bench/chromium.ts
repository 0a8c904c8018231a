import { copyFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { chromium, type Page } from '@playwright/test';
import { build } from 'esbuild';
import { CHROMIUM } from '../e2e/browser.ts';
import { startServer } from '../src/server/server.ts';
import { parseReport, type Sample } from './sample.ts';
import { findThreads, threadClock } from './threads.ts';
import { WORKLOADS_FOLDER, type Workload } from './workloads.ts';

const PAGE = join(import.meta.dirname, 'page');
const BUILT = join(import.meta.dirname, '../dist/bench-page');

// The name of a dedicated worker's thread in Chromium, as far as Linux keeps it.
const WORKER_THREAD = 'DedicatedWorker';

declare const runWorkload: (url: string) => Promise<string>;

async function buildPage(wasm: string): Promise<void> {
  await build({
    entryPoints: [join(PAGE, 'page.ts'), join(PAGE, 'worker.ts')],
    bundle: true,
    format: 'esm',
    outdir: BUILT,
    logLevel: 'warning',
  });
  await copyFile(join(PAGE, 'index.html'), join(BUILT, 'index.html'));
  await copyFile(wasm, join(BUILT, 'emulator.wasm'));
}

async function workerClock(page: Page): Promise<() => number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const [folder, ...others] = findThreads(WORKER_THREAD);
    if (folder && !others.length) return threadClock(folder);
    await page.waitForTimeout(100);
  }
  throw new Error(`Chromium has no single thread named ${WORKER_THREAD}`);
}

/**
 * Calls `use` with a function that runs workloads in a worker of a page in Chromium, which our own
 * server serves.
 * @param wasm path of the core
 */
export async function withChromium(
  wasm: string,
  use: (run: (workload: Workload) => Promise<Sample>) => Promise<void>,
): Promise<void> {
  await buildPage(wasm);
  const server = await startServer([BUILT, WORKLOADS_FOLDER], 0);
  const browser = await chromium.launch(CHROMIUM);
  try {
    const page = await browser.newPage();
    await page.goto(server.url);
    const clock = await workerClock(page);
    await use(async ({ name, path }) => {
      const start = clock();
      const url = `/${relative(WORKLOADS_FOLDER, path)}`;
      const output = await page.evaluate((url) => runWorkload(url), url);
      return { cpu: clock() - start, ...parseReport(name, output) };
    });
  } finally {
    await browser.close();
    await server.close();
  }
}
