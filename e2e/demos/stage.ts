/** The stage of a demo: the real page, served by the real server, in a browser that may be visible. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from '@playwright/test';
import { inProject } from '../../scripts/setup/places.mjs';
import { FakeRegistry } from '../../src/oci/testing/fake-registry.ts';
import { DockerRegistry } from '../../src/server/registry/testing/docker-registry.ts';
import { CHROMIUM } from '../browser.ts';
import { startLinuxRun } from '../support/linuxrun-server.ts';
import { Visitor } from '../support/visitor.ts';

/** The tools of a demo. */
export interface Stage {
  readonly page: Page;
  readonly visitor: Visitor;
  /** The URL of the page, ending in a slash. */
  readonly url: string;
  /** A registry on this machine, which holds the images that the demo puts into it. */
  readonly registry: DockerRegistry;
  /** Another registry, which behaves as the demo tells it. */
  readonly moodyRegistry: FakeRegistry;
  /** Takes a picture, and prints its description. @returns the path of the picture */
  picture(title: string): Promise<string>;
}

export interface Demo {
  readonly title: string;
  play(stage: Stage): Promise<void>;
}

export interface StageOptions {
  /** The folder of the pictures, below `dist`. */
  readonly name: string;
  /** Whether the browser is visible. */
  readonly headed: boolean;
}

const SIZE = { width: 1280, height: 800 };
/** The pause between the visitor's actions, in ms, so that people can follow a visible demo. */
const PACE = 300;

/** Prepares everything, plays the demo, and cleans up. @returns the folder of the pictures */
export async function onStage(
  { name, headed }: StageOptions,
  play: (stage: Stage) => Promise<void>,
): Promise<string> {
  const pictures = inProject(join('dist', name));
  await rm(pictures, { recursive: true, force: true });
  await mkdir(pictures, { recursive: true });
  const folder = await mkdtemp(join(tmpdir(), 'linuxrun-demo-'));
  const registry = await DockerRegistry.start(folder);
  const moodyRegistry = await FakeRegistry.start();
  const server = await startLinuxRun([registry.host, moodyRegistry.host]);
  const browser = await chromium.launch({ ...CHROMIUM, headless: !headed, slowMo: headed ? PACE : 0 });
  const page = await browser.newPage({ viewport: SIZE });
  try {
    let taken = 0;
    await play({
      page,
      visitor: new Visitor(page),
      url: server.pageUrl,
      registry,
      moodyRegistry,
      async picture(title) {
        const path = join(pictures, `${++taken}-${title.replaceAll(' ', '-')}.png`);
        await page.screenshot({ path });
        console.log(`  ${title}`);
        return path;
      },
    });
  } catch (error) {
    await page.screenshot({ path: join(pictures, 'failure.png') });
    throw error;
  } finally {
    await browser.close();
    await server.close();
    await registry.stop();
    await moodyRegistry.stop();
    await rm(folder, { recursive: true, force: true });
  }
  return pictures;
}
