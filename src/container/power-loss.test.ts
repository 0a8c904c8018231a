import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KeptDisk } from '../disk/kept-disk.ts';
import { type Chunk, readKeptDisk } from '../disk/kept-disk-file.ts';
import { PowerLossFile } from '../disk/testing/power-loss-file.ts';
import type { Machine } from '../machine/machine.ts';
import { nodeDisks } from '../storage/node.ts';
import { copyOut, recover, writeImage } from './testing/check-disk.ts';
import { runOnKeptDisk, startKeptMachine } from './testing/kept-machine.ts';
import { lines } from './testing/lines.ts';
import { store } from './testing/run.ts';
import { decodeLog, LOG_FILE, type LogEntry } from './testing/write-log.ts';

const MIB = 1 << 20;
const SIZE = 64 * MIB;
const ROUNDS = process.env.LONG_TESTS ? 300 : 10;
const FILES = process.env.LONG_TESTS ? 60 : 14;
const SEED = Number(process.env.FUZZ_SEED ?? 1);

/** Files that are synced and never changed again, among others that come, grow, move and go. */
const SCRIPT = `
  mkdir /d; cd /d; sync; i=0
  while [ $i -lt ${FILES} ]; do
    dd if=/dev/urandom of=u$i bs=1k count=$((1 + i * 37 % 150)) 2>/dev/null
    dd if=/dev/urandom of=s$i bs=1k count=$((1 + i * 53 % 300)) 2>/dev/null
    [ $i -gt 2 ] && rm -f u$((i - 3)) m$((i - 3))
    [ $((i % 3)) = 0 ] && mv u$i m$i
    dd if=/dev/zero bs=4k count=3 2>/dev/null >> grown
    if [ $((i % 2)) = 0 ]; then sync; else dd if=/dev/null of=s$i conv=notrunc,fsync bs=1 count=0 2>/dev/null; fi
    echo "s$i $(sha256sum < s$i)"
    i=$((i + 1))
  done`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'linuxrun-power-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Synced {
  readonly name: string;
  readonly hash: string;
  /** The length of the log when it was known to be synced. */
  readonly end: number;
}

/** A checkpoint of the disk, which can be reverted to it within a part of the log. */
interface Saved {
  readonly checkpoint: number;
  readonly hash: string;
  readonly from: number;
  /** When a later one was committed. */
  to: number;
}

interface Recorded {
  readonly log: ReturnType<typeof decodeLog>;
  readonly synced: readonly Synced[];
  readonly saved: readonly Saved[];
}

/** Suspends the machine while its container writes, and lets it go on. */
async function save(machine: Machine, logFile: string): Promise<Saved> {
  const suspended = await machine.suspend();
  const devices = suspended.state.devices as readonly {
    state: { own?: { disk?: { checkpoint?: number } } };
  }[];
  const checkpoint = devices.flatMap(({ state }) => state.own?.disk?.checkpoint ?? [])[0] as number;
  expect(checkpoint).toBeGreaterThan(0);
  const hash = await hashChunks(readKeptDisk(nodeDisks(store), 'power', checkpoint));
  const saved = { checkpoint, hash, from: statSync(logFile).size, to: Number.POSITIVE_INFINITY };
  await suspended.resume();
  return saved;
}

async function hashChunks(chunks: AsyncIterable<Chunk> | Iterable<Chunk>): Promise<string> {
  const hash = createHash('sha256');
  for await (const [chunk, bytes] of chunks) hash.update(`${chunk}`).update(bytes);
  return hash.digest('hex');
}

async function record(): Promise<Recorded> {
  const machine = await startKeptMachine('power', SIZE);
  const logFile = join(store, LOG_FILE);
  const synced: Synced[] = [];
  const saved: Saved[] = [];
  try {
    const container = runOnKeptDisk(machine, SCRIPT);
    for await (const line of lines(container.stdout)) {
      const [name = '', hash = ''] = line.split(/\s+/);
      synced.push({ name, hash, end: statSync(logFile).size });
      if (synced.length % Math.floor(FILES / 4) !== 0) continue;
      const next = await save(machine, logFile);
      const last = saved.at(-1);
      if (last) last.to = statSync(logFile).size;
      await machine.dropCheckpoints(next.checkpoint);
      saved.push(next);
    }
    expect(await container.exit).toBe(0);
  } finally {
    await machine.stop();
  }
  return { log: decodeLog(readFileSync(logFile)), synced, saved };
}

/** Numbers from a seed (a linear congruential generator). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
}

function apply(file: PowerLossFile, entry: LogEntry): void {
  if (entry.kind === 'write') file.write(entry.offset, entry.bytes.slice());
  else if (entry.kind === 'resize') file.resize(entry.size);
}

/** The file as it is after a loss of power when `count` entries have been carried out. */
function loseAfter(log: readonly { entry: LogEntry }[], count: number, choose: () => number): PowerLossFile {
  const file = new PowerLossFile();
  const entries = log.slice(0, count).map(({ entry }) => entry);
  const done = entries.findLastIndex(({ kind }) => kind === 'flushed');
  const begun = entries.slice(0, Math.max(done, 0)).findLastIndex(({ kind }) => kind === 'flush');
  entries.forEach((entry, index) => {
    apply(file, entry);
    if (index === begun) file.flush();
  });
  file.losePower(choose);
  return file;
}

test('after a loss of power the disk mounts, synced files are whole, and checkpoints exact', {
  timeout: process.env.LONG_TESTS ? 4 * 3_600_000 : 120_000,
}, async () => {
  const { log, synced, saved } = await record();
  expect(synced).toHaveLength(FILES);
  expect(saved.length).toBeGreaterThan(2);
  const random = numbers(SEED);
  const firstFlush = log.findIndex(({ entry }) => entry.kind === 'flushed');
  expect(firstFlush).toBeGreaterThan(0);
  let whole = 0;
  let reverted = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const count = firstFlush + 1 + (random() % (log.length - firstFlush - 1));
    // Some losses keep nearly nothing or nearly everything.
    const keep = [1, 8, 15][round % 3] as number;
    const file = loseAfter(log, count, () => (random() % 16 < keep ? 1 : 0));
    const end = log[count - 1]?.end ?? 0;
    for (const { checkpoint, hash } of saved.filter(({ from, to }) => from <= end && end < to)) {
      const disk = await KeptDisk.open(file.copy(), { sizeBytes: SIZE });
      disk.revert(checkpoint);
      expect(`${round} ${await hashChunks(disk.chunks())}`).toBe(`${round} ${hash}`);
      reverted++;
    }
    const image = join(folder, 'image');
    await writeImage(file, SIZE, image);
    recover(image);
    const copy = join(folder, `round${round}`);
    copyOut(image, '/d', copy);
    for (const { name, hash } of synced.filter((each) => each.end <= end)) {
      const bytes = readFileSync(join(copy, 'd', name));
      expect(`${round} ${name} ${createHash('sha256').update(bytes).digest('hex')}`).toBe(
        `${round} ${name} ${hash}`,
      );
      whole++;
    }
    rmSync(copy, { recursive: true, force: true });
  }
  expect(whole).toBeGreaterThan(ROUNDS);
  expect(reverted).toBeGreaterThan(ROUNDS / 4);
});
