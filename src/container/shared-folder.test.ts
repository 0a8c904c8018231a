import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MemoryFolder } from '../folders/memory-folder.ts';
import { StoredFolder } from '../folders/stored-folder.ts';
import type { GuestProcess } from '../machine/guest-process.ts';
import { MemoryDiskFiles } from '../storage/memory.ts';
import type { ContainerMachine } from './container.ts';
import { lines } from './testing/lines.ts';
import { ownFolder } from './testing/own-folder.ts';
import { DEMO_IMAGES, pull, start, text } from './testing/run.ts';

const TIMEOUT = 120_000;
/** Longer than the guest relies on what it knows of a folder, in ms. */
const EXPIRED = 1500;
/** As long as what waits for a lock is watched, in ms. */
const WAITS = 50;
/** How often each of two containers adds to a number. */
const COUNTED = 50;
const SIGKILL = 9;
/** RACES=1000000 tries for hours. */
const TRIES = Number(process.env.RACES ?? 20);

const IS_ROOT = process.getuid?.() === 0;

let container: ContainerMachine;
let outside: string;
let host: string;
const memory = new MemoryFolder();
let stored: StoredFolder;
const store = { files: new MemoryDiskFiles(), free: async () => 1 << 30 };

async function shell(script: string, user = 'root'): Promise<string> {
  const { stdin, stdout, stderr, messages } = container.exec({
    args: ['sh', '-c', `{ ${script}\n} 2>&1`],
    user,
  });
  await stdin.close();
  return (await Promise.all([stdout, stderr, messages].map(text))).join('');
}

/** Adds 5 to a number in a file, while another container does so. */
const COUNT = `for i in 1 2 3 4 5; do
  until mkdir lock 2> /dev/null; do :; done
  read n < count; echo $((n + 1)) > count; rmdir lock
done`;

/**
 * Two processes by turns: what the first or the second one does. An answer to `first!` comes after a
 * further command; `first?` awaits it.
 */
const TURNS = `
  first open 0 f; second open 0 f; first open 1 g; second open 1 g
  first set 0 w 0 10; second set 0 w 9 1; second set 0 w 10 10; second find 0 r 0 0; first find 0 w 5 10
  first put 0 one; second! wait 0 r 0 5; first set 0 r 0 10; second?; second show 0; second map 0
  second set 0 u 0 0; first set 0 w 0 10; first put 0 two; second! wait 0 r 0 5; first close 0; second?
  second show 0; second map 0; first open 0 f; first set 0 w 0 1; first set 0 w 5 5; second set 0 u 0 0
  second set 1 w 0 1; first! wait 1 w 0 1; second wait 0 w 5 1; second set 1 u 0 1; first?
  first set 1 u 0 0; first set 0 u 0 0
  first ofd-set 0 w 0 0; second ofd-find 0 r 3 1; second set 0 r 3 1; second patience 50; second ofd-wait 0 r 3 1
  second! ofd-wait 0 r 3 1; first ofd-set 0 u 0 0; second?; second ofd-set 0 u 0 0
  first flock 0 ex; second flock 0 sh-now; second flock 1 sh; first flock 1 sh; first flock 1 ex-now
  second flock 1 ex-now; second patience 50; second flock 0 ex; second! flock 0 ex; first flock 0 un; second?
  second put 0 end; first! flock 0 sh; second close 0; first?; first show 0`;

/** A process that has locks by commands. */
class Locker {
  readonly process: GuestProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: AsyncGenerator<string>;
  #late: Promise<string> | undefined;

  constructor(container: ContainerMachine, folder: string) {
    this.process = container.exec({ args: ['/host/locks.riscv', folder] });
    this.#input = this.process.stdin.getWriter();
    this.#answers = lines(this.process.stdout);
  }

