import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collect } from '../oci/bytes.ts';
import { chunks } from '../streams/chunks.ts';
import {
  Container,
  ContainerExistsError,
  ContainerInUseError,
  configure,
  containers,
  images,
  OptionError,
  type RunningContainer,
  StorageError,
} from './node.ts';
import { temporaryStore } from './testing/store.ts';

const TIMEOUT = 120_000;
const IMAGES = `oci://${join(import.meta.dirname, '../../public/images')}`;
const BUSYBOX = `${IMAGES}:busybox`;

configure({ store: temporaryStore() });

const shell = (script: string) => new Container(BUSYBOX).entrypoint(['sh', '-c', script]).network('none');

async function outputOf(container: RunningContainer): Promise<string> {
  return (await container.waitWithOutput()).text();
}

describe('a container with a name', { timeout: TIMEOUT }, () => {
  beforeAll(async () => {
    const script = 'cat /file 2>/dev/null; echo $A > /file; rm /etc/group 2>/dev/null; exit 3';
    const container = await shell(script).env('A', 'first').name('box').run();
    expect(container.name).toBe('box');
    expect(await container.wait()).toBe(3);
    await container[Symbol.asyncDispose]();
  }, TIMEOUT);

  test('is listed when it has ended', async () => {
    const [box] = await containers.list();
    expect(box).toMatchObject({
      name: 'box',
      image: BUSYBOX,
      status: 'stopped',
      options: { env: ['A=first'], entrypoint: ['sh', '-c', expect.any(String)], network: 'none' },
      saved: undefined,
      wasCutOff: false,
    });
    expect(box?.usedBytes).toBeGreaterThan(4096);
    expect(await containers.get('box')).toEqual(box);
    expect(await containers.get('nonesuch')).toBeUndefined();
  });

  test('has its first files from its user, also one of a large number', async () => {
    const content = new TextEncoder().encode('text\n');
    const files = ['in/file', 'run.sh'].map((path) => ({ path, content, isExecutable: path === 'run.sh' }));
    await using container = await shell(
      'cd /w/new; stat -c %u:%g:%a:%n /w . in in/file run.sh; echo > in/more',
    )
      .user('3000000:7')
      .name('of-a-user')
      .files({ folder: '/w/new', files })
      .run();
    const rows = ['755:/w', '755:.', '755:in', '644:in/file', '755:run.sh'].map((row) => `3000000:7:${row}`);
    expect(await outputOf(container)).toBe(['0:0:755:/w', ...rows.slice(1), ''].join('\n'));
  });

  test('starts again with its files, as before or by other options', async () => {
    await using again = await containers.start('box');
    expect(await outputOf(again)).toBe('first\n');
    await again[Symbol.asyncDispose]();
    await using other = await shell('cat /file; echo other > /file').name('box').run();
    expect(await outputOf(other)).toBe('first\n');
    await other[Symbol.asyncDispose]();
    await using last = await containers.start('box', { terminal: { columns: 80, rows: 24 } });
    expect(await outputOf(last)).toBe('other\r\n');
  });

  test('belongs to one owner, until that has ended', async () => {
    const running = await shell('sleep 1000').name('box').run();
    expect(await containers.get('box')).toMatchObject({ status: 'running' });
    await expect(containers.start('box')).rejects.toThrow(ContainerInUseError);
    await expect(shell('true').name('box').run()).rejects.toThrow(ContainerInUseError);
    for (const change of [
      () => containers.remove('box'),
      () => containers.rename('box', 'other'),
      () => containers.duplicate('box', 'other'),
      () => containers.commit('box', 'made'),
    ])
      await expect(change()).rejects.toThrow(ContainerInUseError);
    await running.rename('renamed');
    expect(running.name).toBe('renamed');
    await running.rename('box');
    await running[Symbol.asyncDispose]();
    expect(await containers.get('box')).toMatchObject({ status: 'stopped' });
  });

  test('is not taken for one of another image, and has no impossible name', async () => {
    const other = new Container(`${IMAGES}:hello-world`).name('box').run();
    await expect(other).rejects.toThrow(ContainerExistsError);
    await expect(other).rejects.toThrow(/the container "box" is kept already, of .*:busybox/);
    for (const name of ['', '-a', 'a/b', 'a b', 'x'.repeat(65), 7])
      await expect(
        shell('true')
          .name(name as string)
          .run(),
      ).rejects.toThrow(OptionError);
  });

  test('is exported, and made an image of', async () => {
    const tar = await collect(chunks(await containers.export('box')), 1 << 20, 'the tar');
    expect(new TextDecoder().decode(tar)).toContain('etc/.wh.group');
    const options = { message: 'why', author: 'Ada', changes: ['CMD ["cat", "/file"]', 'ENV MADE=1'] };
    expect(await containers.commit('box', 'made', options)).toBe('docker.io/library/made:latest');
    const { config, layers, digest } = await images.inspect('made', { policy: 'never' });
    expect(config).toMatchObject({ cmd: ['cat', '/file'], env: ['PATH=/bin', 'MADE=1'] });
    expect(layers).toHaveLength(2);
    expect(digest).toMatch(/^sha256:/);
    await using made = await new Container('made').pull('never').network('none').run();
    expect(await outputOf(made)).toBe('other\n');
    await expect(containers.commit('box', 'made', { changes: ['RUN make'] })).rejects.toThrow(OptionError);
    await expect(containers.commit('nonesuch', 'made')).rejects.toThrow(StorageError);
    await expect(containers.commit('box', 'oci://made')).rejects.toThrow(/no name for a new image/);

    await containers.import('copy', BUSYBOX, new Blob([new Uint8Array(tar)]).stream());
    await using copy = await shell('cat /file; ls /etc/group').name('copy').run();
    expect(await copy.waitWithOutput()).toMatchObject({ status: 1 });
    expect(await outputOf(copy)).toBe('other\n');
    const damaged = new Blob(['x'.repeat(1024)]).stream();
    await expect(containers.import('none', BUSYBOX, damaged)).rejects.toThrow(/tar/);
    expect(await containers.get('none')).toBeUndefined();
  });

  test('is renamed, duplicated and removed', async () => {
    await containers.rename('box', 'old');
    await containers.duplicate('old', 'twin');
    await expect(containers.rename('old', 'twin')).rejects.toThrow(ContainerExistsError);
    await containers.remove('old');
    await expect(containers.start('old')).rejects.toThrow(/no container "old" is kept/);
    await using twin = await shell('cat /file').name('twin').run();
    expect(await outputOf(twin)).toBe('other\n');
  });
});

