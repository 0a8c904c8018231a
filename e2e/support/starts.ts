import { performance } from 'node:perf_hooks';
import { HELLO_WORLD, type Visitor } from './visitor.ts';

/** A start takes half a second, and a few seconds on a busy computer. */
const PATIENCE = 60_000;
/** Between two looks at the page, in ms. */
const PERIOD = 50;
const ENDED = /Ended with status 0/;
/** The page prepares a session while it waits. The clicks come before, during and after that. */
const LONGEST_PAUSE = 2000;

export interface Starts {
  /** From the click to the container's end, in ms, the shortest first. */
  readonly times: readonly number[];
  /** The starts that hung, with the page's last message. */
  readonly hung: readonly string[];
  /** The number of starts whose worker stayed silent, and was replaced. */
  readonly replaced: number;
}

/** Starts hello-world again and again in one tab, each time on a page that has just been loaded. */
export async function startAgain(
  visitor: Visitor,
  count: number,
  onStart: (start: number) => void = () => {},
): Promise<Starts> {
  const { page } = visitor;
  const times: number[] = [];
  const hung: string[] = [];
  let replaced = 0;
  for (let start = 1; start <= count; start++) {
    await visitor.open({ image: HELLO_WORLD });
    await page.waitForTimeout((LONGEST_PAUSE * start) / count);
    const click = performance.now();
    await visitor.run();
    let isReplaced = false;
    let text: string;
    do {
      text = await page.locator('main').innerText();
      isReplaced ||= /Trying again/.test(text);
      await page.waitForTimeout(PERIOD);
    } while (!ENDED.test(text) && performance.now() - click < PATIENCE);
    if (ENDED.test(text)) times.push(performance.now() - click);
    else hung.push(`start ${start}: ${text}`);
    if (isReplaced) replaced++;
    onStart(start);
  }
  return { times: times.sort((a, b) => a - b), hung, replaced };
}
