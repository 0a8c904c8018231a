import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import { build } from 'esbuild';
import { CHROMIUM } from '../e2e/browser.ts';
import { withFolder } from './folder.ts';
import type { Times } from './page/files-worker.ts';
import { median, printTable } from './table.ts';

const WORKER = join(import.meta.dirname, 'page/files-worker.ts');
const KIB = 1024;
/** Sizes of chunks in IndexedDB; 0 stands for OPFS. */
const PLACES = [0, ...[16, 48, 64, 256, 1024].map((size) => size * KIB)];

/** Compares places for the file of a disk in Chromium, and prints a table. */
export async function benchBrowserFiles(repeat: number): Promise<void> {
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