describe('a container that can be kept later', { timeout: TIMEOUT }, () => {
  let container: RunningContainer;
  beforeAll(async () => {
    container = await shell('echo early > /file; echo written; exec sleep 1000').keepable().run();
    const output = container.stdout.getReader();
    await output.read();
    output.releaseLock();
  }, TIMEOUT);
  afterAll(() => container[Symbol.asyncDispose]());

  test('is kept with all of its files, forgotten, and kept again', async () => {
    expect(container.name).toBeUndefined();
    await expect(container.keep('copy')).rejects.toThrow(ContainerExistsError);
    await container.keep('late');
    await expect(container.keep('later')).rejects.toThrow(/kept already, as "late"/);
    await container.unkeep();
    expect(container.name).toBeUndefined();
    expect(await containers.get('late')).toBeUndefined();
    await container.keep('late');
    const tar = await collect(chunks(await container.exportChanges()), 1 << 20, 'the tar');
    expect(new TextDecoder().decode(tar)).toContain('early\n');
    expect(await container.commit('made:2')).toBe('docker.io/library/made:2');
    await container[Symbol.asyncDispose]();
    await using again = await shell('cat /file').name('late').run();
    expect(await outputOf(again)).toBe('early\n');
  });

  test('leaves nothing in the store otherwise', async () => {
    const before = await containers.list();
    const other = await shell('echo a > /file').keepable().run();
    await other.wait();
    await other[Symbol.asyncDispose]();
    expect(await containers.list()).toEqual(before);
    await using plain = await shell('true').run();
    await expect(plain.keep('plain')).rejects.toThrow(/made keepable/);
  });
});
