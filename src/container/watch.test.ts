import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FileChange } from '../machine/machine.ts';
import type { ContainerMachine } from './container.ts';
import type { WatchOptions } from './container-files.ts';
import { DEMO_IMAGES, pull, start, text } from './testing/run.ts';

const TIMEOUT = 120_000;

let container: ContainerMachine;

async function shell(script: string): Promise<string> {
  const { stdin, stdout, stderr } = container.exec({ args: ['sh', '-c', script], user: 'root' });
  await stdin.close();
  return (await Promise.all([stdout, stderr].map(text))).join('');
}

/** Starts to watch, and waits until changes of this probe are noticed, which are left out afterwards. */
async function watch(path: string, probe: string, options: WatchOptions = {}) {
  const abort = new AbortController();
  const changes = container.files.watch(path, { signal: abort.signal, ...options });
  const seen: FileChange[] = [];
  let isWatching = false;
  const name = probe.slice(probe.lastIndexOf('/') + 1);
  const over = (async () => {
    for await (const change of changes) {
      isWatching = true;
      if (change.filename !== name) seen.push(change);
    }
  })();
  over.catch(() => {});
  while (!isWatching) await shell(`touch ${probe}`);
  return {
    stop: () => abort.abort(),
    over,
    events: () => seen.map(({ eventType, filename }) => `${eventType} ${filename}`),
  };
}

beforeAll(async () => {
  container = await start({ image: await pull(`${DEMO_IMAGES}:busybox`), args: ['sleep', '100000'] });
});
afterAll(() => container?.destroy());

describe('watching', { timeout: TIMEOUT }, () => {
  test('a folder tells of its files, and not of those below', async () => {
    await shell('mkdir -p /a/sub; echo > /a/old');
    const { events, stop } = await watch('/a/', '/a/probe');
    await shell(
      'echo x > /a/new; echo y >> /a/old; mv /a/old /a/moved; rm /a/new; echo > /a/sub/below; echo > /a/end',
    );
    await expect.poll(events).toContain('change end');
    const steps = [
      'rename new',
      'change new',
      'change old',
      'rename old',
      'rename moved',
      'rename new',
      'rename end',
    ];
    expect(events().filter((event, index, all) => event !== all[index - 1])).toEqual([
      ...steps,
      'change end',
    ]);
    stop();
  });

  test('recursively tells of all below, also of folders that come and go', async () => {
    await shell('mkdir -p /r/a/b/c /other; echo > /other/file');
    const { events, stop } = await watch('/r', '/r/probe', { recursive: true });
    await shell('echo > /r/a/b/c/deep');
    await expect.poll(events).toContain('rename a/b/c/deep');
    await shell('mkdir -p /r/x/y; echo > /r/x/y/z');
    await expect.poll(events).toContain('rename x/y/z');
    await shell('mv /r/a/b /r/moved; echo > /r/moved/c/again');
    await expect.poll(events).toContain('rename moved/c/again');
    expect(events()).not.toContain('rename a/b/c/again');
    await shell('ln -s /other /r/link; echo > /other/by-link; rm -r /r/moved; echo > /r/end');
    await expect.poll(events).toContain('rename end');
    expect(events().filter((event) => event.includes('by-link'))).toEqual([]);
    stop();
  });

  test('a file tells of its changes by its name, and ends with the file', async () => {
    await shell('echo > /file; ln -s /file /to-file');
    const { events, over } = await watch('/to-file', '/file');
    await shell('echo x >> /file');
    await expect.poll(events).toContain('change to-file');
    await container.files.writeFile('/file', new Uint8Array());
    await over;
    expect(events().at(-1)).toBe('rename to-file');
  });

  test('names are bytes, and a deep tree is no danger', async () => {
    const deep =
      'cd /deep; i=0; while [ $i -lt 300 ]; do mkdir 0123456789; cd 0123456789; i=$((i + 1)); done';
    await shell(`mkdir /deep; ${deep}`);
    const { events, stop } = await watch('/deep', '/deep/probe', { recursive: true });
    await shell(`printf x > "$(printf '/deep/\\377x')"`);
    await expect.poll(events).toContain('rename \udcffx');
    stop();
  });

  test('survives many changes that nobody takes', async () => {
    await shell('mkdir /many');
    const changes = container.files.watch('/many');
    await shell(
      'i=0; while [ $i -lt 3000 ]; do echo > /many/file-with-a-long-name-$((i % 7)); i=$((i + 1)); done',
    );
    expect((await changes.next()).done).toBe(false);
    await changes.return();
    expect(await shell('echo well')).toBe('well\n');
  });

  test('ends at an abort', async () => {
    const abort = new AbortController();
    const { over } = await watch('/tmp', '/tmp/probe', { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(over).rejects.toThrow('enough');
    await expect(container.files.watch('/tmp', { signal: abort.signal }).next()).rejects.toThrow('enough');
  });

  test('nothing is refused with the reason', async () => {
    await expect(container.files.watch('/none').next()).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(container.files.watch('/etc/passwd/x').next()).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  test('ends with the container', async () => {
    const short = await start({ image: await pull(`${DEMO_IMAGES}:busybox`), args: ['cat'] });
    const changes = short.files.watch('/', { recursive: true });
    const ending = changes.next();
    await short.stdin.close();
    expect(await short.exit).toBe(0);
    await ending.catch(() => {});
    await expect(short.files.watch('/').next()).rejects.toMatchObject({ code: 'ESRCH' });
    await short.destroy();
    await expect(short.files.watch('/').next()).rejects.toThrow(/stopped/);
  });
});
