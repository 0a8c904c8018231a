import { copyFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from '@playwright/test';
import { build } from 'vite';
import { CHROMIUM } from '../e2e/browser.ts';
import { translatorDefines } from '../scripts/setup/translator.mjs';
import type { BootFigures } from '../src/machine/machine.ts';
import { startServer } from '../src/server/server.ts';
import type { BootSample } from './boot.ts';
import { withFolder } from './folder.ts';
import { PUBLIC } from './platform.ts';
import { shareAlike } from './process.ts';
import { parseReport, type Sample } from './sample.ts';
import { findProcesses, findThreads, processTime, threadClock } from './threads.ts';
import { WORKLOADS_FOLDER, type Workload } from './workloads.ts';

const PAGE = join(import.meta.dirname, 'page');
export const BUILT = join(import.meta.dirname, '../dist/bench-page');

// The thread name of a dedicated worker in Chromium, cut to the length that Linux keeps.
const WORKER_THREAD = 'DedicatedWorker';

/** On the command line of the processes of pages. */
const RENDERER = '--type=renderer';

declare const runWorkload: (url: string) => Promise<string>;
declare const boot: () => Promise<BootFigures>;

/** Runs workloads and boots Linux in a page in Chromium that our own server serves. */
export interface ChromiumBench {
  runWorkload(workload: Workload): Promise<Sample>;
  boot(): Promise<BootSample>;
}

/** @param wasm the path of the core */
export async function buildPage(wasm: string): Promise<void> {
  await build({
    configFile: false,
    root: PAGE,
    base: './',
    define: translatorDefines(),
    logLevel: 'warn',
    build: {
      ...{ outDir: BUILT, emptyOutDir: true, target: 'es2022' },
      rollupOptions: {
        input: ['index.html', 'net.html', 'program.html', 'session.html', 'service-worker.ts'].map((name) =>
          join(PAGE, name),
        ),
        output: {
          entryFileNames: ({ name }) => (name === 'service-worker' ? '[name].js' : 'assets/[name]-[hash].js'),
        },
      },
    },
    worker: { format: 'es' },
  });
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

/** @param wasm the path of the core */
export async function withChromium(
  wasm: string,
  use: (bench: ChromiumBench) => Promise<void>,
): Promise<void> {
  await buildPage(wasm);
  const server = await startServer([BUILT, WORKLOADS_FOLDER, PUBLIC], 0);
  const browser = await chromium.launch(CHROMIUM);
  try {
    const page = await openPage(browser, server.pageUrl);
    shareAlike(findProcesses(RENDERER)[0]);
    const clock = await workerClock(page);
    await use({
      async runWorkload({ name, path }) {
        const url = `/${relative(WORKLOADS_FOLDER, path)}`;
        const start = clock();
        const output = await page.evaluate((url) => runWorkload(url), url);
        return { cpu: clock() - start, ...parseReport(name, output) };
      },
      boot: () => bootIn(browser, server.pageUrl),
    });
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Starts a browser whose stores are on the disk, as those of users are, and which begins with none. */
export async function withProfile(
  use: (browser: BrowserContext) => Promise<void>,
  serviceWorkers: 'allow' | 'block' = 'block',
): Promise<void> {
  await withFolder(async (profile) => {
    const browser = await chromium.launchPersistentContext(profile, { ...CHROMIUM, serviceWorkers });
    shareAlike(findProcesses(RENDERER)[0]);
    try {
      await use(browser);
    } finally {
      await browser.close();
    }
  });
}

/** Opens a page in a new profile, so that nothing is cached or optimised. */
async function openPage(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(url);
  return page;
}

async function bootIn(browser: Browser, url: string): Promise<BootSample> {
  const page = await openPage(browser, url);
  const start = rendererTime();
  const { seconds, instructions } = await page.evaluate(() => boot());
  const cpu = rendererTime() - start;
  await page.close();
  return { elapsed: seconds, cpu, instructions };
}

/** Processor time of all pages, including their workers and compilers. */
export function rendererTime(): number {
  return findProcesses(RENDERER).reduce((sum, pid) => sum + processTime(pid), 0);
}
