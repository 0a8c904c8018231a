/** Measures programs of other processors, which QEMU emulates in the guest: in the page, and in Node. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import { CHROMIUM } from '../e2e/browser.ts';
import { startLinuxRun } from '../e2e/support/linuxrun-server.ts';
import { linkTo } from '../e2e/support/visitor.ts';
import { FOREIGN_IMAGES } from '../scripts/setup/places.mjs';
import { FOREIGN, foreignBusybox, writeLayout } from '../src/container/testing/foreign.ts';
import { type Launch, measureUntil, type ProcessStretch, runToEnd, StoredImage } from './containers.ts';
import { withFolder } from './folder.ts';
import { measureStart, newVisitor } from './page.ts';
import { median, printTable } from './table.ts';

/** In seconds: a small program from the click in the page, and Python's first start. */
const REQUIRED = { page: 1, python: 8 };
const LAYOUT = 'foreign';
const TAG = 'debian-arm64';
const USUAL_MIB = 512;
const PYTHON = { command: ['python3', '-c', 'print(1)'], memoryMib: USUAL_MIB };

export async function benchEmulated(repeat: number): Promise<void> {
  await benchInPage(repeat);
  await benchPython(repeat);
}

/** BusyBox as a single program, from a click to its output. */
async function benchInPage(repeat: number): Promise<void> {
  await withFolder(async (folder) => {
    writeLayout(
      join(folder, LAYOUT),
      Object.fromEntries(FOREIGN.map((architecture) => [architecture, [foreignBusybox(architecture)]])),
    );
    const server = await startLinuxRun([], { folders: [folder] });
    const browser = await chromium.launch(CHROMIUM);
    try {
      const rows: string[][] = [];
      for (const architecture of FOREIGN) {
        const link = linkTo({ image: `oci://${LAYOUT}:${architecture}`, entrypoint: 'echo', args: 'Hello' });
        const visitor = await newVisitor(browser);
        const start = () => measureStart(visitor, server.pageUrl + link);
        const first = await start(); // stores the image
        const times: number[] = [];
        for (let round = 0; round < repeat; round++) times.push(await start());
        const ms = (time: number) => time.toFixed(0);
        rows.push([architecture, ms(first), ms(median(times)), ms(Math.min(...times))]);
      }
      console.log(`BusyBox's echo, emulated, in the page, from a click to its output: medians of ${repeat}`);
      printTable(['', 'not stored, ms', 'stored, ms', 'best'], rows);
      console.log(`(required of amd64: at most ${REQUIRED.page * 1000})\n`);
    } finally {
      await browser.close();
      await server.close();
    }
  });
}

/** Python's start in Node, in a store without code of earlier runs, and after one. */
async function benchPython(repeat: number): Promise<void> {
  if (!existsSync(join(FOREIGN_IMAGES, 'index.json'))) {
    console.log(`${TAG}: skipped, because scripts/foreign-images.mjs has not made it\n`);
    return;
  }
  const samples: Record<string, ProcessStretch[]> = {
    first: [],
    'second, with stored code': [],
    'no JIT': [],
  };
  for (let round = 0; round < repeat; round++) {
    await withFolder(async (folder) => {
      const image = await StoredImage.pull(`oci://${FOREIGN_IMAGES}:${TAG}`, folder);
      const run = async (name: string, launch: Launch) =>
        samples[name]?.push(await measureUntil(launch, /^1$/m));
      await run('no JIT', image.ours(PYTHON, { options: ['--jit', 'off'] }));
      await run('first', image.ours(PYTHON));
      runToEnd(image.ours(PYTHON));
      await run('second, with stored code', image.ours(PYTHON));
    });
  }
  console.log(`${TAG}: python3 -c 'print(1)' to its output: medians of ${repeat}`);
  printTable(
    ['', 's', 'cpu s', 'peak memory MiB'],
    Object.entries(samples).map(([name, runs]) => [
      name,
      median(runs.map(({ elapsed }) => elapsed)).toFixed(2),
      median(runs.map(({ cpu }) => cpu)).toFixed(2),
      (Math.max(...runs.map(({ memory }) => memory)) / 2 ** 20).toFixed(0),
    ]),
  );
  console.log(`(required of the first: at most ${REQUIRED.python} s)\n`);
}
