/** Processes that are killed while they save, suspend, resume and manage kept containers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeAll, describe, expect, test } from 'vitest';
import { hashOf, writeImage } from '../container/testing/check-disk.ts';
import { lines } from '../container/testing/lines.ts';
import { nodeStore } from '../storage/node.ts';
import * as api from './node.ts';
import { createKilled, DISK_BYTES, FIRST, type Role } from './testing/killed.ts';
import { Expected, Killer, roundOf, shareOf, type WriteDisk, withDisk } from './testing/kills.ts';
import { temporaryStore } from './testing/store.ts';

const CHILD = join(import.meta.dirname, 'testing/kill-child.ts');
const IMAGE = `oci://${join(import.meta.dirname, '../../public/images')}:busybox`;
const ROUNDS = Number(process.env.FUZZ_RUNS ?? (process.env.LONG_TESTS ? 240 : 2));
const TIMEOUT = 120_000 + ROUNDS * 60_000;
const FIRST_FILE = `/d/s${FIRST}`;

const { Container, configure, containers, images } = api;
const folder = temporaryStore();
configure({ store: folder });
const store = nodeStore(folder);
const killer = new Killer();

/** Runs a child until it is killed. */
async function kill(role: Role, moment: Parameters<Killer['begin']>[0], onLine: (line: string) => void) {
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', CHILD, folder, IMAGE, role], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { see, end } = killer.begin(moment, () => child.kill('SIGKILL'));
  const output = Readable.toWeb(child.stdout as Readable) as ReadableStream<Uint8Array>;
  try {
    for await (const line of lines(output)) {
      see(line);
      onLine(line);
    }
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  end();
}

const diskOf =
  (id: string): WriteDisk =>
  async (image, checkpoint) => {
    const file = await store.disks.open(id);
    await writeImage(file, DISK_BYTES, image, checkpoint);
    file.close();
  };

/** Nothing is in the store that belongs to no record. */
async function expectNoRemains(): Promise<void> {
  await store.sweep();
  const records = await store.containers.list();
  const ids = records.map(({ id }) => id).sort();
  expect((await store.disks.list()).sort()).toEqual(ids);
  const suspended = records.filter(({ session }) => session).map(({ id }) => id);
  const sessions = await store.sessions.list();
  expect(sessions.filter((file) => !suspended.some((id) => file.startsWith(id)))).toEqual([]);
}

describe('a process that is killed', { timeout: TIMEOUT }, () => {
  beforeAll(async () => {
    await createKilled(api, IMAGE, 'a');
    await createKilled(api, IMAGE, 'm');
  }, TIMEOUT);

  test('leaves the older session or the newer, with the disk that belongs to it', async () => {
    const expected = new Expected();
    for (let round = 0; round < ROUNDS; round++) {
      const { role, moment } = roundOf(round);
      await kill(role, moment, (line) => expected.note(role, line));
      const record = await store.containers.get('a');
      await expected.check(role, record, diskOf(record?.id ?? ''));
      killer.tell();
    }
    await expectNoRemains();
    if (!expected.saved.includes(undefined))
      await (await containers.start('a', { resume: true }))[Symbol.asyncDispose]();
  });

  test('leaves containers as they were or as they shall be', async () => {
    const { id = '' } = (await store.containers.get('m')) ?? {};
    const fileOf = (of: string) =>
      withDisk(diskOf(of), undefined, (image, work) => hashOf(image, FIRST_FILE, work));
    const hash = await fileOf(id);
    for (let round = 0; round < Math.ceil(ROUNDS / 2); round++) {
      const moment = { step: 'saving', count: 1 + ((round * 3) % 7), share: shareOf(round) };
      await kill('manage', moment, () => {});
      await expectNoRemains();
      const found = new Map((await store.containers.list()).map((record) => [record.name, record]));
      found.delete('a');
      expect((found.get('m') ?? found.get('n'))?.id).toBe(id);
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
      killer.tell();
    }
    expect(readdirSync(join(folder, 'disks'))).toHaveLength(2);
  });
});

async function hashIn(image: InstanceType<typeof Container>): Promise<string> {
  await using container = await image.entrypoint('sha256sum').args([FIRST_FILE]).network('none').run();
  return (await container.waitWithOutput()).text().slice(0, 64);
}
