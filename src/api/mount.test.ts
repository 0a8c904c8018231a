import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { deferred } from '../machine/deferred.ts';
import { placeOfPicked } from './folder-places.ts';
import { Container, configure, containers, MemoryFolder } from './node.ts';
import { temporaryStore } from './testing/store.ts';

const TIMEOUT = 120_000;
const BUSYBOX = `oci://${join(import.meta.dirname, '../../public/images')}:busybox`;
const READ = { read: true, write: false, truncate: false };

configure({ store: temporaryStore() });

const folder = mkdtempSync(join(tmpdir(), 'linuxrun-mount-'));
afterAll(() => rmSync(folder, { recursive: true }));

function shell(script: string): Container {
  return new Container(BUSYBOX).entrypoint('sh').args(['-c', script]).network('none');
}

test('shares folders of the computer and of the program', { timeout: TIMEOUT }, async () => {
  const memory = new MemoryFolder();
  mkdirSync(join(folder, 'in'), { recursive: true });
  writeFileSync(join(folder, 'in/file'), 'text\n');
  const container = await shell('cp /in/file /out/copy; echo x > /in/new; ls /in')
    .mount('/in', join(folder, 'in'), { readOnly: true })
    .mount('/out', memory)
    .run();
  const { text, stderr } = await container.waitWithOutput();
  expect([text(), new TextDecoder().decode(stderr)]).toEqual([
    'file\n',
    "sh: can't create /in/new: Read-only file system\n",
  ]);
  const copy = await memory.open(['copy'], READ);
  const bytes = Buffer.alloc(5);
  await copy.read(0, [bytes]);
  expect(bytes.toString()).toBe('text\n');
});

test('gives a lock of a folder to one container at a time', { timeout: TIMEOUT }, async () => {
  const memory = new MemoryFolder();
  const source = join(import.meta.dirname, '../container/testing/locks.c');
  execFileSync('riscv64-linux-gnu-gcc', ['-O2', '-static', '-o', join(folder, 'locks'), source]);
  const start = (script: string) => shell(script).mount('/in', folder).mount('/m', memory).run();
  const has = await start('{ echo open 0 f; echo flock 0 ex; sleep 1000; } | /in/locks /m > /m/log');
  const other = await start(`until [ "$(wc -l < /m/log 2> /dev/null)" = 2 ]; do sleep .1; done
    { echo open 0 f; echo flock 0 ex-now; echo flock 0 ex; } | /in/locks /m`);
  let printed = '';
  for await (const text of other.stdout.pipeThrough(new TextDecoderStream())) {
    printed += text;
    if (printed.endsWith('EAGAIN\n')) await has[Symbol.asyncDispose]();
  }
  expect(printed).toBe('0\nEAGAIN\n0\n');
  await other[Symbol.asyncDispose]();
});

test('ends a container whose folder never answers', { timeout: TIMEOUT }, async () => {
  const asked = deferred<void>();
  const silent = new MemoryFolder();
  silent.list = () => {
    asked.resolve();
    return new Promise(() => {});
  };
  const container = await shell('ls /silent').mount('/silent', silent).run();
  await asked.promise;
  expect(await container.stop({ seconds: 0 })).toBe(137);
  await container[Symbol.asyncDispose]();
});

test('knows a folder of the computer that is picked again', async () => {
  const handle = (entry: number) =>
    ({ entry, isSameEntry: async (other: { entry: number }) => other.entry === entry }) as unknown;
  const places = await Promise.all(
    [1, 2, 1, 2].map((entry) => placeOfPicked(handle(entry) as FileSystemDirectoryHandle)),
  );
  expect(places).toEqual(['picked 0', 'picked 1', 'picked 0', 'picked 1']);
});

test('shares the folders of a kept container again when it starts again', { timeout: TIMEOUT }, async () => {
  const first = await shell('echo again >> /shared/log; cat').mount('/shared', folder).name('kept').run();
  await expect(first.save()).rejects.toThrow('a container with shared folders cannot be saved');
  await first.stdin.close();
  expect(await first.wait()).toBe(0);
  await first[Symbol.asyncDispose]();
  const again = await containers.start('kept');
  await again.stdin.close();
  await again.wait();
  await again[Symbol.asyncDispose]();
  expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('again\nagain\n');
});

test.each([
  ['/in', join(folder, 'missing'), /there is no folder .*missing to share: make it first/],
  ['/in', import.meta.filename ?? __filename, /is no folder: only folders can be shared/],
  ['in', folder, /the path must be absolute/],
  ['/proc', new MemoryFolder(), /choose another path/],
])('refuses %s at %s', async (path, source, message) => {
  await expect(shell('true').mount(path, source).run()).rejects.toThrow(message);
});
