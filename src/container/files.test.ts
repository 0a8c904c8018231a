import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FolderEntry } from '../machine/machine.ts';
import type { HeldImage } from '../oci/pull.ts';
import type { ContainerMachine } from './container.ts';
import { DEMO_IMAGES, pull, start, text } from './testing/run.ts';

const TIMEOUT = 120_000;
const DISK = 128 << 20;

let image: HeldImage;
let container: ContainerMachine;

beforeAll(async () => {
  image = await pull(`${DEMO_IMAGES}:busybox`);
  container = await start({ image, args: ['sleep', '100000'], diskBytes: DISK, user: 'nobody' });
});
afterAll(() => container?.destroy());

/** Runs a script as root in the container. */
async function shell(script: string): Promise<string> {
  const { stdin, stdout, stderr, messages } = container.exec({ args: ['sh', '-c', script], user: 'root' });
  await stdin.close();
  const [output, ...problems] = await Promise.all([stdout, stderr, messages].map(text));
  expect(problems).toEqual(['', '']);
  return output ?? '';
}

const bytes = (content: string) => new Uint8Array(Buffer.from(content));
const write = (path: string, content: string, mode?: number) =>
  container.files.writeFile(path, bytes(content), { mode });
const read = async (path: string) => text(await container.files.readFile(path));

async function hashOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  await stream.pipeTo(new WritableStream({ write: (part) => void hash.update(part) }));
  return hash.digest('hex');
}

/** Lists a folder, in the order of names. */
async function list(path: string): Promise<FolderEntry[]> {
  const entries: FolderEntry[] = [];
  for await (const entry of container.files.readdir(path)) entries.push(entry);
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Content that fails, or never ends, after its first bytes. */
function unfinished(failure?: Error): ReadableStream<Uint8Array> {
  let pulled = 0;
  return new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (pulled++ < 10) controller.enqueue(new Uint8Array(50_000));
      else if (failure) controller.error(failure);
      else return new Promise(() => {});
    },
  });
}

describe('a file', { timeout: TIMEOUT }, () => {
  test('of 16 MB is uploaded and downloaded without loss', async () => {
    const content = new Uint8Array(randomBytes(16_000_000));
    const hash = createHash('sha256').update(content).digest('hex');
    await container.files.writeFile('/tmp/large', content);
    expect(await shell('sha256sum < /tmp/large')).toBe(`${hash}  -\n`);
    expect(await hashOf(await container.files.readFile('/tmp/large'))).toBe(hash);
    await shell('rm /tmp/large');
  });

  test('may come in parts of any size, or be empty', async () => {
    const parts = [1, 0, 65_536, 65_537, 300_000, 3].map((size) => new Uint8Array(randomBytes(size)));
    const source = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const part of parts) controller.enqueue(part);
        controller.close();
      },
    });
    await container.files.writeFile('/tmp/parts', source);
    const hash = createHash('sha256').update(Buffer.concat(parts)).digest('hex');
    expect(await hashOf(await container.files.readFile('/tmp/parts'))).toBe(hash);
    await write('/tmp/parts', '');
    expect(await read('/tmp/parts')).toBe('');
  });

  test('is new, belongs to root, and has the given permissions', async () => {
    await write('/tmp/new', 'content');
    await write('/tmp/secret', 'content', 0o4750);
    expect(await shell('cd /tmp; stat -c "%a %u %g %s" new secret')).toBe('644 0 0 7\n4750 0 0 7\n');
  });

  test('that is replaced keeps owner and permissions, and its readers keep the old content', async () => {
    await shell('echo old > /tmp/old; chown 12:34 /tmp/old; chmod 2711 /tmp/old');
    const reader = container.exec({
      args: ['sh', '-c', 'exec < /tmp/old; echo; read; cat /tmp/old'],
      user: 'root',
    });
    await reader.exit;
    await write('/tmp/old', 'new');
    expect(await shell('stat -c "%a %u %g" /tmp/old; cat /tmp/old')).toBe('2711 12 34\nnew');
    await write('/tmp/old', 'newer', 0o600);
    expect(await shell('stat -c "%a %u %g" /tmp/old')).toBe('600 12 34\n');
  });

  test('of the image can be replaced', async () => {
    const before = await read('/etc/group');
    await write('/etc/group', `${before}more:x:77:\n`);
    expect(await shell('tail -n 1 /etc/group')).toBe('more:x:77:\n');
  });

  test('may have any name', async () => {
    const name = `/tmp/${'ä'.repeat(120)} "'\\\n*`;
    await write(name, 'content');
    expect(await read(name)).toBe('content');
    await write('/tmp/..//./tmp/relative', 'content');
    expect(await read('tmp/relative')).toBe('content');
    await shell('rm /tmp/*');
  });

  test('may have the longest possible path', async () => {
    const folder = `/tmp${`/${'d'.repeat(200)}`.repeat(20)}/${'e'.repeat(60)}`;
    await shell(
      `cd /tmp; for part in $(echo ${folder.slice(5)} | tr / ' '); do mkdir $part; cd $part; done; echo old > f`,
    );
    await write(`${folder}/f`, 'new');
    expect(await read(`${folder}/f`)).toBe('new');
  });

  test('needs no tools in the image, and no waiting process', async () => {
    const bare = await start({ image, args: ['sh', '-c', 'rm -r /bin /usr /sbin; echo; read line'] });
    await bare.stdout.getReader().read();
    await bare.files.writeFile('/file', bytes('content'));
    expect(await text(await bare.files.readFile('/file'))).toBe('content');
    await bare.destroy();
  });
});