  async ask(command: string): Promise<string> {
    await this.#input.write(Buffer.from(`${command}\n`));
    return (await this.#answers.next()).value ?? 'ended';
  }

  /** Gives a command whose answer is late. */
  async begin(command: string): Promise<void> {
    this.#late = this.ask(command);
    expect(await Promise.race([this.#late, wait(WAITS)])).toBeUndefined();
  }

  async end(): Promise<string> {
    return (await this.#late) ?? '';
  }
}

/** Has two processes take turns; returns commands and answers. */
async function takeTurns(first: Locker, second: Locker, turns: string): Promise<string[]> {
  const log: string[] = [];
  for (const turn of turns.trim().split(/[;\n]\s*/)) {
    const [, who = '', sign = '', command = ''] = /^(first|second)([!?]?) ?(.*)$/.exec(turn) ?? [];
    const locker = who === 'first' ? first : second;
    if (sign === '!') await locker.begin(command);
    else log.push(`${turn}: ${await (sign === '?' ? locker.end() : locker.ask(command))}`);
  }
  return log;
}

const wait = (ms: number) => new Promise<undefined>((resolve) => setTimeout(resolve, ms));
const expire = () => wait(EXPIRED);

beforeAll(async () => {
  outside = mkdtempSync(join(tmpdir(), 'linuxrun-shared-'));
  host = join(outside, 'shared');
  for (const name of ['read', 'posix']) mkdirSync(join(host, name), { recursive: true });
  writeFileSync(join(outside, 'secret'), 'secret');
  writeFileSync(join(host, 'hello'), 'of the host\n');
  writeFileSync(join(host, 'read/file'), 'only read\n');
  for (const name of ['posix', 'locks']) {
    const program = join(host, `${name}.riscv`);
    const source = join(import.meta.dirname, `testing/${name}.c`);
    execFileSync('riscv64-linux-gnu-gcc', ['-O2', '-static', '-o', program, source]);
  }
  stored = await StoredFolder.open(store, 'f');
  container = await start({
    image: await pull(`${DEMO_IMAGES}:busybox`),
    args: ['sh', '-c', 'mkdir /disk; exec sleep 100000'],
    shares: [
      { folder: { kind: 'host', path: host }, path: '/host', readOnly: false },
      { folder: { kind: 'host', path: join(host, 'read') }, path: '/made/here', readOnly: true },
      { folder: ownFolder(memory, 'memory'), path: '/memory', readOnly: false },
      { folder: ownFolder(stored, 'stored'), path: '/stored', readOnly: false },
    ],
    tmpfs: ['/host/posix/tmp'],
  });
}, TIMEOUT);

afterAll(async () => {
  await container?.destroy();
  rmSync(outside, { recursive: true });
});

describe('a shared folder', { timeout: TIMEOUT }, () => {
  test('is at its place, also below others', async () => {
    expect(
      await shell('grep virtiofs /proc/mounts; grep " /host/posix/tmp " /proc/mounts | cut -d" " -f3'),
    ).toBe(
      'linuxrun /host virtiofs rw,nodev,relatime 0 0\n' +
        'linuxrun /memory virtiofs rw,nodev,relatime 0 0\n' +
        'linuxrun /stored virtiofs rw,nodev,relatime 0 0\n' +
        'linuxrun /made/here virtiofs ro,nodev,relatime 0 0\n' +
        'tmpfs\n',
    );
  });

  test('is read a MiB ahead', async () => {
    expect(await shell('cat /sys/class/bdi/0:$(stat -c %d /host)/read_ahead_kb')).toBe('1024\n');
  });

  test('is read and written by both sides', async () => {
    expect(await shell('cat /host/hello; echo back > /host/new; echo kept > /memory/x; cat /memory/x')).toBe(
      'of the host\nkept\n',
    );
    expect(readFileSync(join(host, 'new'), 'utf8')).toBe('back\n');
    writeFileSync(join(host, 'new'), 'changed by the host\n');
    writeFileSync(join(host, 'other'), 'other\n');
    renameSync(join(host, 'other'), join(host, 'hello'));
    await expire();
    expect(await shell('cat /host/new /host/hello; ls /host/other')).toBe(
      'changed by the host\nother\nls: /host/other: No such file or directory\n',
    );
  });

  test('that is only read refuses changes', async () => {
    const output = await shell(
      'cd /made/here; cat file; touch x; rm file; echo > file; mount -o remount,rw .',
    );
    expect(output).toMatch(/^only read\n(?:.*(?:Read-only|not permitted|denied).*\n){4}$/);
    expect(readFileSync(join(host, 'read/file'), 'utf8')).toBe('only read\n');
  });

  const ATTRIBUTES = [
    ...[
      'set: 0',
      'create again: EEXIST',
      'replace none: ENODATA',
      'replace: 0',
      'too small: ERANGE',
      'size: 5',
    ],
    ...['get: 5', 'list: 7', 'remove: 0', 'remove again: ENODATA', 'list none: 0'],
  ];
  /** Node makes no FIFOs, and has no extended attributes. */
  const lackOfNode = [
    ...['fifo: EPERM, not fifo: 0', 'fifo: ENOENT, not fifo: 10600 1 links, 0 bytes, 0:0'],
    ...ATTRIBUTES.map((line) => line.replace(/: .*/, `: EOPNOTSUPP, not ${line}`)),
  ];

  test.each([
    ['/host/posix', lackOfNode],
    ['/stored', []],
    ['/memory/posix', []],
  ])('at %s answers as the disk of the container does', async (folder, exceptions) => {
    const answers = async (at: string) => (await shell(`/host/posix.riscv ${at}`)).split('\n');
    const expected = await answers('/disk');
    await shell(`rm -rf /disk/*; mkdir -p ${folder}`);
    expect(expected.length).toBeGreaterThan(100);
    const differences = (await answers(folder)).flatMap((line, index) =>
      line === expected[index] ? [] : [`${line}, not ${expected[index]}`],
    );
    expect(differences).toEqual(exceptions);
  });

  test('does not lead out by links, which lead to files of the container', async () => {
    symlinkSync(outside, join(host, 'out'));
    symlinkSync(join(outside, 'secret'), join(host, 'link'));
    symlinkSync('/etc/hostname', join(host, 'inner'));
    const output = await shell(
      'cd /host; cat out/secret link ../secret; echo x > out/new; cat inner; cat /host/../secret',
    );
    expect(output).not.toContain('secret\n/');
    expect(output).toBe(
      [
        "cat: can't open 'out/secret': No such file or directory",
        "cat: can't open 'link': No such file or directory",
        "cat: can't open '../secret': No such file or directory",
        "sh: can't create out/new: nonexistent directory",
        'linuxrun',
        "cat: can't open '/host/../secret': No such file or directory",
        '',
      ].join('\n'),
    );
    expect(existsSync(join(outside, 'new'))).toBe(false);
  });

  test('does not open devices and FIFOs of the host', { skip: !IS_ROOT }, async () => {
    execFileSync('mknod', [join(host, 'zero'), 'c', '1', '5']);
    execFileSync('mkfifo', [join(host, 'pipe')]);
    expect(await shell('cd /host; head -c 1 zero | wc -c; stat -c %F zero pipe')).toMatch(
      /head: zero: .*\n0\n.*character special file\nfifo\n/,
    );
    unlinkSync(join(host, 'zero'));
    unlinkSync(join(host, 'pipe'));
  });

  test('keeps a container from being saved, which goes on', async () => {
    await expect(container.suspend()).rejects.toThrow('shared folders cannot be saved');
    expect(await shell('cat /host/new')).toBe('changed by the host\n');
  });

  test('holds out against races of the host', { timeout: TIMEOUT * TRIES }, async () => {
    mkdirSync(join(host, 'race'));
    writeFileSync(join(host, 'race/secret'), 'inside');
    const loop = shell(
      `cd /host; i=0; while [ $i -lt ${TRIES} ]; do cat race/secret; echo x > race/new; rm -f race/new; i=$((i+1)); done 2> /dev/null`,
    );
    let isOver = false;
    const swap = async () => {
      for (; !isOver; await new Promise((resolve) => setImmediate(resolve))) {
        renameSync(join(host, 'race'), join(host, 'away'));
        symlinkSync(outside, join(host, 'race'));
        unlinkSync(join(host, 'race'));
        renameSync(join(host, 'away'), join(host, 'race'));
      }
    };
    const swapping = swap();
    const output = await loop;
    isOver = true;
    await swapping;
    expect(output.replaceAll('inside', '')).toBe('');
    expect(existsSync(join(outside, 'new'))).toBe(false);
  });

  test('gives files the owners and modes of the container', { skip: !IS_ROOT }, async () => {
    await shell('cd /host; umask 0; echo x > own; chown 12:34 own; chmod 4751 own; touch -d @1000000000 own');
    const { uid, gid, mode, mtimeMs } = statSync(join(host, 'own'));
    expect([uid, gid, mode.toString(8), mtimeMs]).toEqual([12, 34, '104751', 1_000_000_000_000]);
  });
});

describe('two containers with a shared folder', { timeout: TIMEOUT }, () => {
  let other: ContainerMachine;

  beforeAll(async () => {
    other = await start({
      image: await pull(`${DEMO_IMAGES}:busybox`),
      entrypoint: ['sleep', '100000'],
      shares: [
        { folder: { kind: 'host', path: host }, path: '/host', readOnly: false },
        { folder: ownFolder(memory, 'memory'), path: '/memory', readOnly: false },
        { folder: ownFolder(stored, 'stored'), path: '/stored', readOnly: false },
      ],
    });
  }, TIMEOUT);

  afterAll(() => other?.destroy());

  const output = async ({ stdin, stdout, stderr }: GuestProcess) => {
    await stdin.close();
    return (await Promise.all([stdout, stderr].map(text))).join('');
  };

  test('take turns by names', async () => {
    writeFileSync(join(host, 'count'), '1000\n');
    const args = ['sh', '-c', `cd /host; ${COUNT}`];
    const outputs = [container, other].map((one) => output(one.exec({ args })));
    expect([...(await Promise.all(outputs)), readFileSync(join(host, 'count'), 'utf8')]).toEqual([
      ...['', '', '1010\n'],
    ]);
  });

  test.each(['/host/locks', '/memory/locks', '/stored/locks'])(
    'at %s have locks as two processes on a disk have',
    async (folder) => {
      await shell(`mkdir -p /disk/locks ${folder}; rm -f /disk/locks/*`);
      const onDisk = () => new Locker(container, '/disk/locks');
      const here = () => new Locker(container, folder);
      const there = () => new Locker(other, folder);
      const [expected, answers] = await Promise.all([
        takeTurns(onDisk(), onDisk(), TURNS),
        takeTurns(here(), there(), TURNS),
      ]);
      expect(answers).toEqual(expected);
      for (const error of ['EAGAIN', 'EDEADLK', 'EINTR']) expect(expected.join()).toContain(error);
      const [has, waits, follows] = [here(), there(), there()];
      await takeTurns(has, waits, 'first open 0 f; second open 0 f; first set 0 w 0 1; second! wait 0 w 0 1');
      waits.process.kill(SIGKILL);
      expect(await waits.process.exit).toBe(128 + SIGKILL);
      await takeTurns(has, follows, 'second open 0 f; second! wait 0 w 0 1');
      has.process.kill(SIGKILL);
      expect(await follows.end()).toBe('0');
    },
  );

  test('count with locks', async () => {
    for (const name of ['count', 'counted']) rmSync(join(host, name), { force: true });
    const args = ['/host/locks.riscv', '/host', 'count', `${COUNTED}`];
    const outputs = [container, other].map((one) => output(one.exec({ args })));
    expect(await Promise.all(outputs)).toEqual(['', '']);
    for (const name of ['count', 'counted'])
      expect(readFileSync(join(host, name), 'utf8')).toBe(`${2 * COUNTED}`);
  });

  test('that ends gives its locks to the other one', async () => {
    const [waits, has] = [new Locker(container, '/host'), new Locker(other, '/host')];
    await takeTurns(waits, has, 'first open 0 f; second open 0 f; second set 0 w 0 0; first! wait 0 w 0 0');
    await other.destroy();
    expect(await waits.end()).toBe('0');
  });
});
