import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StateError } from '../machine/errors.ts';
import type { DiskFiles } from '../storage/disk-files.ts';
import { StorageFullError } from '../storage/errors.ts';
import { nodeStore } from '../storage/node.ts';
import { VersionError } from './errors.ts';
import type { SnapshotHeader, Versions } from './file.ts';
import { PAGE, RANGE } from './pages.ts';
import { nodeSavers } from './platform/node.ts';
import { Saver } from './saver.ts';
import type { SaverPlatform } from './savers.ts';
import { SessionStore, type StoredSession } from './session-store.ts';
import { CrashFiles, CrashValues, Power } from './testing/crash-files.ts';

const CONTAINER = 'c0ffee00-0000-4000-8000-000000000000';
const VERSIONS: Versions = { core: 'c', kernel: 'k', initramfs: 'i' };
const RAM_PAGES = 4 * RANGE + 100;
const emulator = await WebAssembly.compile(readFileSync('public/emulator.wasm'));

/** Savers in this thread. */
function savers(files: DiskFiles, workers = 2): SaverPlatform {
  return {
    workers,
    startSaver() {
      const saver = Saver.create(files, emulator);
      return {
        save: async (request) => (await saver).save(request),
        load: async (request) => (await saver).load(request),
        terminate() {},
      };
    },
  };
}

function setUp() {
  const power = new Power();
  const sessions = new CrashFiles(power);
  const values = new CrashValues(power);
  return { power, sessions, values, store: new SessionStore({ values, sessions }, savers(sessions)) };
}

/** The memory of a machine, and which of its pages are dirty. */
class Ram {
  readonly bytes = new Uint8Array(new SharedArrayBuffer(RAM_PAGES * PAGE));
  readonly dirty = new Uint8Array(Math.ceil(RAM_PAGES / 8));

  write(page: number, value: number): void {
    this.bytes.fill(value, page * PAGE + 5, page * PAGE + 900);
    this.dirty[page >>> 3] = (this.dirty[page >>> 3] as number) | (1 << (page % 8));
  }

  contents(state = 'first', versions = VERSIONS) {
    const header: SnapshotHeader = {
      release: '1',
      versions,
      ramBytes: this.bytes.length,
      created: 1,
      about: null,
    };
    return {
      header,
      state: { state, disk: new Uint8Array(64 << 10).fill(9) },
      ram: this.bytes,
      dirty: this.dirty,
    };
  }
}

async function load(store: SessionStore, id: string) {
  const session = await store.open(CONTAINER, id, VERSIONS);
  const ram = new Uint8Array(new SharedArrayBuffer(RAM_PAGES * PAGE));
  await session.fillRam(ram);
  return { state: (session.state as { state: string }).state, ram, session };
}

function someRam(): Ram {
  const ram = new Ram();
  for (let page = 0; page < RAM_PAGES; page += 7) ram.write(page, page % 251);
  return ram;
}