describe('links', { timeout: TIMEOUT }, () => {
  test('lead to files of the container only', async () => {
    await shell(
      'mkdir /tmp/d; ln -s ../../../../.. /tmp/d/up; ln -s / /tmp/d/root; ln -s /tmp/d/root/etc /tmp/d/etc',
    );
    const sleeper = container.exec({ args: ['sh', '-c', 'echo $$; cd /tmp; exec sleep 1000'], user: 'root' });
    const pid = Number(Buffer.from((await sleeper.stdout.getReader().read()).value ?? []).toString());
    for (const way of ['up', 'root', `root/proc/${pid}/root`, `up/proc/${pid}/cwd/..`, 'etc/..']) {
      expect(await read(`/tmp/d/${way}/etc/hostname`)).toBe('linuxrun\n');
      // The initramfs has one, the container does not.
      await expect(read(`/tmp/d/${way}/init`)).rejects.toThrow(/no such file/);
      await write(`/tmp/d/${way}/tmp/written`, way);
      expect(await shell('cat /tmp/written; rm /tmp/written')).toBe(way);
    }
    sleeper.kill(9);
    // Its root has no right to inspect the processes of others.
    await expect(read('/proc/1/root/etc/hostname')).rejects.toThrow(/permission denied/);
  });

  test('of processes do not lead to the agent', async () => {
    for (const path of ['root/etc/hostname', 'exe', 'fd/0', 'cwd/etc/hostname'])
      await expect(read(`/proc/self/${path}`)).rejects.toThrow(/no such file/);
    await expect(write('/proc/self/fd/3', 'x')).rejects.toThrow(/no such file/);
    await expect(read('/proc/1/mem')).rejects.toThrow(/permission denied|input\/output error/);
  });

  test('at the end of a path are followed, and stay', async () => {
    await shell('cd /tmp; ln -s /tmp/d/target one; mkdir -p d; ln -s ../tmp/one two; ln -s loop loop');
    await write('/tmp/two', 'made');
    expect(await shell('cat /tmp/d/target; readlink /tmp/one; readlink /tmp/two')).toBe(
      'made/tmp/d/target\n../tmp/one\n',
    );
    await write('/tmp/two', 'replaced');
    expect(await shell('cat /tmp/d/target; readlink /tmp/one')).toBe('replaced/tmp/d/target\n');
    await expect(write('/tmp/loop', 'x')).rejects.toThrow(/too many symbolic links/);
    await expect(read('/tmp/loop')).rejects.toThrow(/too many symbolic links/);
  });
});

