import { performance } from 'node:perf_hooks';
import { HELLO_WORLD, type Visitor } from './visitor.ts';

/** A start takes half a second, and a few seconds on a busy computer. */
const PATIENCE = 60_000;
/** The page prepares a session while it waits. The clicks come before, during and after that. */
const LONGEST_PAUSE = 2000;

export interface Starts {
  /** From the click to the container's end, in ms, the shortest first. */
  readonly times: readonly number[];
  /** The starts that hung, with the page's last message. */
  readonly hung: readonly string[];
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
  for (let start = 1; start <= count; start++) {
    await visitor.open({ image: HELLO_WORLD });
    await page.waitForTimeout((LONGEST_PAUSE * start) / count);
    const click = performance.now();
    await visitor.run();
    try {
      await visitor.state.getByText('Ended with status 0').waitFor({ timeout: PATIENCE });
      times.push(performance.now() - click);
    } catch {
      hung.push(`start ${start}: ${await page.locator('main').innerText()}`);
    }
    onStart(start);
  }
  return { times: times.sort((a, b) => a - b), hung };
}
