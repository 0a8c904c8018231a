import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HeldImage } from '../oci/pull.ts';
import type { Container } from './container.ts';
import { DEMO_IMAGES, pull, start, text } from './testing/run.ts';

const TIMEOUT = 120_000;
const DISK = 128 << 20;

let image: HeldImage;
let container: Container;

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
  container.writeFile(path, bytes(content), { mode });
const read = async (path: string) => text(await container.readFile(path));

async function hashOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  await stream.pipeTo(new WritableStream({ write: (part) => void hash.update(part) }));
  return hash.digest('hex');
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
  test('of 50 MB is uploaded and downloaded without loss', async () => {
    const content = new Uint8Array(randomBytes(50_000_000));
    const hash = createHash('sha256').update(content).digest('hex');
    await container.writeFile('/tmp/large', content);
    expect(await shell('sha256sum < /tmp/large')).toBe(`${hash}  -\n`);
    expect(await hashOf(await container.readFile('/tmp/large'))).toBe(hash);
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
    await container.writeFile('/tmp/parts', source);
    const hash = createHash('sha256').update(Buffer.concat(parts)).digest('hex');
    expect(await hashOf(await container.readFile('/tmp/parts'))).toBe(hash);
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
    await bare.writeFile('/file', bytes('content'));
    expect(await text(await bare.readFile('/file'))).toBe('content');
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
    const writing = container.writeFile('/home/nobody/busy/x', source);
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
    const outcomes = new Set<string>();
    for (let i = 0; i < 100; i++)
      outcomes.add(
        await write('/home/nobody/race/x', 'secret').then(
          () => 'written',
          ({ message }) => message,
        ),
      );
    racer.kill(9);
    await racer.exit;
    await nothingWritten();
    // The race showed both outcomes.
    expect([...outcomes].some((outcome) => outcome === 'written')).toBe(true);
    expect([...outcomes].some((outcome) => FOREIGN.test(outcome))).toBe(true);
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
    await expect(container.writeFile('/tmp/up/new', failing)).rejects.toThrow('the source broke');
    const other = unfinished(new Error('the source broke'));
    await expect(container.writeFile('/tmp/up/old', other)).rejects.toThrow('the source broke');
    expect(await leftovers()).toBe('old\nold\n');
  });

  test('that is aborted leaves nothing', async () => {
    const abort = new AbortController();
    const writing = container.writeFile('/tmp/up/old', unfinished(), { signal: abort.signal });
    setTimeout(() => abort.abort(new Error('enough')), 300);
    await expect(writing).rejects.toThrow('enough');
    await expect(container.writeFile('/tmp/up/new', bytes('x'), { signal: abort.signal })).rejects.toThrow(
      'enough',
    );
    expect(await leftovers()).toBe('old\nold\n');
  });

  test('that is refused ends its source, even an idle one', async () => {
    let cancelled = false;
    const source = new ReadableStream<Uint8Array>({
      cancel: () => {
        cancelled = true;
      },
    });
    await expect(container.writeFile('/tmp/up', source)).rejects.toThrow(/is a directory/);
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
    await expect(container.writeFile('/tmp/up/old', endless)).rejects.toThrow(
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
    const reader = (await container.readFile('/tmp/zeros')).getReader();
    await reader.read();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(process.memoryUsage().rss - before).toBeLessThan(32 << 20);
    await reader.cancel();
    await expect.poll(() => shell('rm -f /tmp/zeros; echo')).toBe('\n');
  });

  test('that breaks off is not the end of the file', async () => {
    const other = await start({ image, args: ['sleep', '1000'] });
    await other.writeFile('/file', new Uint8Array(3 << 20));
    const stream = await other.readFile('/file');
    await other.destroy();
    await expect(text(stream)).rejects.toThrow(/stopped/);
  });
});

describe('figures', { timeout: TIMEOUT }, () => {
  test('show the use of memory and disk', async () => {
    const before = await container.usage();
    expect(before.memory.totalBytes).toBeGreaterThan(200 << 20);
    expect(before.memory.totalBytes).toBeLessThan(256 << 20);
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
