/** Processes that are killed while they save, suspend, resume and manage kept containers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeAll, describe, expect, test } from 'vitest';
import { hashOf, recover, writeImage } from '../container/testing/check-disk.ts';
import { lines } from '../container/testing/lines.ts';
import { nodeDisks, nodeStore } from '../storage/node.ts';
import { Container, configure, containers, images } from './node.ts';
import { FIRST, KILLED_IMAGE, KILLED_SCRIPT, type Role } from './testing/killed.ts';
import { temporaryStore } from './testing/store.ts';

const SIZE = 64 << 20;
const FIRST_FILE = `/d/s${FIRST}`;
const TIMEOUT = process.env.LONG_TESTS ? 4 * 3_600_000 : 180_000;
const CHILD = join(import.meta.dirname, 'testing/kill-child.ts');
const SAVES: readonly Role[] = ['save', 'suspend', 'leave', 'save', 'suspend', 'files'];
const ROUNDS = process.env.LONG_TESTS ? 240 : 2;
const MANAGING_ROUNDS = process.env.LONG_TESTS ? 100 : 1;

const folder = temporaryStore();
configure({ store: folder });
const store = nodeStore(folder);

/** Numbers of steps in which a process was killed, by their names. */
const killed = new Map<string, number>();

/**
 * Runs a child until a random moment of a step.
 * @param wanted the first word of the line with which the step begins
 * @param count the step is the one of this number
 * @param share which part of the step's usual time passes
 * @param onLine is called for each line of the child
 */