describe('an upload into a folder of another user', { timeout: TIMEOUT }, () => {
  const FOREIGN = /can be changed by others than root: give the path without it$/;
  /** Runs a script as the owner of the folder. */
  const other = async (script: string) =>
    expect(await container.exec({ args: ['sh', '-c', script], user: 'nobody' }).exit).toBe(0);
  const nothingWritten = async () => expect(await shell('ls -A /secure')).toBe('');

  beforeAll(() =>
    shell(
      'mkdir -m 700 /secure; mkdir /home/nobody /open; chown nobody /home/nobody; chmod 777 /open; chmod 1777 /tmp',
    ).then(() => {}),
  );

  test('works', async () => {
    await other('cd /home/nobody; mkdir folder; echo old > folder/file');
    await write('/home/nobody/folder/file', 'new');
    expect(await shell('cd /home/nobody/folder; cat file; stat -c %U file')).toBe('newnobody\n');
    await write('/home/nobody/folder/../folder/./another', 'x');
    expect(await shell('cd /home/nobody/folder; stat -c %U another')).toBe('root\n');
  });

  test.each([
    ["the other's, at its end", '/home/nobody/last', '', 'ln -s /secure/x /home/nobody/last'],
    ["the other's, on its way", '/home/nobody/way/x', '', 'ln -s /secure /home/nobody/way'],
    [
      "the other's, behind one of root",
      '/tmp/first/x',
      'ln -s /home/nobody/second /tmp/first',
      'ln -s /secure /home/nobody/second',
    ],
    ["the other's, in a folder for all", '/tmp/shared/x', '', 'ln -s /secure /tmp/shared'],
    [
      "root's, which the other moved",
      '/home/nobody/moved/x',
      'ln -s /secure /home/nobody/link',
      'mv /home/nobody/link /home/nobody/moved',
    ],
    ["root's, which all can move", '/open/moved/x', 'ln -s /secure /open/link', 'mv /open/link /open/moved'],
    ['to nothing', '/home/nobody/dangling', '', 'ln -s /secure/none /home/nobody/dangling'],
  ])('follows no link: %s', async (_, path, byRoot, byOther) => {
    await shell(byRoot);
    await other(byOther);
    await expect(write(path, 'secret')).rejects.toThrow(FOREIGN);
    await nothingWritten();
  });

  test('stays there, even if folder and file are replaced meanwhile', async () => {
    await other('mkdir /home/nobody/busy');
    let feed = (_: string | undefined) => {};
    const source = new ReadableStream<Uint8Array>({
      start: (controller) => {
        feed = (part) => (part === undefined ? controller.close() : controller.enqueue(bytes(part)));
      },
    });
    const writing = container.files.writeFile('/home/nobody/busy/x', source);
    feed('secret');
    await expect.poll(() => shell('ls -A /home/nobody/busy')).toMatch(/linuxrun/);
    await other('cd /home/nobody; ln -s /secure/x busy/x; mv busy away; ln -s /secure busy');
    feed(undefined);
    await writing;
    await nothingWritten();
    expect(await shell('cat /home/nobody/away/x; ls -A /home/nobody/away')).toBe('secretx\n');
  });

  test('is never led elsewhere by a race', async () => {
    await other('mkdir /home/nobody/race');
    const swap =
      'mv race aside; ln -s /secure race; ln -s /secure/x aside/x; rm race; rm -f aside/x; mv aside race';
    const racer = container.exec({
      args: ['sh', '-c', `cd /home/nobody; while :; do ${swap}; done`],
      user: 'nobody',
    });
    let written = 0;
    let refused = 0;
    // The race must show both outcomes.
    for (let i = 0; i < 100 || ((written === 0 || refused === 0) && i < 2000); i++)
      await write('/home/nobody/race/x', 'secret').then(
        () => written++,
        ({ message }) => {
          if (FOREIGN.test(message)) refused++;
        },
      );
    racer.kill(9);
    await racer.exit;
    await nothingWritten();
    expect([written > 0, refused > 0]).toEqual([true, true]);
  });
});

