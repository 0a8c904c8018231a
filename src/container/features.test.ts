import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileForGuest } from '../../scripts/setup/initramfs.mjs';
import { OptionError } from '../options/option-error.mjs';
import type { ContainerMachine } from './container.ts';
import { DEMO_IMAGES, pull, start, text } from './testing/run.ts';

const TIMEOUT = 120_000;
const EPERM = 1;
const EACCES = 13;
const folder = mkdtempSync(join(tmpdir(), 'linuxrun-features-'));
const program = join(folder, 'features');
let container: ContainerMachine;

async function boot(devices: readonly string[] = []): Promise<ContainerMachine> {
  const image = await pull(`${DEMO_IMAGES}:busybox`);
  const container = await start({ image, args: ['sleep', '100000'], devices });
  await container.files.writeFile('/bin/features', new Uint8Array(readFileSync(program)), { mode: 0o755 });
  return container;
}

async function shell(script: string, user = 'root', inside = container): Promise<string> {
  const { stdin, stdout } = inside.exec({ args: ['sh', '-c', `{ ${script}\n} 2>&1`], user });
  await stdin.close();
  return text(stdout);
}

beforeAll(async () => {
  const source = join(import.meta.dirname, '../../kernel/init');
  await compileForGuest(source, ['test/features.c'], program);
  container = await boot();
});
afterAll(async () => {
  await container?.destroy();
  rmSync(folder, { recursive: true });
});

describe('the kernel that programs expect', { timeout: TIMEOUT }, () => {
  test.each(['root', 'nobody'])('has system calls for %s', async (user) => {
    expect(await shell('features', user)).toBe(
      [
        'perf_event_open 0',
        `perf_event_open of a processor ${EACCES}`,
        'userfaultfd 0',
        `userfaultfd of the kernel's faults ${EPERM}`,
        'fanotify_init 0',
        `fanotify_init for all files ${EPERM}`,
        'add_key 0',
        'memfd_secret 0',
        'cachestat 0',
        'name of memory 0',
        'sock_diag 0',
        '',
      ].join('\n'),
    );
  });

  test('tells the cost of processes and the pressure on the machine', async () => {
    const script = 'cat /bin/busybox > /dev/null; cat /proc/$$/io /proc/$$/schedstat /proc/pressure/*';
    const children = 'sleep 1000 >&- 2>&- & grep -q -w $! /proc/$$/task/$$/children && echo found; kill $!';
    const report = await shell(`${script}; ${children}`);
    expect(report).toMatch(/^rchar: \d+\n(.*\n)*read_bytes: \d+\n/);
    expect(report).toMatch(/\n\d+ \d+ \d+\n/);
    expect(report.match(/some avg10=\d/g)).toHaveLength(3);
    expect(report).toMatch(/found\n$/);
  });

  test('has network devices for a network of a user', async () => {
    for (const kind of ['dummy', 'bridge', 'veth'])
      expect(await shell(`unshare -U -r -n ip link add x0 type ${kind}`, 'nobody')).toBe('');
    // No dummy device is there from the start.
    expect(await shell('ip -o link | cut -d: -f2')).toBe(' lo\n eth0\n');
  });
});

describe('further devices', { timeout: TIMEOUT }, () => {
  test('are there where they are asked for, and work', async () => {
    const devices = ['/dev/fuse', '/dev/net/tun', '/dev/fuse'];
    const inside = await boot(devices);
    try {
      expect(await shell('stat -c "%a %U %t:%T" /dev/fuse /dev/net/tun', 'root', inside)).toBe(
        '666 root a:e5\n666 root a:c8\n',
      );
      for (const user of ['root', 'nobody']) {
        expect(await shell('unshare -U -r -n features tun', user, inside)).toBe('open 0\ntun 0\n');
        expect(await shell('unshare -U -r -m features fuse', user, inside)).toBe('open 0\nmount 0\n');
      }
      const others = 'mknod /tmp/f c 10 229; head -c 1 /tmp/f';
      expect(await shell(others, 'root', inside)).toMatch(/Permission denied/);
    } finally {
      await inside.destroy();
    }
  });

  test('are not there otherwise', async () => {
    expect(await shell('ls /dev/fuse /dev/net')).toMatch(/fuse: No such file.*\n.*net: No such file/);
  });

  test('are only those of the list', async () => {
    await expect(boot(['/dev/vda'])).rejects.toThrow(OptionError);
    await expect(boot(['/dev/vda'])).rejects.toThrow(/\/dev\/fuse or \/dev\/net\/tun/);
  });
});
