/** Kept containers in Chromium: tabs that crash, a browser that is killed, a store that is full. */
import { createHash } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, expect, type Page, test } from '@playwright/test';
import type { Role } from '../src/api/testing/killed.ts';
import { Expected, Killer, roundOf } from '../src/api/testing/kills.ts';
import { copyOut, recover } from '../src/container/testing/check-disk.ts';
import type { ContainerRecord } from '../src/storage/container-store.ts';
import { CHROMIUM } from './browser.ts';
import { type ContainerPage, serveContainerPage } from './support/container-page.ts';

const MIB = 1 << 20;
const SIZE = 64 * MIB;
const CHUNK = 64 << 10;
const IMAGE = 'oci://images:busybox';
/** Rounds whose files stay, because the disk is small. */
const KEPT_ROUNDS = 4;
const ROUNDS = Number(process.env.FUZZ_RUNS ?? (process.env.LONG_TESTS ? 80 : 2));

declare const startKept: (name: string, reference: string, script: string, bytes: number) => Promise<void>;
declare const writeKept: (input: string) => Promise<void>;
declare const stopKept: () => Promise<void>;
declare const readKept: (name: string, checkpoint?: number) => Promise<[number, string][]>;
declare const recordOf: (name: string) => Promise<ContainerRecord | undefined>;
declare const createKilled: (image: string, name: string) => Promise<void>;
declare const workUntilKilled: (image: string, role: Role) => Promise<never>;
declare const layersOf: () => Promise<string>;

let server: ContainerPage;
let folder: string;
test.beforeAll(async () => {
  server = await serveContainerPage('e2e-kept');
});
test.afterAll(() => server.close());
test.beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'linuxrun-kept-e2e-'));
});
test.afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));

/** A page in a browser with a profile of its own, and the lines that its container writes. */
class Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly lines: string[] = [];
  onLine: (line: string) => void = () => {};
  #rest = '';

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
  }

  static async begin(): Promise<Visit> {
    const context = await chromium.launchPersistentContext(join(folder, 'profile'), CHROMIUM);
    return Visit.open(context);
  }

  static async open(context: BrowserContext): Promise<Visit> {
    const visit = new Visit(context, await context.newPage());
    await visit.page.exposeFunction('tell', (text: string) => visit.#take(text));
    await visit.page.goto(server.pageUrl);
    return visit;
  }

  start(name: string, script: string, bytes = SIZE): Promise<void> {
    return this.page.evaluate(([name, image, script, bytes]) => startKept(name, image, script, bytes), [
      name,
      IMAGE,
      script,
      bytes,
    ] as const);
  }

  #take(text: string): void {
    const parts = (this.#rest + text).split('\n');
    this.#rest = parts.pop() ?? '';
    for (const line of parts) {
      this.lines.push(line);
      this.onLine(line);
    }
  }

  /** The tab crashes, as for want of memory. */
  async crash(): Promise<void> {
    const crashed = this.page.waitForEvent('crash');
    const session = await this.context.newCDPSession(this.page);
    session.send('Page.crash').catch(() => {});
    await crashed;
  }

  /** The whole browser is killed. */
  async kill(): Promise<void> {
    const closed = this.context.waitForEvent('close');
    for (const pid of browserProcesses(join(folder, 'profile'))) process.kill(pid, 'SIGKILL');
    await closed;
  }
}