describe('anything but a file', { timeout: TIMEOUT }, () => {
  beforeAll(() => shell('mkdir /tmp/folder; mkfifo /tmp/fifo; mknod /tmp/tty c 4 64').then(() => {}));

  test.each([
    ['/tmp/folder', /\/tmp\/folder: is a directory/],
    ['/tmp/folder/', /is a directory/],
    ['/', /is a directory/],
    ['', /is a directory/],
    ['/tmp/fifo', /not a regular file/],
    ['/tmp/tty', /not a regular file/],
    ['/dev/null', /not a regular file/],
    ['/dev/zero', /not a regular file/],
    ['/no/such/folder/file', /no such file/],
    ['/etc/passwd/file', /not a directory/],
    ['/etc/passwd/', /not a directory/],
    [`/${'x'.repeat(256)}`, /name too long/],
    ['/x'.repeat(3000), /name too long/],
  ])('"%.40s" is neither read nor written', async (path, message) => {
    await expect(read(path)).rejects.toThrow(message);
    await expect(write(path, 'x')).rejects.toThrow(message);
  });

  test('is reported by its name', async () => {
    await expect(read('/none')).rejects.toThrow(/^cannot read \/none: no such file or directory$/);
    await expect(write('/none/x', '')).rejects.toThrow(/^cannot write \/none\/x: no such file or directory$/);
    await expect(read('/a\0b')).rejects.toThrow(/NUL/);
  });

  test.each(['/proc/sys/kernel/hostname', '/sys/file', '/proc/version', '/proc/file'])(
    '%s cannot be written',
    async (path) => {
      await expect(write(path, 'x')).rejects.toThrow(/cannot write .*: /);
    },
  );

  test('may be a file of the kernel, which is read if it has an end', async () => {
    expect(await read('/proc/version')).toMatch(/^Linux version/);
    await expect(read('/proc/kmsg')).rejects.toThrow();
  });
});

describe('an upload', { timeout: TIMEOUT }, () => {
  const leftovers = () => shell('ls -A /tmp/up; cat /tmp/up/old');
  beforeAll(() => shell('mkdir /tmp/up; echo old > /tmp/up/old').then(() => {}));

  test('that fails leaves nothing', async () => {
    const failing = unfinished(new Error('the source broke'));
    await expect(container.files.writeFile('/tmp/up/new', failing)).rejects.toThrow('the source broke');
    const other = unfinished(new Error('the source broke'));
    await expect(container.files.writeFile('/tmp/up/old', other)).rejects.toThrow('the source broke');
    expect(await leftovers()).toBe('old\nold\n');
  });

  test('that is aborted leaves nothing', async () => {
    const abort = new AbortController();
    const writing = container.files.writeFile('/tmp/up/old', unfinished(), { signal: abort.signal });
    setTimeout(() => abort.abort(new Error('enough')), 300);
    await expect(writing).rejects.toThrow('enough');
    await expect(
      container.files.writeFile('/tmp/up/new', bytes('x'), { signal: abort.signal }),
    ).rejects.toThrow('enough');
    expect(await leftovers()).toBe('old\nold\n');
  });

  test('that is refused ends its source, even an idle one', async () => {
    let cancelled = false;
    const source = new ReadableStream<Uint8Array>({
      cancel: () => {
        cancelled = true;
      },
    });
    await expect(container.files.writeFile('/tmp/up', source)).rejects.toThrow(/is a directory/);
    await expect.poll(() => cancelled).toBe(true);
  });

  test('that does not fit is reported, and leaves nothing', async () => {
    const { disk } = await container.usage();
    let pulled = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1 << 20;
        controller.enqueue(new Uint8Array(1 << 20).fill(1));
      },
    });
    await expect(container.files.writeFile('/tmp/up/old', endless)).rejects.toThrow(
      /cannot write \/tmp\/up\/old: no space left/,
    );
    expect(pulled).toBeLessThan(DISK + (4 << 20));
    expect(await leftovers()).toBe('old\nold\n');
    expect((await container.usage()).disk.usedBytes).toBeLessThan(disk.usedBytes + (1 << 20));
  });

  test('may be one of many at the same time', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, i) => write(`/tmp/up/${i}`, `content ${i}`)));
    const contents = await Promise.all(Array.from({ length: 50 }, (_, i) => read(`/tmp/up/${i}`)));
    expect(contents).toEqual(contents.map((_, i) => `content ${i}`));
  });
});

