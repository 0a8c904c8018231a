/** Runs programs in a page in Chromium. */
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContext } from '@playwright/test';
import { startServer } from '../src/server/server.ts';
import { BUILT, buildPage, rendererTime, withProfile } from './chromium.ts';
import type { StoredImage, Stretch } from './containers.ts';
import { type Engine, NONE, type Runner } from './engine.ts';
import { withFolder } from './folder.ts';
import { MEMORY_MIB } from './linux.ts';
import type { PageRun, PageStretch } from './page/program.ts';
import { PUBLIC } from './platform.ts';
import type { Program } from './programs.ts';
import type { StoredCode } from './stored-code.ts';

declare const pull: (reference: string) => Promise<void>;
declare const runProgram: (run: PageRun) => Promise<PageStretch>;
declare const storedCode: () => Promise<StoredCode>;

/** The folder of the image's layout, which pages find beside them. */
const LAYOUT = 'program-images';

/** @param wasm the path of the core */
export async function chromiumEngine(wasm: string): Promise<Engine> {
  await buildPage(wasm);
  return { title: 'Chromium', withRunner };
}

async function withRunner(image: StoredImage, use: (runner: Runner) => Promise<void>): Promise<void> {
  const [, layout = '', tag = ''] = /^oci:\/\/(.*):(.*)$/.exec(image.reference) ?? [];
  await withFolder(async (folder) => {
    await symlink(layout, join(folder, LAYOUT));
    const server = await startServer([BUILT, folder, PUBLIC], 0);
    try {
      await withProfile(async (browser) => {
        const url = new URL('program.html', server.pageUrl).href;
        const runner = new ChromiumRunner(browser, url, `oci://${LAYOUT}:${tag}`);
        await runner.pull();
        await use(runner);
      }, 'allow');
    } finally {
      await server.close();
    }
  });
}

class ChromiumRunner implements Runner {
  readonly #browser: BrowserContext;
  readonly #url: string;
  readonly #reference: string;

  constructor(browser: BrowserContext, url: string, reference: string) {
    this.#browser = browser;
    this.#url = url;
    this.#reference = reference;
  }

  async pull(): Promise<void> {
    const page = await this.#open(() => {});
    await page.evaluate((reference) => pull(reference), this.#reference);
    await page.close();
  }

  async run(program: Program, code: StoredCode | 'interpreted'): Promise<Stretch> {
    const clocks: number[] = [];
    const page = await this.#open(() => clocks.push(rendererTime()));
    const { elapsed, output } = await page.evaluate(
      (run) => runProgram(run),
      this.#runOf(program, code === 'interpreted' ? undefined : code),
    );
    await page.close();
    const [before = Number.NaN, after = Number.NaN] = clocks;
    return { elapsed, output, cpu: after - before };
  }

  async train(program: Program): Promise<StoredCode> {
    const page = await this.#open(() => {});
    await page.evaluate((run) => runProgram(run), { ...this.#runOf(program, NONE), toTheEnd: true });
    const made = await page.evaluate(() => storedCode());
    await page.close();
    // Chromium keeps its own code of the modules that this run makes of the stored code.
    await this.run(program, made);
    return made;
  }

  #runOf({ command, from, to, memoryMib = MEMORY_MIB, cpus = 1 }: Program, code?: StoredCode): PageRun {
    return {
      ...{ reference: this.#reference, command, memoryMib, cpus, code, toTheEnd: false },
      ...{ from: from?.source, to: to.source },
    };
  }

  /** Opens a page of its own for each run. @param onMark called when the page has seen a mark */
  async #open(onMark: () => void) {
    const page = await this.#browser.newPage();
    await page.exposeFunction('mark', () => void onMark());
    await page.goto(this.#url);
    await page.waitForFunction(() => 'runProgram' in globalThis);
    return page;
  }
}
