/**
 * Measures the page in Chromium: the bytes that it loads, and the time from a click on Run to the output of a
 * stored image. The page sets performance marks (`src/app/stores/session.ts`).
 */
import { type Browser, type BrowserContext, chromium, type Page } from '@playwright/test';
import { CHROMIUM } from '../e2e/browser.ts';
import { forPrograms, startLinuxRun } from '../e2e/support/linuxrun-server.ts';
import { median, printTable } from './table.ts';

const IMAGE = 'oci://images:hello-world';
/** In ms. */
const OUTPUT_REQUIRED = 150;
/** The most bytes that a first visit may load, compared with one whose machine boots. */
const WEIGHT_REQUIRED = 1.05;
/**
 * Time of TinyEMU in WebAssembly from its start to the first line of PID 1, on two cores of an AMD EPYC, in
 * ms.
 */
const TINYEMU_BOOT = 410;
const SCRIPT_REQUIRED = 150 << 10;
/** A page without activity for this long counts as idle, in ms. */
const SETTLE = 500;
const PREFIX = 'linuxrun:';

/** A service worker would fetch every file beside the measurement. */
const NO_WORKER = { serviceWorkers: 'block' } as const;

/** Milliseconds since the click, by the mark's name without its prefix. */
type Moments = ReadonlyMap<string, number>;

/** Bytes transferred over the network. */
interface Weight {
  readonly script: number;
  readonly all: number;
}

interface Weights {
  readonly form: Weight;
  readonly output: Weight;
}

/**
 * Runs the image `repeat` times, each in a new page of one profile, in turn with one whose machines boot, and
 * prints tables.
 */
export async function benchPage(repeat: number): Promise<void> {
  const server = await startLinuxRun([]);
  const browser = await chromium.launch(CHROMIUM);
  try {
    const url = `${server.pageUrl}?LINUXRUN_IMAGE=${IMAGE}`;
    await compressAll(await newVisitor(browser), url);
    await compressAll(await newVisitor(browser, BOOTS), url);
    printWeights(
      await weigh(await newVisitor(browser), url),
      await weigh(await newVisitor(browser, BOOTS), url),
    );

    const visitors = [await newVisitor(browser), await newVisitor(browser, BOOTS)];
    for (const visitor of visitors) await runOnce(visitor, url); // stores the image
    const runs: Moments[][] = [[], []];
    for (let round = 0; round < repeat; round++)
      for (const [n, visitor] of visitors.entries()) runs[n]?.push(await runOnce(visitor, url));
    const [usual = [], booting = []] = runs;
    printMoments(usual, booting);
  } finally {
    await browser.close();
    await server.close();
  }
}

/** The machines of a visitor boot if the one that has booted cannot be loaded. */
const BOOTS = true;

export async function newVisitor(browser: Browser, boots = false): Promise<BrowserContext> {
  const context = await browser.newContext(NO_WORKER);
  if (boots) await context.route(/\/kernel\/booted/, (route) => route.abort());
  return context;
}

/** Our server compresses a file after the first request for it; the kernel takes longest. */
async function compressAll(context: BrowserContext, url: string): Promise<void> {
  const page = await context.newPage();
  await page.goto(url, { waitUntil: 'networkidle' });
  const kernel = forPrograms(new URL('kernel/Image', url).href);
  const isCompressed = async () => (await page.request.head(kernel)).headers()['content-encoding'] === 'br';
  while (!(await isCompressed())) await page.waitForTimeout(SETTLE);
  await context.close();
}

/** Opens the page and runs the image, in a tab of its own. */
async function runOnce(context: BrowserContext, url: string): Promise<Moments> {
  const page = await context.newPage();
  await page.goto(url, { waitUntil: 'networkidle' });
  await page.waitForTimeout(SETTLE);
  await clickRun(page);
  const marks = await page.evaluate(
    (prefix) =>
      performance
        .getEntriesByType('mark')
        .filter(({ name }) => name.startsWith(prefix))
        .map(({ name, startTime }) => [name.slice(prefix.length), startTime] as const),
    PREFIX,
  );
  await page.close();
  const click = new Map(marks).get('click') ?? Number.NaN;
  return new Map(
    marks.filter(([name]) => name !== 'interactive').map(([name, startTime]) => [name, startTime - click]),
  );
}

