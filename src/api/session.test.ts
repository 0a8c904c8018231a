import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { Shell } from '../container/testing/shell.ts';
import { collect } from '../oci/bytes.ts';
import { chunks } from '../streams/chunks.ts';
import {
  Container,
  configure,
  containers,
  images,
  MachineError,
  OptionError,
  type RunningContainer,
} from './node.ts';
import { temporaryStore } from './testing/store.ts';

const TIMEOUT = 120_000;
const BUSYBOX = `oci://${join(import.meta.dirname, '../../public/images')}:busybox`;

const store = temporaryStore();
configure({ store });

const shell = () => new Container(BUSYBOX).entrypoint('sh').network('none').memory('128m');

const blobOf = async (container: RunningContainer) =>
  new Blob([new Uint8Array(await collect(chunks(container.exportSession()), 1 << 30, 'the file'))]);

/** What a loss of power leaves of the store, as another store. */
function cutOff(): string {
  const left = temporaryStore();
  for (const part of ['values', 'disks', 'sessions'])
    cpSync(join(store, part), join(left, part), { recursive: true });
  return left;
}

describe('a kept container', { timeout: TIMEOUT }, () => {
  test('goes on after it was suspended, and again after it was saved and cut off', async () => {
    const first = await shell().name('box').run();
    const terminal = first.exec(['sh'], { terminal: { columns: 80, rows: 24 } });
    await new Shell(first).run('A=1; echo synced > /file; sync; echo ready', /ready/);
    await new Shell(terminal).run('B=2; echo re""ady', /ready/);
    first.annotate(() => ({ title: 'my box' }));
    await first.suspend();
    expect(await containers.get('box')).toMatchObject({
      status: 'suspended',
      saved: expect.any(Date),
      wasCutOff: false,
    });

    const second = await containers.start('box');
    expect(second.annotation).toEqual({ title: 'my box' });
    const sh = new Shell(second);
    expect(await sh.run('echo "A is $A"; cat /file', /A is .*\nsynced\n/)).toMatch('A is 1');
    expect(second.resumed).toHaveLength(1);
    const [other] = second.resumed.map((child) => new Shell(child));
    expect(await other?.run('echo "B is $B"', /B is \d/)).toBe('B is 2');
    await sh.run('A=3; echo saved > /file; echo ready', /ready/);
    await second.save();
    expect(await sh.run('A=4; echo lost > /file; cat /file', /lost/)).toBe('lost');
    const left = cutOff();
    await sh.run('sync; echo synced', /synced/);
    const later = cutOff();
    await second[Symbol.asyncDispose]();
    expect(await containers.get('box')).toMatchObject({ status: 'stopped' });
    expect(readdirSync(join(store, 'sessions'))).toEqual([]);
    configure({ store: left });
    expect(await containers.get('box')).toMatchObject({ saved: expect.any(Date), wasCutOff: true });
    const third = await containers.start('box', { resume: true });
    expect(await new Shell(third).run('echo "A is $A"; cat /file', /A is .*\n\w+\n/)).toBe('A is 3\nsaved\n');
    await third[Symbol.asyncDispose]();
    expect(readdirSync(join(left, 'sessions'))).toEqual([]);
    // Files that have been written since are not lost for the saved state.
    configure({ store: later });
    expect(await containers.get('box')).toMatchObject({
      status: 'stopped',
      saved: expect.any(Date),
      wasCutOff: true,
    });
    const fourth = await containers.start('box');
    expect(await new Shell(fourth).run('echo "A is $A"; cat /file', /A is .*\n\w+\n/)).toBe('A is \nlost\n');
    await fourth[Symbol.asyncDispose]();
    configure({ store });
    await containers.remove('box');
  });

  test('starts on its files if it shall not go on', async () => {
    const first = await shell().name('files').run();
    await new Shell(first).run('A=1; echo kept > /file; sync; echo ready', /ready/);
    await first.suspend();
    const second = await containers.start('files', { resume: false });
    expect(await new Shell(second).run('echo "A is $A"; cat /file', /A is .*\nkept\n/)).toBe('A is \nkept\n');
    await second[Symbol.asyncDispose]();
    await containers.remove('files');
  });

  test('is saved only in the store', async () => {
    await using container = await shell().run();
    await expect(container.save()).rejects.toThrow(OptionError);
    expect(await new Shell(container).run('echo still here', /still here/)).toBe('still here');
  });
});

describe('a session as a file', { timeout: TIMEOUT }, () => {
  let file: Blob;

  beforeAll(async () => {
    const container = await shell().keepable().run();
    const sh = new Shell(container);
    await sh.run('A=1; echo kept > /file; echo ready', /ready/);
    await container.keep('origin');
    file = await blobOf(container);
    // It goes on.
    expect(await sh.run('A=2; echo "A is $A"', /A is \d/)).toBe('A is 2');
    await container[Symbol.asyncDispose]();
    await containers.remove('origin');
  }, TIMEOUT);

  test('says what it holds', async () => {
    expect(await containers.describeSession(file)).toEqual({
      image: BUSYBOX,
      memoryBytes: 128 << 20,
      cpus: 1,
      saved: expect.any(Date),
      command: ['sh'],
      version: '0.1.0',
    });
    await expect(containers.describeSession(new Blob(['no session']))).rejects.toThrow(MachineError);
  });

  test('goes on, kept or not', async () => {
    for (const name of [undefined, 'copy']) {
      const container = await containers.openSession(file, { name });
      expect(container.name).toBe(name);
      const sh = new Shell(container);
      expect(await sh.run('echo "A is $A"; cat /file', /A is .*\nkept\n/)).toBe('A is 1\nkept\n');
      if (name) {
        await sh.run('A=5; echo ready', /ready/);
        await container.suspend();
        const resumed = await containers.start(name);
        expect(await new Shell(resumed).run('echo "A is $A"; cat /file', /A is .*\nkept\n/)).toBe(
          'A is 5\nkept\n',
        );
        await resumed[Symbol.asyncDispose]();
      } else await container[Symbol.asyncDispose]();
    }
  });
});

describe('a saved start', { timeout: TIMEOUT }, () => {
  const output = /is \w*\n.*\n[-0-9a-f]{36}\n/;
  const look = 'echo "A is $A"; cat /file 2>&1; cat /proc/sys/kernel/random/uuid';

  test('is where later containers of the image begin', async () => {
    const origin = await shell().keepable().run();
    await new Shell(origin).run('A=warm; echo kept > /file; echo ready', /ready/);
    await origin.saveStart();
    await origin[Symbol.asyncDispose]();
    const [start] = await images.starts();
    expect(start).toMatchObject({ image: BUSYBOX, command: ['sh'], created: expect.any(Date) });
    expect(start?.usedBytes).toBeGreaterThan(1 << 20);

    const found = new Set<string>();
    for (const builder of [shell().keepable(), shell().keepable(), shell().name('warm')]) {
      const container = await builder.run();
      const said = await new Shell(container).run(look, output);
      expect(said).toMatch(/^is warm\nkept\n/);
      found.add(said);
      await container[Symbol.asyncDispose]();
    }
    // Random numbers are their own.
    expect(found.size).toBe(3);
    for (const builder of [shell().fresh(), shell().env('OTHER', '1')]) {
      await using container = await builder.run();
      expect(await new Shell(container).run(look, output)).toMatch(/^is \n.*No such file/);
    }
    await containers.remove('warm');
    await images.removeStart((start as images.SavedStart).id);
    expect(await images.starts()).toEqual([]);
    expect(readdirSync(join(store, 'sessions'))).toEqual([]);
  });
});
