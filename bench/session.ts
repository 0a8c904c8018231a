import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from '@playwright/test';
import { CHROMIUM } from '../e2e/browser.ts';
import { startServer } from '../src/server/server.ts';
import { BUILT, buildPage } from './chromium.ts';
import { withFolder } from './folder.ts';
import { findTestImage } from './images.ts';
import { PUBLIC } from './platform.ts';
import { measureSession, type SessionFigures } from './session-run.ts';
import { median, printTable } from './table.ts';

const REQUIRED = { suspend: 1000, resume: 600, warm: 400 };
const MEBIBYTE = 2 ** 20;

declare const measureHere: (starts: number) => Promise<SessionFigures>;

/** Suspends a session with 200 MiB in use and goes on with it, in Node. */
export async function benchSession(starts: number): Promise<void> {
  const reference = findTestImage('python');
  if (!reference) return;
  await withFolder(async (folder) => {
    const api = await import('../src/api/node.ts');
    api.configure({ store: folder });
    print('Node', await measureSession(api, reference, starts));
  });
}

/** The same in Chromium. @param wasm the path of the core */
export async function benchSessionInChromium(wasm: string, starts: number): Promise<void> {
  const reference = findTestImage('python');
  if (!reference) return;
  await buildPage(wasm);
  await withFolder(async (folder) => {
    const copy = ['copy', '-q', reference.replace('oci://', 'oci:'), `oci:${folder}/images:python`];
    await promisify(execFile)('skopeo', copy);
    const server = await startServer([BUILT, folder, PUBLIC], 0);
    const profile = await mkdtemp(join(tmpdir(), 'linuxrun-profile-'));
    const browser = await chromium.launchPersistentContext(profile, CHROMIUM);
    try {
      const page = await browser.newPage();
      await page.goto(new URL('session.html', server.pageUrl).href);
      await page.waitForFunction(() => 'measureHere' in globalThis);
      print('Chromium', await page.evaluate((starts) => measureHere(starts), starts));
    } finally {
      await browser.close();
      await server.close();
      await rm(profile, { recursive: true, force: true });
    }
  });
}

function print(place: string, { cycles, booted, warm }: SessionFigures): void {
  console.log(`A session with unsaved text, a server, 4 terminals and 200 MiB in use, in ${place}`);
  printTable(
    ['cycle', 'suspend ms', 'resume ms', 'stored MiB'],
    cycles.map(({ suspend, resume, bytes }, n) => [
      String(n + 1),
      suspend.toFixed(0),
      resume.toFixed(0),
      (bytes / MEBIBYTE).toFixed(0),
    ]),
  );
  const [first, last] = [cycles[0], cycles.at(-1)];
  const of = (name: 'suspend' | 'resume') => median(cycles.map((cycle) => cycle[name])).toFixed(0);
  console.log(
    `medians: suspend ${of('suspend')} ms (required: at most ${REQUIRED.suspend}), resume ${of('resume')} ms ` +
      `(at most ${REQUIRED.resume}), first ${first?.resume.toFixed(0)} ms, last ${last?.resume.toFixed(0)} ms; ` +
      'the memory and the programs are as before',
  );
  console.log(
    `Python's prompt: booted ${median([...booted]).toFixed(0)} ms, from a saved start ${median([...warm]).toFixed(0)} ms ` +
      `(required in the page: at most ${REQUIRED.warm})\n`,
  );
}
