/** What the demos of previews share: images, frames and figures. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from '@playwright/test';
import { WEB_IMAGES } from '../../scripts/setup/places.mjs';
import { linkTo } from '../support/visitor.ts';
import type { Stage } from './stage.ts';

/** Long enough for Vite's start in a machine whose host is busy, in ms. */
export const PATIENCE = 4 * 60_000;
const SMALL_REQUESTS = 100;

/** Runs a shell, or another program, in an image that `scripts/web-images.mjs` makes, without the network. */
export async function runImage(
  { page, url, visitor, registry }: Stage,
  tag: string,
  program = { entrypoint: 'sh', args: '' },
): Promise<void> {
  if (!existsSync(join(WEB_IMAGES, 'index.json')))
    throw new Error('Make the images of this demo first: node scripts/web-images.mjs');
  const image = await registry.copy(`oci://${WEB_IMAGES}:${tag}`, tag);
  await page.goto(url + linkTo({ image, ...program, memory: '1G', network: 'none' }));
  await visitor.run();
}

/** Opens a port's preview when the page offers it. @returns its frame */
export async function openPreview({ page }: Stage, port: number): Promise<Frame> {
  const notice = page.locator('.port-notice').filter({ hasText: `Port ${port} is open` });
  await notice.getByRole('button', { name: 'Open the preview' }).click({ timeout: PATIENCE });
  const element = page.getByTitle(`Preview of port ${port}`);
  await element.waitFor({ timeout: PATIENCE });
  const frame = await (await element.elementHandle())?.contentFrame();
  if (!frame) throw new Error(`the preview of port ${port} is no frame`);
  return frame;
}

/** Types a line into the second terminal, which opens for it. */
export async function inNewTerminal({ visitor }: Stage, line: string): Promise<void> {
  await visitor.button('New terminal').click();
  await visitor.expectScreen(/[#$]$/);
  await visitor.type(line);
}

/** Measures requests for a small file, one after another. @returns the median and the slowest tenth */
export async function measureLatency(frame: Frame, path: string): Promise<string> {
  const times = await frame.evaluate(
    async ({ count, path }) => {
      const times: number[] = [];
      for (let done = 0; done < count; done++) {
        const start = performance.now();
        await (await fetch(path, { cache: 'no-store' })).text();
        times.push(performance.now() - start);
      }
      return times.sort((a, b) => a - b);
    },
    { count: SMALL_REQUESTS, path },
  );
  const [median, slow] = [0.5, 0.9].map((part) => times[SMALL_REQUESTS * part]?.toFixed(1));
  return `${median} ms, ${slow} ms or more in a tenth`;
}
