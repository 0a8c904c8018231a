import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { BrowserContext, Page } from '@playwright/test';
import { startLinuxRun } from '../e2e/support/linuxrun-server.ts';
import { linkTo, Visitor } from '../e2e/support/visitor.ts';
import { startServer } from '../src/server/server.ts';
import { BUILT, buildPage, withProfile } from './chromium.ts';
import { withFolder } from './folder.ts';
import { findTestImage } from './images.ts';
import { PUBLIC } from './platform.ts';
import { measureSession, type SessionFigures } from './session-run.ts';
import { median, printTable } from './table.ts';

const REQUIRED = { suspend: 1000, resume: 600, warm: 400 };
const MEBIBYTE = 2 ** 20;
/** The folder of the image, which pages find beside them. */
const LAYOUT = 'session-images';
/** A page without activity for this long counts as idle, in ms. */
const SETTLE = 500;

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

/** The same in Chromium, and Python's prompt in the page. @param wasm the path of the core */
export async function benchSessionInChromium(wasm: string, starts: number): Promise<void> {
  const reference = findTestImage('python');
  if (!reference) return;
  await buildPage(wasm);
  await withFolder(async (folder) => {
    const copy = ['copy', '-q', reference.replace('oci://', 'oci:'), `oci:${folder}/${LAYOUT}:python`];
    await promisify(execFile)('skopeo', copy);
    const server = await startServer([BUILT, folder, PUBLIC], 0);
    await withProfile(async (browser) => {
      const page = await browser.newPage();
      await page.goto(new URL('session.html', server.pageUrl).href);
      await page.waitForFunction(() => 'measureHere' in globalThis);
      print('Chromium', await page.evaluate((starts) => measureHere(starts), starts));
    }).finally(() => server.close());
    await benchPromptInPage(folder, starts);
  });
}

/** From the click on Run to Python's prompt, and to the answer to a line typed at once; in ms. */
interface Prompt {
  readonly shown: number;
  readonly answered: number;
}

/** @param folder which has the image */
async function benchPromptInPage(folder: string, starts: number): Promise<void> {
  const server = await startLinuxRun([], { folders: [folder] });
  const url = server.pageUrl + linkTo({ image: `oci://${LAYOUT}:python`, entrypoint: 'python3' });
  await withProfile(async (browser) => {
    await saveStart(await browser.newPage(), url);
    const prompts: Prompt[] = [];
    for (let start = 0; start < starts; start++) prompts.push(await startPrompt(browser, url));
    const of = (name: keyof Prompt) => prompts.map((prompt) => prompt[name]);
    console.log(`From the click on Run to Python's prompt from a saved start: medians of ${starts}`);
    const row = (title: string, times: number[]) => [
      title,
      ...[median(times), Math.min(...times), Math.max(...times)].map((time) => time.toFixed(0)),
    ];
    printTable(
      ['since the click', 'ms', 'best', 'worst'],
      [row('prompt', of('shown')), row('answer to a line typed at once', of('answered'))],
    );
    console.log(`prompt after ${median(of('shown')).toFixed(0)} ms (required: at most ${REQUIRED.warm})\n`);
  }).finally(() => server.close());
}

/** Saves the start of the container at its first prompt. */
async function saveStart(page: Page, url: string): Promise<void> {
  const visitor = new Visitor(page);
  await page.goto(url);
  await visitor.run();
  await visitor.expectScreen(/^>>>$/m);
  // What somebody has typed into is kept, and can be saved.
  await visitor.type('');
  await visitor.button(/^Kept$/).click();
  await visitor.button('Start here next time').click();
  await visitor.button('Starts here next time').waitFor();
  await page.close();
}

async function startPrompt(browser: BrowserContext, url: string): Promise<Prompt> {
  const page = await browser.newPage();
  const visitor = new Visitor(page);
  await page.goto(url, { waitUntil: 'networkidle' });
  await page.waitForTimeout(SETTLE);
  const watched = page.evaluate(watchScreen);
  await visitor.run();
  await visitor.type('6 * 7');
  const prompt = await watched;
  await page.close();
  return prompt;
}

/** In the page: looks at its screen again and again. The serializer of functions allows no names inside. */
function watchScreen(): Promise<Prompt> {
  return new Promise((resolve) => {
    let click = Number.NaN;
    let shown = Number.NaN;
    addEventListener(
      'click',
      () => {
        click = performance.now();
      },
      { capture: true, once: true },
    );
    const timer = setInterval(() => {
      const rows = [...document.querySelectorAll('.xterm-rows > div')].map((row) => row.textContent);
      const now = performance.now() - click;
      if (Number.isNaN(shown) && rows.some((row) => row.startsWith('>>>'))) shown = now;
      if (!rows.some((row) => row.trim() === '42')) return;
      clearInterval(timer);
      resolve({ shown, answered: now });
    }, 4);
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
