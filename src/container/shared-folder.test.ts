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
import { MemoryDiskFiles } from '../storage/memory.ts';
import type { ContainerMachine } from './container.ts';
import { ownFolder } from './testing/own-folder.ts';
import { DEMO_IMAGES, pull, start, text } from './testing/run.ts';

const TIMEOUT = 120_000;
/** Longer than the guest relies on what it knows of a folder, in ms. */
const EXPIRED = 1500;
/** RACES=1000000 tries for hours. */
const TRIES = Number(process.env.RACES ?? 20);

const IS_ROOT = process.getuid?.() === 0;

let container: ContainerMachine;
let outside: string;
let host: string;
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

const expire = () => new Promise((resolve) => setTimeout(resolve, EXPIRED));

beforeAll(async () => {
  outside = mkdtempSync(join(tmpdir(), 'linuxrun-shared-'));
  host = join(outside, 'shared');
  for (const name of ['read', 'posix']) mkdirSync(join(host, name), { recursive: true });
  writeFileSync(join(outside, 'secret'), 'secret');
  writeFileSync(join(host, 'hello'), 'of the host\n');
  writeFileSync(join(host, 'read/file'), 'only read\n');
  const program = join(host, 'posix.riscv');
  const source = join(import.meta.dirname, 'testing/posix.c');
  execFileSync('riscv64-linux-gnu-gcc', ['-O2', '-static', '-o', program, source]);
  container = await start({
    image: await pull(`${DEMO_IMAGES}:busybox`),
    args: ['sh', '-c', 'mkdir /disk; exec sleep 100000'],
    shares: [
      { folder: { kind: 'host', path: host }, path: '/host', readOnly: false },
      { folder: { kind: 'host', path: join(host, 'read') }, path: '/made/here', readOnly: true },
      { folder: ownFolder(new MemoryFolder()), path: '/memory', readOnly: false },
      { folder: ownFolder(await StoredFolder.open(store, 'f')), path: '/stored', readOnly: false },
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

  /** Node makes no FIFOs. */
  const noFifo = ['fifo: EPERM, not fifo: 0', 'fifo: ENOENT, not fifo: 10600 1 links, 0 bytes, 0:0'];

  test.each([
    ['/host/posix', noFifo],
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

  test('lets two containers take turns by names', async () => {
    writeFileSync(join(host, 'count'), '1000\n');
    const other = await start({
      image: await pull(`${DEMO_IMAGES}:busybox`),
      entrypoint: ['sh', '-c', `cd /host; ${COUNT}`],
      shares: [{ folder: { kind: 'host', path: host }, path: '/host', readOnly: false }],
    });
    const [output, status] = await Promise.all([shell(`cd /host; ${COUNT}`), other.exit]);
    await other.destroy();
    expect([output, status, readFileSync(join(host, 'count'), 'utf8')]).toEqual(['', 0, '1010\n']);
  });

  test('gives files the owners and modes of the container', { skip: !IS_ROOT }, async () => {
    await shell('cd /host; umask 0; echo x > own; chown 12:34 own; chmod 4751 own; touch -d @1000000000 own');
    const { uid, gid, mode, mtimeMs } = statSync(join(host, 'own'));
    expect([uid, gid, mode.toString(8), mtimeMs]).toEqual([12, 34, '104751', 1_000_000_000_000]);
  });
});
