/** Measures small requests through the preview of a server in a container, in Chromium. */
import { type Browser, chromium, type Frame, type Page } from '@playwright/test';
import { CHROMIUM } from '../e2e/browser.ts';
import { startLinuxRun } from '../e2e/support/linuxrun-server.ts';
import { median, printTable } from './table.ts';

const PORT = 8000;
const SERVER = `mkdir /www; echo hello > /www/index.html; httpd -p ${PORT} -h /www; sh`;
const REQUESTS = 200;
const REQUIRED = 10;
/** In ms. */
const PATIENCE = 60_000;
const SETTLE = 100;

/** Prints the times of requests, one after the other, from a preview's page. */
export async function benchPreview(repeat: number): Promise<void> {
  const server = await startLinuxRun([]);
  const browser = await chromium.launch(CHROMIUM);
  try {
    const query = new URLSearchParams({
      LINUXRUN_IMAGE: 'oci://images:busybox',
      LINUXRUN_ENTRYPOINT: 'sh',
      LINUXRUN_ARGS: `-c "${SERVER}"`,
    });
    const times: number[][] = [];
    for (let round = 0; round < repeat; round++)
      times.push(await measure(browser, `${server.pageUrl}?${query}`));
    console.log(`${REQUESTS} requests through a preview in Chromium: medians of ${repeat}`);
    const of = (share: number) =>
      median(times.map((each) => each[Math.floor(share * each.length)] as number));
    printTable(
      ['', 'ms'],
      [
        ['median', of(0.5).toFixed(1)],
        ['90 %', of(0.9).toFixed(1)],
      ],
    );
    console.log(`required: at most ${REQUIRED} ms\n`);
  } finally {
    await browser.close();
    await server.close();
  }
}

/** @returns the times in ms, sorted */
async function measure(browser: Browser, url: string): Promise<number[]> {
  const context = await browser.newContext({ serviceWorkers: 'allow' });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  await page.goto(url);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.getByRole('button', { name: 'Open the preview' }).first().click();
  const frame = await previewIn(page);
  const times = await frame.evaluate(async (count) => {
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const start = performance.now();
      await (await fetch('/')).text();
      times.push(performance.now() - start);
    }
    return times;
  }, REQUESTS);
  await context.close();
  return times.sort((a, b) => a - b);
}

/** The frame with the server's page, beside that of the bridge. */
async function previewIn(page: Page): Promise<Frame> {
  const isIt = (frame: Frame) => new RegExp(`^http://${PORT}-[^/]+/$`).test(frame.url());
  for (let waited = 0; waited < PATIENCE; waited += SETTLE) {
    const frame = page.frames().find(isIt);
    if (frame && (await frame.getByText('hello').count()) > 0) return frame;
    await page.waitForTimeout(SETTLE);
  }
  throw new Error('the preview does not show its page');
}
