/** Where demos are played: the real page, served by the real server, in a browser that one may watch. */
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

/** What a demo has. */
export interface Stage {
  readonly page: Page;
  readonly visitor: Visitor;
  /** Of the page, ending in a slash. */
  readonly url: string;
  /** On this machine: it holds what the demo puts into it. */
  readonly registry: DockerRegistry;
  /** Another one, which does what is wanted of it. */
  readonly moodyRegistry: FakeRegistry;
  /** Takes a picture, and tells what is on it. @returns its file */
  picture(title: string): Promise<string>;
}

export interface Demo {
  readonly title: string;
  play(stage: Stage): Promise<void>;
}

export interface StageOptions {
  /** Where the pictures go, below `dist`. */
  readonly name: string;
  /** Whether the browser is to be seen. */
  readonly headed: boolean;
}

const SIZE = { width: 1280, height: 800 };
/** Between what a visitor does, ms, so that those who watch can follow. */
const PACE = 300;

/** Prepares everything, plays, and cleans up. @returns the folder of the pictures */
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
  try {
    const page = await browser.newPage({ viewport: SIZE });
    let taken = 0;
    await play({
      page,
      visitor: new Visitor(page),
      url: server.url,
      registry,
      moodyRegistry,
      async picture(title) {
        const path = join(pictures, `${++taken}-${title.replaceAll(' ', '-')}.png`);
        await page.screenshot({ path });
        console.log(`  ${title}`);
        return path;
      },
    });
  } finally {
    await browser.close();
    await server.close();
    await registry.stop();
    await moodyRegistry.stop();
    await rm(folder, { recursive: true, force: true });
  }
  return pictures;
}
