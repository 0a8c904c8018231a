import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ContainerInUseError } from '../storage/container-store.ts';
import { nodeDisks, nodeStore } from '../storage/node.ts';
import { copyOut, recover, writeImage } from './testing/check-disk.ts';
import { lines } from './testing/lines.ts';
import { DEMO_IMAGES, pull } from './testing/run.ts';

const SIZE = 64 << 20;
const NAME = 'killed';
const ROUNDS = process.env.LONG_TESTS ? 120 : 2;
/** Rounds whose files stay, because the disk is small. */
const KEPT_ROUNDS = 4;
const TIMEOUT = process.env.LONG_TESTS ? 4 * 3_600_000 : 120_000;
const CHILD = join(import.meta.dirname, 'testing/kept-child.ts');

let folder: string;
let id: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'linuxrun-kill-'));
  const image = await pull(`${DEMO_IMAGES}:busybox`, folder);
  const record = { reference: 'busybox', digest: image.digest, config: '{}', layers: image.layers };
  const rest = { options: {}, created: 1, lastUsed: 1, diskBytes: SIZE };
  id = randomUUID();
  await (await nodeStore(folder).containers.create({ name: NAME, id, ...record, ...rest })).close();
  await image.release();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes without an end. A line tells that a file is synced. */
function script(round: number): string {
  return `mkdir -p /d; cd /d; rm -f s${round - KEPT_ROUNDS}.*; echo ready; i=0
    while true; do
      dd if=/dev/urandom of=u bs=1k count=$((1 + i * 37 % 150)) 2>/dev/null
      dd if=/dev/urandom of=s${round}.$i bs=1k count=$((1 + i * 53 % 200)) 2>/dev/null
      [ $((i % 3)) = 0 ] && mv u m
      sha256sum s${round}.$i > sum
      if [ $((i % 2)) = 0 ]; then sync; else dd if=/dev/null of=s${round}.$i conv=notrunc,fsync bs=1 count=0 2>/dev/null; fi
      cat sum; i=$((i + 1))
    done`;
}

function start(round: number): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', CHILD, folder, NAME, script(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Everything of the store but the disk and the times of uses. */
function others(): string {
  const hash = createHash('sha256');
  const options = { recursive: true, withFileTypes: true } as const;
  const files = readdirSync(join(folder, 'values'), options).filter((file) => file.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  for (const path of paths.filter((each) => !each.startsWith(join(folder, 'values/used'))))
    hash.update(`${path}\n`).update(readFileSync(path));
  return hash.digest('hex');
}

/** Hashes of synced files by name. */
const synced = new Map<string, string>();

test('a killed process leaves a whole disk, with what was synced', { timeout: TIMEOUT }, async () => {
  const before = others();
  for (let round = 0; round < ROUNDS; round++) {
    const child = start(round);
    const moment = 1 + ((round * 7) % 23);
    let count = 0;
    const output = Readable.toWeb(child.stdout as Readable) as ReadableStream<Uint8Array>;
    for await (const line of lines(output)) {
      if (line === 'ready') {
        for (const name of synced.keys())
          if (name.startsWith(`s${round - KEPT_ROUNDS}.`)) synced.delete(name);
        continue;
      }
      const [hash = '', name = ''] = line.split(/\s+/);
      synced.set(name, hash);
      // The kill comes in the middle of what follows.
      if (++count === moment) setTimeout(() => child.kill('SIGKILL'), (round * 37) % 90);
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
    await check(round);
    expect(others()).toBe(before);
  }
  expect(synced.size).toBeGreaterThan(Math.min(ROUNDS, KEPT_ROUNDS));
});

async function check(round: number): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'linuxrun-kill-check-'));
  try {
    const image = join(work, 'image');
    const file = await nodeDisks(folder).open(id);
    await writeImage(file, SIZE, image);
    file.close();
    recover(image);
    copyOut(image, '/d', work);
    for (const [name, hash] of synced) {
      const found = createHash('sha256')
        .update(readFileSync(join(work, 'd', name)))
        .digest('hex');
      expect(`${round} ${name} ${found}`).toBe(`${round} ${name} ${hash}`);
    }
  } finally {
    rmSync(work, { recursive: true });
  }
}

test('a container has one owner, which may be killed', async () => {
  const { containers } = nodeStore(folder);
  const child = start(999);
  for await (const line of lines(Readable.toWeb(child.stdout as Readable) as ReadableStream<Uint8Array>)) {
    if (line !== 'ready') continue;
    const refused = containers.open(NAME);
    await expect(refused).rejects.toThrow(ContainerInUseError);
    await expect(refused).rejects.toThrow(/"killed" is running in this or another process: stop it first/);
    child.kill('SIGKILL');
  }
  const mine = await containers.open(NAME);
  await mine.close();
});
