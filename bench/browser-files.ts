import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import { build } from 'esbuild';
import { CHROMIUM } from '../e2e/browser.ts';
import { startServer } from '../src/server/server.ts';
import { BUILT, buildPage } from './chromium.ts';
import { withFolder } from './folder.ts';
import type { Times } from './page/files-worker.ts';
import { PUBLIC } from './platform.ts';
import { median, printTable } from './table.ts';

const WORKER = join(import.meta.dirname, 'page/files-worker.ts');
const KIB = 1024;
/** Sizes of chunks in IndexedDB; 0 stands for OPFS. */
const PLACES = [0, ...[16, 48, 64, 256, 1024].map((size) => size * KIB)];

const IMAGE = 'oci://images:busybox';
const FOLDER_MIB = 256;
/** Of a shared folder, in MB/s. */
const REQUIRED = 100;
/** Prints the time before and after a command, in seconds. */
const timed = (command: string) => `cat /proc/uptime; ${command} 2>&1; cat /proc/uptime`;
/** Each in a container of its own, which has nothing of the file in its memory. */
const FOLDER_STEPS = {
  'write, synced': timed(`dd if=/dev/zero of=/kept/file bs=1M count=${FOLDER_MIB} conv=fsync`),
  read: timed('dd if=/kept/file of=/dev/null bs=1M'),
};

declare const runInFolder: (reference: string, script: string) => Promise<string>;

/** @param wasm the path of the core */
export async function benchBrowserFiles(wasm: string, repeat: number): Promise<void> {
  await benchFiles(repeat);
  await benchFolder(wasm, repeat);
}

/** Measures a folder of the browser in a container in Chromium, and prints a table. */
async function benchFolder(wasm: string, repeat: number): Promise<void> {
  console.log(`A shared folder of the browser in Chromium, ${FOLDER_MIB} MiB: medians of ${repeat}`);
  await buildPage(wasm);
  const server = await startServer([BUILT, PUBLIC], 0);
  const speeds = Object.keys(FOLDER_STEPS).map(() => [] as number[]);
  await withFolder(async (profile) => {
    const context = await chromium.launchPersistentContext(profile, CHROMIUM);
    try {
      const page = await context.newPage();
      await page.goto(new URL('program.html', server.pageUrl).href);
      for (let round = 0; round < repeat; round++)
        for (const [step, script] of Object.values(FOLDER_STEPS).entries()) {
          const output = await page.evaluate(([image, text]) => runInFolder(image, text), [
            IMAGE,
            script,
          ] as const);
          speeds[step]?.push(speedOf(output));
        }
    } finally {
      await context.close();
      await server.close();
    }
  });
  printTable(
    ['', 'MB/s', 'required'],
    Object.keys(FOLDER_STEPS).map((step, index) => [
      step,
      median(speeds[index] ?? []).toFixed(0),
      `${REQUIRED}`,
    ]),
  );
  console.log();
}

/** In MB/s, between the two times. */
function speedOf(output: string): number {
  const [begin, end] = [...output.matchAll(/^(\d+\.\d+) \d+\.\d+$/gm)].map(([, seconds]) => Number(seconds));
  if (begin === undefined || end === undefined) throw new Error(`the script failed: ${output}`);
  return (FOLDER_MIB * 1.048576) / (end - begin);
}

/** Compares places for the file of a disk in Chromium, and prints a table. */
async function benchFiles(repeat: number): Promise<void> {
  console.log(`Files of disks in Chromium, durable writes: medians of ${repeat}`);
  const all = PLACES.map((place) => ({ place, times: [] as Times[] }));
  await withFolder(async (folder) => {
    for (let round = 0; round < repeat; round++)
      for (const { place, times } of all) times.push(await measure(join(folder, `${round}-${place}`), place));
  });
  printTable(
    ['', 'write MB/s', 'commit ms', 'read of 4 KiB, µs'],
    all.map(({ place, times }) => [
      place === 0 ? 'OPFS' : `IndexedDB, ${place / KIB} KiB`,
      (67_108_864 / 1000 / median(times.map(({ write }) => write))).toFixed(0),
      median(times.map(({ commit }) => commit)).toFixed(2),
      (median(times.map(({ read }) => read)) * 1000).toFixed(0),
    ]),
  );
  console.log();
}

/** Measures one place with a profile on the disk, because other profiles have their files in memory. */
async function measure(profile: string, place: number): Promise<Times> {
  const built = await build({ entryPoints: [WORKER], bundle: true, write: false });
  const server = createServer((request, response) => {
    const isWorker = request.url === '/worker.js';
    response.setHeader('Content-Type', isWorker ? 'text/javascript' : 'text/html');
    response.end(isWorker ? built.outputFiles[0]?.text : '<!doctype html>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const context = await chromium.launchPersistentContext(profile, CHROMIUM);
  try {
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    return await page.evaluate((place) => {
      return new Promise<Times>((resolve, reject) => {
        const worker = new Worker('/worker.js');
        worker.onmessage = ({ data }) => resolve(data as Times);
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage(place);
      });
    }, place);
  } finally {
    await context.close();
    server.close();
  }
}