/** The processes of the browser with this profile. Its first one has no type. */
function browserProcesses(profile: string): number[] {
  const own = `--user-data-dir=${profile}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        return args.includes(own) && !args.some((each) => each.startsWith('--type='));
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Writes a kept disk, now or at a checkpoint, to a file. */
async function writeDisk(page: Page, name: string, image: string, checkpoint?: number): Promise<void> {
  const fd = openSync(image, 'w');
  ftruncateSync(fd, SIZE);
  const read = ([name, checkpoint]: readonly [string, number | undefined]) => readKept(name, checkpoint);
  for (const [chunk, text] of await page.evaluate(read, [name, checkpoint] as const))
    writeSync(fd, Buffer.from(text, 'base64'), 0, CHUNK, chunk * CHUNK);
  closeSync(fd);
}

async function check(page: Page, name: string, synced: ReadonlyMap<string, string>): Promise<void> {
  const image = join(folder, 'image');
  await writeDisk(page, name, image);
  recover(image);
  const copy = join(folder, 'copy');
  copyOut(image, '/d', copy);
  for (const [file, hash] of synced) {
    const found = createHash('sha256')
      .update(readFileSync(join(copy, 'd', file)))
      .digest('hex');
    expect(`${file} ${found}`).toBe(`${file} ${hash}`);
  }
  rmSync(copy, { recursive: true });
}

const script = (round: number) => `mkdir -p /d; cd /d; rm -f s${round - KEPT_ROUNDS}.*; i=0
  while true; do
    dd if=/dev/urandom of=u bs=1k count=$((1 + i * 37 % 150)) 2>/dev/null
    dd if=/dev/urandom of=s${round}.$i bs=1k count=$((1 + i * 53 % 200)) 2>/dev/null
    [ $((i % 3)) = 0 ] && mv u m
    sha256sum s${round}.$i > sum; sync; cat sum; i=$((i + 1))
  done`;

test('a tab that crashes and a browser that is killed leave a whole disk', async () => {
  test.setTimeout(120_000 + ROUNDS * 60_000);
  const synced = new Map<string, string>();
  let visit = await Visit.begin();
  let before = '';
  for (let round = 0; round < ROUNDS; round++) {
    const moment = 1 + ((round * 5) % 11);
    const reached = new Promise<void>((resolve) => {
      visit.onLine = () => {
        if (visit.lines.length === moment) setTimeout(resolve, (round * 37) % 90);
      };
    });
    await visit.start('a', script(round));
    for (const name of synced.keys()) if (name.startsWith(`s${round - KEPT_ROUNDS}.`)) synced.delete(name);
    before ||= await visit.page.evaluate(() => layersOf());
    await reached;
    if (round % 2 === 0) await visit.crash();
    else await visit.kill();
    for (const line of visit.lines) {
      const [hash = '', name = ''] = line.split(/\s+/);
      synced.set(name, hash);
    }
    visit = round % 2 === 0 ? await Visit.open(visit.context) : await Visit.begin();
    await check(visit.page, 'a', synced);
    expect(await visit.page.evaluate(() => layersOf())).toBe(before);
  }
  expect(synced.size).toBeGreaterThanOrEqual(Math.min(ROUNDS, KEPT_ROUNDS));
  await visit.context.close();
});

test('what ends a tab that saves leaves the older session or the newer, with its disk', async () => {
  test.setTimeout(120_000 + ROUNDS * 60_000);
  const killer = new Killer();
  const expected = new Expected();
  let visit = await Visit.begin();
  await visit.page.evaluate((image) => createKilled(image, 'a'), IMAGE);
  for (let round = 0; round < ROUNDS; round++) {
    const { role, moment } = roundOf(round);
    await new Promise<void>((resolve, reject) => {
      let isKilled = false;
      const { see, end } = killer.begin(moment, () => {
        isKilled = true;
        (round % 2 === 0 ? visit.crash() : visit.kill()).then(end).then(resolve, reject);
      });
      visit.onLine = (line) => {
        see(line);
        try {
          expected.note(role, line);
        } catch (error) {
          reject(error);
        }
      };
      const working = visit.page.evaluate(([image, role]) => workUntilKilled(image, role), [
        IMAGE,
        role,
      ] as const);
      working.catch((error) => {
        if (!isKilled) reject(error);
      });
    });
    visit = round % 2 === 0 ? await Visit.open(visit.context) : await Visit.begin();
    const record = await visit.page.evaluate(() => recordOf('a'));
    await expected.check(role, record, (image, checkpoint) => writeDisk(visit.page, 'a', image, checkpoint));
    killer.tell();
  }
  await visit.context.close();
});

test('a container runs in one tab, and a full store harms nothing', async () => {
  const visit = await Visit.begin();
  const session = await visit.context.newCDPSession(visit.page);
  const origin = new URL(server.pageUrl).origin;
  await visit.start(
    'a',
    `mkdir /d; cd /d; dd if=/dev/urandom of=before bs=64k count=16 conv=fsync 2>/dev/null; sha256sum before
     echo filled; read line
     dd if=/dev/zero of=big bs=64k count=600 conv=fsync 2>/dev/null || echo failed
     mkdir folder && echo made; read line
     dd if=/dev/urandom of=after bs=64k count=100 conv=fsync 2>/dev/null && sha256sum after; sync; echo end; read line`,
  );
  await expect.poll(() => visit.lines).toContain('filled');

  const other = await Visit.open(visit.context);
  await expect(other.start('a', 'true')).rejects.toThrow(
    /"a" is running in this or another tab: stop it first/,
  );
  await other.page.close();

  const { usage = 0 } = await visit.page.evaluate(() => navigator.storage.estimate());
  await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: usage + 10 * MIB });
  await visit.page.evaluate(() => writeKept('\n'));
  await expect.poll(() => visit.lines).toContain('made');
  expect(visit.lines).toContain('failed');
  expect(visit.lines.join('\n')).toMatch(/^problem: the browser has no more room for containers: /m);

  await session.send('Storage.overrideQuotaForOrigin', { origin });
  await visit.page.evaluate(() => writeKept('\n'));
  await expect.poll(() => visit.lines).toContain('end');
  expect(visit.lines).toContain('problem: undefined');
  await visit.page.evaluate(() => stopKept());
  const hashes = visit.lines.map((line) => line.split(/\s+/)).filter(([hash = '']) => hash.length === 64);
  expect(hashes).toHaveLength(2);
  await check(visit.page, 'a', new Map(hashes.map(([hash = '', name = '']) => [name, hash])));
  await visit.context.close();
});
