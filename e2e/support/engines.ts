/** Scripts in a tab of each engine, for measurements that compare them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Browser, chromium, firefox } from '@playwright/test';
import { CHROMIUM, FIREFOX } from '../browser.ts';
import { forgetWorkers } from './firefox.ts';
import { VirtualScreen, WebKitVisitor } from './webkit.ts';

/** Between two looks into a page, in ms. Each takes some of the processor time that is measured. */
const PERIOD = 200;
const PATIENCE = 300_000;

/** A tab in a browser of its own. */
export interface Tab {
  readonly version: string;
  open(url: string): Promise<void>;
  /** Runs the body of a function in the page, which returns no promise. */
  run<Result>(body: string): Promise<Result>;
  close(): Promise<void>;
}

/** A word on the command line of the browser's first process, and how it is started. */
export interface Engine {
  readonly program: string;
  start(): Promise<Tab>;
}

export const ENGINES = {
  Chromium: { program: 'chromium', start: async () => tabOf(await chromium.launch(CHROMIUM)) },
  Firefox: { program: 'firefox-esr', start: startFirefox },
  WebKit: { program: 'WebKitWebDriver', start: startWebKit },
} satisfies Record<string, Engine>;

async function startFirefox(): Promise<Tab> {
  const browser = await firefox.launch(FIREFOX);
  await forgetWorkers(browser);
  return tabOf(browser);
}

async function tabOf(browser: Browser): Promise<Tab> {
  // A service worker would fetch every file beside the measurement.
  const page = await browser.newPage({ serviceWorkers: 'block' });
  return {
    version: browser.version(),
    open: async (url) => void (await page.goto(url)),
    run: (body) => page.evaluate(`(() => { ${body} })()`),
    close: () => browser.close(),
  };
}

async function startWebKit(): Promise<Tab> {
  const screen = await VirtualScreen.start();
  const visitor = await WebKitVisitor.start({ screen: screen.name, hasSharedMemory: true });
  return {
    version: visitor.version,
    open: (url) => visitor.open(url),
    run: (body) => visitor.run(body),
    close: async () => {
      await visitor.stop();
      screen.stop();
    },
  };
}

/** Asks the page until its answer is true, or a value that counts as true. */
export async function until<Result>(tab: Tab, body: string): Promise<Result> {
  for (const end = Date.now() + PATIENCE; Date.now() < end; await sleep(PERIOD)) {
    const result = await tab.run<Result | null | undefined>(body);
    if (result) return result;
  }
  throw new Error(`${tab.version} does not answer ${body}`);
}

/** Clicks a button as soon as it is there. */
export async function press(tab: Tab, name: string): Promise<void> {
  await until(
    tab,
    `const button = [...document.querySelectorAll('button')].find((each) => each.offsetParent && !each.disabled
      && each.textContent.trim() === ${JSON.stringify(name)});
    button?.click();
    return button !== undefined`,
  );
}