async function killIn(
  child: ChildProcess,
  [wanted, count, share]: [wanted: string, count: number, share: number],
  onLine: (line: string) => void,
): Promise<void> {
  let seen = 0;
  let last: { line: string; time: number } | undefined;
  const output = Readable.toWeb(child.stdout as Readable) as ReadableStream<Uint8Array>;
  try {
    for await (const line of lines(output)) {
      const now = performance.now();
      if (last?.line.startsWith(wanted)) noteTime(wanted, now - last.time);
      last = { line, time: now };
      onLine(line);
      if (line.startsWith(wanted) && ++seen === count)
        setTimeout(() => child.kill('SIGKILL'), share * (times.get(wanted) ?? 300));
    }
  } finally {
    if (seen < count) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  const step = last?.line.replace(/ \d.*/, '') ?? 'start of the process';
  killed.set(step, (killed.get(step) ?? 0) + 1);
}

function tellCounts(): void {
  if (process.env.LONG_TESTS) console.log('Killed in:', Object.fromEntries(killed));
}

/** How long steps take here, in ms. */
const times = new Map<string, number>();
function noteTime(step: string, time: number): void {
  times.set(step, 0.7 * (times.get(step) ?? time) + 0.3 * time);
}

function startChild(role: Role): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', CHILD, folder, role], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** Moments that are spread over a step and a little more, whatever the seed. */
const momentOf = (round: number) => ((round * 0.618) % 1) * 1.2;

async function create(name: string): Promise<void> {
  const sh = new Container(KILLED_IMAGE).entrypoint(['sh', '-c', KILLED_SCRIPT]).network('none');
  const container = await sh.memory('128m').disk(SIZE).name(name).run();
  const input = container.stdin.getWriter();
  await input.write(new TextEncoder().encode('mark\n'));
  for await (const line of lines(container.stdout)) if (line.startsWith(`mark ${FIRST} `)) break;
  await container[Symbol.asyncDispose]();
}

/** A disk as a file that other tools read, after its journal was replayed without a fault. */
async function withImage<T>(
  id: string,
  checkpoint: number | undefined,
  use: (image: string, work: string) => T,
): Promise<T> {
  const work = mkdtempSync(join(tmpdir(), 'linuxrun-killed-'));
  try {
    const image = join(work, 'image');
    const file = await nodeDisks(folder).open(id);
    await writeImage(file, SIZE, image, checkpoint);
    file.close();
    recover(image);
    return use(image, work);
  } finally {
    rmSync(work, { recursive: true });
  }
}

/** Nothing is in the store that belongs to no record. */
async function expectNoRemains(): Promise<void> {
  await store.sweep();
  const records = await store.containers.list();
  const ids = records.map(({ id }) => id).sort();
  expect((await store.disks.list()).sort()).toEqual(ids);
  const suspended = records.filter(({ session }) => session).map(({ id }) => id);
  for (const file of await store.sessions.list())
    expect(suspended.some((id) => file.startsWith(id))).toBe(true);
}

describe('a process that is killed', { timeout: TIMEOUT }, () => {
  /** The generations of "a" that its saved session may have, or undefined if it may have no session. */
  let saved: readonly (number | undefined)[] = [undefined];
  /** The last generation that is on the disk for certain. */
  let certain = FIRST;
  const hashes = new Map<number, string>();

  beforeAll(async () => {
    await create('a');
    await create('m');
  }, TIMEOUT);

  function note(role: Role, line: string): void {
    const [step, word, rest] = line.split(' ');
    const generation = Number(word);
    const isResumed = role !== 'files' && !saved.includes(undefined);
    if (step === 'check') {
      // The files are those of its memory.
      expect(line).toBe(`check ${generation}`);
      if (isResumed) expect(saved).toContain(generation);
      else expect(generation).toBeGreaterThanOrEqual(certain);
      saved = [isResumed ? generation : undefined];
      certain = generation;
    } else if (step === 'mark') {
      hashes.set(generation, rest as string);
      if (!isResumed) certain = generation;
    } else if (step === 'saving') saved = [...saved, generation];
    else if (step === 'saved') {
      saved = [generation];
      certain = generation;
    }
  }

  /** The files of the last generations are whole. */
  function expectFiles(image: string, work: string, generation: number): void {
    for (let each = Math.max(FIRST + 1, generation - 2); each <= generation; each++)
      expect(`${each} ${hashOf(image, `/d/s${each}`, work)}`).toBe(`${each} ${hashes.get(each)}`);
  }

  async function check(role: Role): Promise<void> {
    const record = await store.containers.get('a');
    if (!record) throw new Error('the container is lost');
    await withImage(record.id, undefined, (image, work) => expectFiles(image, work, certain));
    // A start on the files drops the session.
    if (role === 'files') saved = [...saved, undefined];
    if (!record.session) {
      expect(saved).toContain(undefined);
      saved = [undefined];
      return;
    }
    saved = saved.filter((each) => each !== undefined);
    await withImage(record.id, record.session.checkpoint, (image, work) => {
      hashOf(image, '/d/k', work);
      const generation = Number(readFileSync(join(work, 'copy'), 'utf8'));
      expect(saved).toContain(generation);
      expectFiles(image, work, generation);
    });
  }

  test('leaves the older session or the newer, with the disk that belongs to it', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const role = SAVES[round % SAVES.length] as Role;
      const child = startChild(role);
      const step = round % 4 === 3 ? 'starting' : 'saving';
      await killIn(child, [step, step === 'saving' ? 1 + (round % 3) : 1, momentOf(round)], (line) =>
        note(role, line),
      );
      await check(role);
      if (round % 20 === 19) tellCounts();
    }
    await expectNoRemains();
    // What is left goes on.
    if (!saved.includes(undefined))
      await (await containers.start('a', { resume: true }))[Symbol.asyncDispose]();
    tellCounts();
  });

  test('leaves containers as they were or as they shall be', async () => {
    const { id } = (await store.containers.get('m')) ?? {};
    const fileOf = (of: string) => withImage(of, undefined, (image, work) => hashOf(image, FIRST_FILE, work));
    const hash = await fileOf(id as string);
    for (let round = 0; round < MANAGING_ROUNDS; round++) {
      await killIn(startChild('manage'), ['saving', 1 + ((round * 3) % 7), momentOf(round)], () => {});
      await expectNoRemains();
      const found = new Map((await store.containers.list()).map((record) => [record.name, record]));
      found.delete('a');
      const original = found.get('m') ?? found.get('n');
      expect(original?.id).toBe(id);
      expect(found.has('m') && found.has('n')).toBe(false);
      for (const { id, name } of found.values()) if (name !== 'imported') expect(await fileOf(id)).toBe(hash);
      const made = (await images.list())
        .map(({ reference }) => reference)
        .filter((name) => /made/.test(name));
      for (const name of made) expect(await hashIn(new Container(name).pull('never'))).toBe(hash);
      if (found.has('imported')) await containers.remove('imported');
      if (found.has('copy')) await containers.remove('copy');
      if (found.has('n')) await containers.rename('n', 'm');
      for (const name of made) await images.remove(name);
    }
    expect(readdirSync(join(folder, 'disks'))).toHaveLength(2);
    tellCounts();
  });
});

async function hashIn(image: Container): Promise<string> {
  await using container = await image.entrypoint('sha256sum').args([FIRST_FILE]).network('none').run();
  return (await container.waitWithOutput()).text().slice(0, 64);
}