describe('a download', { timeout: TIMEOUT }, () => {
  test('waits for its reader, who may leave', async () => {
    await shell('dd if=/dev/zero of=/tmp/zeros bs=1M count=60 2> /dev/null');
    const before = process.memoryUsage().rss;
    const reader = (await container.files.readFile('/tmp/zeros')).getReader();
    await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(process.memoryUsage().rss - before).toBeLessThan(50 << 20);
    await reader.cancel();
    await expect.poll(() => shell('rm -f /tmp/zeros; echo')).toBe('\n');
  });

  test('that breaks off is not the end of the file', async () => {
    const other = await start({ image, args: ['sleep', '1000'] });
    await other.files.writeFile('/file', new Uint8Array(3 << 20));
    const stream = await other.files.readFile('/file');
    await other.destroy();
    await expect(text(stream)).rejects.toThrow(/stopped/);
  });
});

describe('a folder', { timeout: TIMEOUT }, () => {
  const names = async (path: string) => (await list(path)).map(({ name }) => name);

  beforeAll(() => shell('mkdir /tmp/list /secret; echo kept > /secret/kept').then(() => {}));

  test('shows type, size, permissions, time, owner and target of its files', async () => {
    await shell(`cd /tmp/list; echo content > file; chown 12:34 file; chmod 4640 file
      touch -d '2001-02-03 04:05:06' file; mkdir -m 1777 folder; mkfifo fifo; mknod tty c 4 64
      ln -s folder/ link; ln -s none dangling; ln -s loop loop; chown -h 5:6 link`);
    const common = { uid: 0, gid: 0, isMountPoint: false, mtime: expect.any(Date), size: expect.any(Number) };
    const link = { ...common, type: 'symlink', mode: 0o777 };
    expect(await list('/tmp/list')).toEqual([
      { ...link, name: 'dangling', target: { path: 'none', type: undefined } },
      { ...common, name: 'fifo', type: 'fifo', mode: 0o644 },
      {
        ...common,
        ...{ name: 'file', type: 'file', mode: 0o4640, size: 8, uid: 12, gid: 34 },
        mtime: new Date('2001-02-03T04:05:06Z'),
      },
      { ...common, name: 'folder', type: 'directory', mode: 0o1777 },
      { ...link, name: 'link', uid: 5, gid: 6, target: { path: 'folder/', type: 'directory' } },
      { ...link, name: 'loop', target: { path: 'loop', type: undefined } },
      { ...common, name: 'tty', type: 'character device', mode: 0o644 },
    ]);
    const root = await list('/');
    expect(root.find(({ name }) => name === 'proc')).toMatchObject({ isMountPoint: true, type: 'directory' });
    expect(root.find(({ name }) => name === 'etc')).toMatchObject({ isMountPoint: false });
  });

  test('may have names of any bytes, by which its files are reached', async () => {
    await shell(`mkdir /tmp/bytes; cd /tmp/bytes; touch "$(printf 'a\\nb')" "$(printf '\\033[31mred')"
      printf wild > "$(printf '\\377\\303')"; mkdir "$(printf 'd\\200')"; touch -- 'ä😀' '-rf *'`);
    const all = ['\x1b[31mred', '-rf *', 'a\nb', 'd\udc80', 'ä😀', '\udcff\udcc3'];
    expect(await names('/tmp/bytes')).toEqual(all);
    expect(await read('/tmp/bytes/\udcff\udcc3')).toBe('wild');
    await write('/tmp/bytes/d\udc80/\udcfe', 'more');
    expect(await container.files.stat('/tmp/bytes/d\udc80/\udcfe')).toMatchObject({ type: 'file', size: 4 });
    await expect(read('/tmp/bytes/\udcfd\n')).rejects.toThrow(
      /^cannot read \/tmp\/bytes\/\\xfd\\n: no such file/,
    );
    for (const name of all) await container.files.rm(`/tmp/bytes/${name}`, { recursive: true });
    expect(await names('/tmp/bytes')).toEqual([]);
  });

  test('of many thousand files is listed as far as the reader goes', async () => {
    await shell(
      'mkdir /tmp/many; cd /tmp/many; seq 2000 | xargs touch; mkdir sub; mkdir -p deep/er; touch deep/er/x',
    );
    let seen = 0;
    for await (const _ of container.files.readdir('/tmp/many')) if (++seen === 10) break;
    expect(seen).toBe(10);
    expect((await list('/tmp/many')).length).toBe(2002);
    await container.files.rm('/tmp/many', { recursive: true });
    expect(await names('/tmp')).not.toContain('many');
  });

  test('is listed and stated while other streams are full', async () => {
    const flood = container.exec({ args: ['cat', '/dev/zero'] });
    await shell('dd if=/dev/zero of=/tmp/zeros bs=1M count=4 2> /dev/null');
    const unread = await container.files.readFile('/tmp/zeros');
    const all = await Promise.all(Array.from({ length: 20 }, () => names('/tmp/list')));
    expect(new Set(all.map((each) => each.join())).size).toBe(1);
    await unread.cancel();
    flood.kill(9);
  });

  test('that changes during the listing is listed anyway', async () => {
    await shell('mkdir /tmp/changing');
    const script = 'cd /tmp/changing; while :; do for i in $(seq 200); do : > $i; done; rm -f *; done';
    const racer = container.exec({ args: ['sh', '-c', script], user: 'root' });
    for (let i = 0; i < 20; i++)
      for (const { name, type } of await list('/tmp/changing')) {
        expect(name).toMatch(/^\d+$/);
        expect(type).toBe('file');
      }
    racer.kill(9);
    await racer.exit;
    await container.files.rm('/tmp/changing', { recursive: true });
  });

  test.each([
    ['/none', 'ENOENT'],
    ['/etc/passwd', 'ENOTDIR'],
    ['/tmp/list/fifo', 'ENOTDIR'],
    ['/tmp/list/loop', 'ELOOP'],
    [`/${'x'.repeat(256)}`, 'ENAMETOOLONG'],
  ])('%.20s cannot be listed: %s', async (path, code) => {
    await expect(list(path)).rejects.toMatchObject({ name: 'FileError', code });
    await expect(list(path)).rejects.toThrow(/^cannot list \/.*: \w/);
  });

  test('is made, with parents on request', async () => {
    await container.files.mkdir('/tmp/made');
    await container.files.mkdir('/tmp/made/secret/', { mode: 0o700 });
    await container.files.mkdir('/tmp/made/a/../b/./c//', { recursive: true });
    await container.files.mkdir('/tmp/made/b', { recursive: true });
    expect(await shell('cd /tmp/made; stat -c "%n %a %U" . * b/c')).toBe(
      '. 755 root\na 755 root\nb 755 root\nsecret 700 root\nb/c 755 root\n',
    );
    await expect(container.files.mkdir('/tmp/made')).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(container.files.mkdir('/tmp/none/b')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(container.files.mkdir('/etc/passwd', { recursive: true })).rejects.toMatchObject({
      code: 'EEXIST',
    });
    await expect(container.files.mkdir('/etc/passwd/x', { recursive: true })).rejects.toMatchObject({
      code: 'ENOTDIR',
    });
  });

  test.each(['/tmp/made/..', '/tmp/made/.', '/'])('%s is neither made, removed nor renamed', async (path) => {
    for (const action of [
      () => container.files.mkdir(path),
      () => container.files.rm(path, { recursive: true }),
      () => container.files.rename(path, '/tmp/other'),
    ])
      await expect(action()).rejects.toMatchObject({ code: expect.stringMatching(/^E(INVAL|ISDIR)$/) });
    expect(await names('/tmp')).toContain('made');
  });
});

describe('status', { timeout: TIMEOUT }, () => {
  test('is of the file, or of the link itself', async () => {
    await shell('cd /tmp; ln -sf /etc/group status-link');
    const size = (await read('/etc/group')).length;
    expect(await container.files.stat('/tmp/status-link')).toMatchObject({ type: 'file', size });
    expect(await container.files.lstat('/tmp/status-link')).toMatchObject({
      type: 'symlink',
      target: { path: '/etc/group', type: 'file' },
    });
    expect(await container.files.stat('/tmp/')).toMatchObject({ type: 'directory' });
    await expect(container.files.stat('/none')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('removal', { timeout: TIMEOUT }, () => {
  test('of a file or an empty folder', async () => {
    await shell('mkdir -p /tmp/rm/empty /tmp/rm/full; touch /tmp/rm/file /tmp/rm/full/x');
    await container.files.rm('/tmp/rm/file');
    await container.files.rm('/tmp/rm/empty/');
    await expect(container.files.rm('/tmp/rm/full')).rejects.toMatchObject({ code: 'ENOTEMPTY' });
    await expect(container.files.rm('/tmp/rm/file')).rejects.toMatchObject({ code: 'ENOENT' });
    await container.files.rm('/tmp/rm/full', { recursive: true });
    expect(await shell('ls -A /tmp/rm')).toBe('');
  });

  test('of a tree follows no link', async () => {
    await shell(`mkdir -p /tmp/tree/sub /secret; cd /tmp/tree; ln -s /secret out; ln -s ../../secret sub/out
      ln -s . loop; ln /secret/kept hard; mkfifo fifo; ln -s tree ../tree-link`);
    await container.files.rm('/tmp/tree-link', { recursive: true });
    expect(await shell('cd /tmp/tree; ls -A | wc -l; cat /secret/kept')).toBe('5\nkept\n');
    await container.files.rm('/tmp/tree', { recursive: true });
    expect(await shell('cat /secret/kept; ls -d /tmp/tree 2>&1 | wc -l')).toBe('kept\n1\n');
    await expect(container.files.stat('/tmp/tree')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('of folders of the image, and of a tree deeper than open files allow', async () => {
    await container.files.rm('/usr', { recursive: true });
    await expect(container.files.stat('/usr')).rejects.toMatchObject({ code: 'ENOENT' });
    await shell(`mkdir -p /tmp/deep/${'d/'.repeat(1200)}; touch /tmp/deep/${'d/'.repeat(800)}/f`);
    await container.files.rm('/tmp/deep', { recursive: true });
    expect(await shell('ls -A /tmp')).not.toMatch(/deep|linuxrun/);
  });

  test('stops at mount points', async () => {
    for (const path of ['/proc', '/dev', '/dev/pts', '/dev/null'])
      await expect(container.files.rm(path, { recursive: true })).rejects.toMatchObject({ code: 'EBUSY' });
    expect(await shell('test -c /dev/null && ls -d /proc/1 /dev/pts')).toBe('/dev/pts\n/proc/1\n');
  });

  test('is stopped by its signal', async () => {
    await shell('mkdir /tmp/large; cd /tmp/large; seq 1000 | xargs touch');
    const abort = new AbortController();
    const removal = container.files.rm('/tmp/large', { recursive: true, signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(removal).rejects.toThrow('enough');
    expect((await list('/tmp/large')).length).toBeGreaterThan(0);
    await container.files.rm('/tmp/large', { recursive: true });
  });

  test('is never led elsewhere by a race', async () => {
    await shell('mkdir -m 777 /tmp/racing');
    const swap =
      'mkdir -p t/a/b/c; touch t/a/b/c/x; mv t/a s; ln -s /secret t/a; rm -f t/a; rm -rf s; ln -s /secret t';
    const racer = container.exec({
      args: ['sh', '-c', `cd /tmp/racing; while :; do ${swap}; rm -rf t; done 2> /dev/null`],
      user: 'nobody',
    });
    for (let i = 0; i < 60; i++)
      await container.files.rm('/tmp/racing/t', { recursive: true }).catch((error) => {
        expect(error).toMatchObject({ name: 'FileError', code: expect.stringMatching(/^E/) });
      });
    racer.kill(9);
    await racer.exit;
    expect(await shell('cat /secret/kept')).toBe('kept\n');
  });

  test('and other changes go through no link of another user', async () => {
    await shell('mkdir -p /tmp/foreign; ln -s /secret /tmp/foreign/way; chown -h nobody /tmp/foreign/way');
    for (const action of [
      () => container.files.rm('/tmp/foreign/way/kept'),
      () => container.files.mkdir('/tmp/foreign/way/made'),
      () => container.files.mkdir('/tmp/foreign/way/made', { recursive: true }),
      () => container.files.rename('/tmp/foreign/way/kept', '/tmp/foreign/taken'),
      () => container.files.rename('/etc/group', '/tmp/foreign/way/group'),
    ])
      await expect(action()).rejects.toMatchObject({
        code: 'EACCES',
        message: expect.stringMatching(/can be changed by others than root/),
      });
    expect(await shell('ls /secret')).toBe('kept\n');
    await container.files.rm('/tmp/foreign/way');
    expect(await shell('ls /secret; ls -A /tmp/foreign')).toBe('kept\n');
  });
});

describe('renaming', { timeout: TIMEOUT }, () => {
  test('moves files, links and folders, and replaces only on request', async () => {
    await shell('mkdir -p /tmp/mv/a/b /tmp/mv/c; cd /tmp/mv; echo 1 > one; echo 2 > two; ln -s one link');
    await container.files.rename('/tmp/mv/a', '/tmp/mv/c/a/');
    await container.files.rename('/tmp/mv/link', '/tmp/mv/renamed');
    await expect(container.files.rename('/tmp/mv/one', '/tmp/mv/two')).rejects.toMatchObject({
      code: 'EEXIST',
    });
    expect(await read('/tmp/mv/two')).toBe('2\n');
    await container.files.rename('/tmp/mv/one', '/tmp/mv/two', { replace: true });
    expect(await shell('cd /tmp/mv; cat two; ls; ls c c/a; readlink renamed')).toBe(
      '1\nc\nrenamed\ntwo\nc:\na\n\nc/a:\nb\none\n',
    );
    await expect(container.files.rename('/tmp/mv/c', '/tmp/mv/c/a/c')).rejects.toMatchObject({
      code: 'EINVAL',
    });
    await expect(container.files.rename('/tmp/mv/none', '/tmp/mv/x')).rejects.toMatchObject({
      code: 'ENOENT',
    });
    await expect(container.files.rename('/tmp/mv/two', '/dev/shm/two')).rejects.toMatchObject({
      code: 'EXDEV',
    });
  });

  test('works for folders of the image', async () => {
    await container.files.rename('/var', '/tmp/var');
    expect((await container.files.stat('/tmp/var')).type).toBe('directory');
  });
});

describe('figures', { timeout: TIMEOUT }, () => {
  test('show the use of memory and disk', async () => {
    const before = await container.usage();
    expect(before.memory.totalBytes).toBeGreaterThan(400 << 20);
    expect(before.memory.totalBytes).toBeLessThan(512 << 20);
    expect(before.memory.availableBytes).toBeLessThan(before.memory.totalBytes);
    expect(before.disk.totalBytes).toBeGreaterThan(DISK * 0.9);
    await shell('dd if=/dev/zero of=/tmp/filling bs=1M count=20 2> /dev/null');
    const after = await container.usage();
    expect(after.disk.usedBytes - before.disk.usedBytes).toBeGreaterThan(19 << 20);
    expect(after.disk.usedBytes - before.disk.usedBytes).toBeLessThan(22 << 20);
    const hog = container.exec({ args: ['sh', '-c', 'dd if=/dev/zero bs=60M count=1 | (sleep 1000)'] });
    await expect
      .poll(async () => after.memory.availableBytes - (await container.usage()).memory.availableBytes)
      .toBeGreaterThan(50 << 20);
    hog.kill(9);
  });

  test('arrive in the order of the requests', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => container.usage()));
    expect(new Set(all.map(({ memory }) => memory.totalBytes)).size).toBe(1);
  });
});