/** The time from the click on Run to the output, in ms, in a tab of its own. */
export async function measureStart(context: BrowserContext, url: string): Promise<number> {
  return (await runOnce(context, url)).get('first-output') ?? Number.NaN;
}

async function clickRun(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  await page.waitForFunction(
    (name) => performance.getEntriesByName(name).length > 0,
    `${PREFIX}first-output`,
  );
}

/**
 * The bytes that the page has loaded when its form accepts input, and when the container's output appears.
 */
async function weigh(context: BrowserContext, url: string): Promise<Weights> {
  const page = await context.newPage();
  const loaded: { at: number; bytes: number; isScript: boolean }[] = [];
  page.on('response', (response) => {
    // Chromium does not report the transfer size of worker scripts.
    const bytes = Number(response.headers()['content-length'] ?? 0);
    loaded.push({ at: Date.now(), bytes, isScript: /\.m?js$/.test(new URL(response.url()).pathname) });
  });
  await page.goto(url);
  const form = await page.waitForFunction((name) => {
    const [mark] = performance.getEntriesByName(name);
    return mark && performance.timeOrigin + mark.startTime;
  }, `${PREFIX}interactive`);
  const formAt = await form.jsonValue();
  await clickRun(page);
  const outputAt = Date.now();
  await context.close();
  const until = (moment: number): Weight => {
    const before = loaded.filter(({ at }) => at <= moment);
    const sum = (some: typeof loaded) => some.reduce((total, { bytes }) => total + bytes, 0);
    return { script: sum(before.filter(({ isScript }) => isScript)), all: sum(before) };
  };
  return { form: until(formAt ?? 0), output: until(outputAt) };
}

function printWeights({ form, output }: Weights, booting: Weights): void {
  const kib = (bytes: number) => (bytes / 1024).toFixed(0);
  console.log('Loaded by a first visit, compressed, KiB');
  printTable(
    ['', 'script', 'all'],
    [
      ['until the form takes input', kib(form.script), kib(form.all)],
      ["until a container's output", kib(output.script), kib(output.all)],
      ['the same if its machine boots', kib(booting.output.script), kib(booting.output.all)],
    ],
  );
  const ratio = (output.all / booting.output.all).toFixed(3);
  console.log(
    `${kib(form.script)} KiB of script before the form (required: at most ${kib(SCRIPT_REQUIRED)})\n` +
      `${ratio} × the bytes of a visit whose machine boots (required: at most ${WEIGHT_REQUIRED.toFixed(2)})\n`,
  );
}

function printMoments(runs: readonly Moments[], booting: readonly Moments[]): void {
  const of = (name: string, from = runs) => from.map((moments) => moments.get(name) ?? Number.NaN);
  const names = [...(runs[0]?.keys() ?? [])]
    .filter((name) => name !== 'click' && runs.every((moments) => moments.has(name)))
    .sort((a, b) => median(of(a)) - median(of(b)));
  console.log(`Run of a stored image in the page: medians of ${runs.length}`);
  printTable(
    ['since the click', 'ms', 'best', 'worst'],
    names.map((name) => [
      name,
      median(of(name)).toFixed(0),
      Math.min(...of(name)).toFixed(0),
      Math.max(...of(name)).toFixed(0),
    ]),
  );
  const output = median(of('first-output'));
  const booted = median(of('first-output', booting));
  console.log(
    `output after ${output.toFixed(0)} ms (required: at most ${OUTPUT_REQUIRED}), ` +
      `${(output / booted).toFixed(2)} × the ${booted.toFixed(0)} ms of machines that boot, ` +
      `${(output / TINYEMU_BOOT).toFixed(2)} × TinyEMU's boot alone\n`,
  );
}