describe('a stored session', () => {
  it('is the same afterwards', async () => {
    const { store } = setUp();
    const ram = someRam();
    const { id } = await store.save(CONTAINER, ram.contents());
    const loaded = await load(store, id);
    expect(Buffer.compare(loaded.ram, ram.bytes)).toBe(0);
    expect(loaded.session.state).toEqual(ram.contents().state);
    expect(await store.usage(CONTAINER)).toBeGreaterThan(5000);
  });

  it('is saved again by what has changed', async () => {
    const { store, sessions } = setUp();
    const ram = someRam();
    const first = await store.save(CONTAINER, ram.contents());
    const size = await store.usage(CONTAINER);
    ram.dirty.fill(0);
    ram.write(3, 77);
    // A range that becomes zero again.
    ram.bytes.fill(0, RANGE * PAGE, 2 * RANGE * PAGE);
    ram.dirty.fill(0xff, RANGE / 8, RANGE / 4);
    const second = await store.save(CONTAINER, ram.contents('second'), first);
    await store.forget(CONTAINER, second);
    const loaded = await load(store, second.id);
    expect(loaded.state).toBe('second');
    expect(Buffer.compare(loaded.ram, ram.bytes)).toBe(0);
    expect((await store.usage(CONTAINER)) - size).toBeLessThan(size / 2);
    await expect(store.open(CONTAINER, first.id, VERSIONS)).rejects.toThrow(StateError);
    expect(new Set(await sessions.list())).toEqual(new Set(second.index.files.keys()));
  });

  it('does not grow without bounds', async () => {
    const { store } = setUp();
    const ram = someRam();
    let session: StoredSession | undefined;
    for (let round = 0; round < 100; round++) {
      for (let page = 0; page < RAM_PAGES; page++)
        for (let at = 0; at < 8; at++) ram.bytes[page * PAGE + at * 512] = (round * 31 + page * 7 + at) % 256;
      ram.dirty.fill(0xff);
      ram.dirty.fill(0, 0, (round % 4) * (RANGE / 8));
      session = await store.save(CONTAINER, ram.contents(), session);
      await store.forget(CONTAINER, session);
    }
    const needed = [...(session as StoredSession).index.ranges.values()].reduce(
      (sum, { length }) => sum + length,
      0,
    );
    expect(await store.usage(CONTAINER)).toBeLessThan(2 * needed + (10 << 20));
  });

  it('is only for the programs that saved it', async () => {
    const { store } = setUp();
    const { id } = await store.save(CONTAINER, new Ram().contents('first', { ...VERSIONS, core: 'other' }));
    await expect(store.open(CONTAINER, id, VERSIONS)).rejects.toThrow(VersionError);
  });

  it('is refused when a part of it is damaged', async () => {
    const { store, sessions, values } = setUp();
    const { id, index } = await store.save(CONTAINER, someRam().contents());
    const [name] = index.files.keys();
    const file = await sessions.open(name as string);
    file.write(Math.floor(file.size / 2), Uint8Array.of(1, 2, 3, 4));
    await expect(load(store, id)).rejects.toThrow(StateError);
    const [key] = await values.keys('session/');
    const value = (await values.get(key as string)) as Uint8Array;
    for (let at = 0; at < value.length; at += 13) {
      await values.set(key as string, value.with(at, (value[at] as number) ^ 0x10));
      await expect(store.read(CONTAINER, id)).rejects.toThrow(StateError);
    }
  });

  it('leaves nothing when the store is full', async () => {
    const { sessions, values } = setUp();
    const full: DiskFiles = Object.assign(Object.create(sessions), {
      open: async (name: string) => {
        const file = await sessions.open(name);
        return {
          ...file,
          write: () => {
            throw new StorageFullError('no room');
          },
        };
      },
    });
    const store = new SessionStore({ values, sessions }, savers(full));
    await expect(store.save(CONTAINER, someRam().contents())).rejects.toThrow('no room');
    expect(await sessions.list()).toEqual([]);
    expect(await values.keys('session/')).toEqual([]);
  });

  it('is saved and loaded by workers', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sessions-'));
    try {
      const store = new SessionStore(nodeStore(folder), nodeSavers(emulator, folder));
      const ram = someRam();
      const { id } = await store.save(CONTAINER, ram.contents());
      const loaded = await load(store, id);
      expect(loaded.session.state).toEqual(ram.contents().state);
      expect(Buffer.compare(loaded.ram, ram.bytes)).toBe(0);
      await store.forget(CONTAINER);
      await expect(load(store, id)).rejects.toThrow('it is not in the store any more');
      expect(await store.usage(CONTAINER)).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is the older or the newer one, at whichever moment the power is lost', async () => {
    let end = 0;
    for (let isDone = false; !isDone; end++) {
      const { power, sessions, values, store } = setUp();
      const ram = someRam();
      const commit = ({ id }: StoredSession) => values.set('record', new TextEncoder().encode(id));
      const first = await store.save(CONTAINER, ram.contents('older'));
      await commit(first);
      const older = ram.bytes.slice();
      ram.dirty.fill(0);
      for (const page of [1, 600, 900]) ram.write(page, 55);
      power.steps = 0;
      power.end = end;
      const saveAgain = async () => {
        const second = await store.save(CONTAINER, ram.contents('newer'), first);
        await commit(second);
        await store.forget(CONTAINER, second);
      };
      isDone = await saveAgain().then(
        () => true,
        () => false,
      );
      power.end = Number.POSITIVE_INFINITY;
      sessions.crash();
      const id = new TextDecoder().decode(await values.get('record'));
      const loaded = await load(store, id);
      expect(Buffer.compare(loaded.ram, loaded.state === 'newer' ? ram.bytes : older)).toBe(0);
      if (isDone) expect(loaded.state).toBe('newer');
      await store.forget(CONTAINER, loaded.session);
      expect(new Set(await sessions.list())).toEqual(new Set(loaded.session.index.files.keys()));
    }
    // Opening two files, writing to them, flushing, the index, the record, and removing two things.
    expect(end).toBeGreaterThan(9);
  });
});
