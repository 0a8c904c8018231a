import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileForGuest } from '../../scripts/setup/initramfs.mjs';
import type { ContainerMachine } from './container.ts';
import { DEMO_IMAGES, pull, start, text } from './testing/run.ts';

const TIMEOUT = 120_000;
const EPERM = 1;
const ENOENT = 2;
const EAGAIN = 11;
const INIT = join(import.meta.dirname, '../../kernel/init');

/** When asked, it also has a child that tries to leave its control group, and keeps its mount of that. */
const FIRST = `(until [ -e /tmp/lift ]; do sleep 0.1; done
sh -c 'echo $$ > /tmp/lifting; exec probe lift 100000' > /tmp/lift 2>&1) & exec sleep 100000`;

const folder = mkdtempSync(join(tmpdir(), 'linuxrun-isolation-'));
let container: ContainerMachine;
let log = '';

/** Returns the output of a script, including errors. The container has CAP_MKNOD, as in Docker. */
async function shell(script: string, user = 'root', inside = container): Promise<string> {
  const { stdin, stdout, stderr, messages } = inside.exec({
    args: ['sh', '-c', `{ ${script}\n} 2>&1`],
    user,
  });
  await stdin.close();
  const [output, ...problems] = await Promise.all([stdout, stderr, messages].map(text));
  expect(problems).toEqual(['', '']);
  return output ?? '';
}

const boot = async (options = {}) =>
  start({ image: await pull(`${DEMO_IMAGES}:busybox`), args: ['sh', '-c', FIRST], ...options });

beforeAll(async () => {
  container = await boot({
    onConsole: (bytes: Uint8Array) => {
      log += Buffer.from(bytes).toString();
    },
  });
  for (const name of ['probe', 'attacker']) {
    const program = join(folder, name);
    await compileForGuest(INIT, [`test/${name}.c`], program);
    await container.files.writeFile(`/bin/${name}`, new Uint8Array(readFileSync(program)), { mode: 0o755 });
  }
});
afterAll(async () => {
  await container?.destroy();
  rmSync(folder, { recursive: true });
});

describe('devices', { timeout: TIMEOUT }, () => {
  test('are the default ones, and they work', async () => {
    expect(await shell('cd /dev; find . -type c -o -type b | sort')).toBe(
      ['full', 'null', 'pts/ptmx', 'random', 'tty', 'urandom', 'zero', '']
        .map((name) => `./${name}`)
        .join('\n')
        .slice(0, -2),
    );
    expect(
      await shell('echo x > /dev/null; head -c 2 /dev/zero | wc -c; head -c 3 /dev/urandom | wc -c'),
    ).toBe('2\n3\n');
    expect(await shell('echo x > /dev/full')).toMatch(/No space left/);
    expect(await shell('echo x > /dev/null && head -c 1 /dev/random | wc -c', 'nobody')).toBe('1\n');
    expect(await shell('stat -c "%a %U %t:%T" /dev/null /dev/tty')).toBe('666 root 1:3\n666 root 5:0\n');
  });

  const NODES = [
    ['the image', 'b 254 0'],
    ['the writable disk', 'b 254 16'],
    ['the console', 'c 229 0'],
    ["the kernel's log", 'c 1 11'],
    ['memory', 'c 1 1'],
    ['even a default one', 'c 1 3'],
  ];
  test.each(['/', '/tmp', '/dev', '/dev/shm', '/home'])(
    'that root makes in %s do not open',
    async (place) => {
      for (const [name, numbers] of NODES) {
        const node = `${place}/node`;
        const read = `mknod ${node} ${numbers} && (head -c 1 ${node}; echo forged > ${node}); rm ${node}`;
        expect([name, (await shell(read)).match(/Permission denied/g)?.length]).toEqual([name, 2]);
      }
      expect(log).not.toContain('forged');
    },
  );

  test('cannot be made in a user namespace', async () => {
    const script = 'mount -t tmpfs x /tmp && mknod /tmp/n c 1 3 || (cp -a /dev/null /tmp/n; cat /tmp/n)';
    expect(await shell(`unshare -U -r -m sh -c '${script}'`)).toMatch(/not permitted|Permission denied/);
  });
});

describe('streams of the agent', { timeout: TIMEOUT }, () => {
  test.each(['root', 'nobody'])('are neither forged nor stolen nor delayed by %s', async (user) => {
    const attacks = ['hold', 'hold', 'forge', 'forge'].map((kind) => shell(`attacker ${kind} 5`, user));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    for (let i = 0; i < 5; i++) {
      expect(await shell('echo output')).toBe('output\n');
      await container.files.writeFile('/secret', new Uint8Array(Buffer.from('secret')), { mode: 0o600 });
      expect(await text(await container.files.readFile('/secret'))).toBe('secret');
    }
    for (const report of await Promise.all(attacks)) expect(report).toMatch(/^\d+ attempts\n$/);
  });
});

/** Starts processes under attack for some seconds. Returns how many died of it. */
async function attackStarts(): Promise<number> {
  let isOver = false;
  const attack = shell('cd /; rm -f core; probe dump 6').finally(() => {
    isOver = true;
  });
  let killed = 0;
  while (!isOver) {
    if ((await container.exec({ args: ['true'] }).exit) !== 128 + 11) continue;
    killed++;
    // A process that has become the program already may be dumped, in 192 KB. A copy of init takes 2.5 MB.
    const size = await shell('stat -c %s /core 2> /dev/null; rm -f /core');
    expect(Number.parseInt(size || '0', 10)).toBeLessThan(1 << 20);
  }
  expect(await attack).toMatch(/^\d+ signals\n$/);
  return killed;
}

test("the agent's memory is not dumped for a container's root", { timeout: TIMEOUT }, async () => {
  // The attacker must meet a process in the moment before it becomes its program.
  let killed = 0;
  for (let round = 0; killed === 0 && round < 10; round++) killed += await attackStarts();
  expect(killed).toBeGreaterThan(0);
});

describe('the kernel', { timeout: TIMEOUT }, () => {
  test('refuses the same calls as Docker, to root and others, in all their processes', async () => {
    const expected = [
      `socket(AF_VSOCK) ${EPERM}`,
      `socket(2^32 | AF_VSOCK) ${EPERM}`,
      'socket(AF_INET) 0',
      `io_uring_setup ${EPERM}`,
      `syslog ${EPERM}`,
      `mount ${EPERM}`,
      '',
    ].join('\n');
    for (const [user, id] of Object.entries({ root: 0, nobody: 65534 }))
      for (const command of ['probe', '(sh -c "sh -c probe")', 'setsid probe'])
        expect(await shell(command, user)).toBe(`effective user ${id}\n${expected}`);
    expect(await shell('unshare -U -r probe')).toContain(`socket(AF_VSOCK) ${EPERM}\n`);
    // The first process has the filter as well.
    expect(await shell('grep -E "Seccomp:|NoNewPrivs" /proc/1/status /proc/self/status | cut -d: -f2-')).toBe(
      'NoNewPrivs:\t0\nSeccomp:\t2\nNoNewPrivs:\t0\nSeccomp:\t2\n',
    );
  });

  test('lets programs with the set-user-ID bit work', async () => {
    await shell('cp /bin/probe /bin/root-probe; chmod 4755 /bin/root-probe');
    expect(await shell('root-probe | head -n 1; probe | head -n 1', 'nobody')).toBe(
      'effective user 0\neffective user 65534\n',
    );
  });

  test('names the cause when all terminals are taken', async () => {
    const taker = container.exec({ args: ['probe', 'terminals'] });
    const { value } = await taker.stdout.getReader().read();
    expect(Buffer.from(value ?? []).toString()).toBe('taken\n');
    const terminal = { columns: 80, rows: 24, type: 'vt100' };
    const late = container.exec({ args: ['true'], terminal });
    expect(await text(late.messages)).toBe(
      'LinuxRun: no terminal: all that the container may have are in use\n',
    );
    expect(await late.exit).toBe(126);
    taker.kill(9);
    await taker.exit;
    expect(await container.exec({ args: ['true'], terminal }).exit).toBe(0);
  });

  test('has no limit of open files that one user could exhaust for all', async () => {
    expect(await shell('cat /proc/sys/fs/file-max')).toBe('9223372036854775807\n');
  });

  test('hides its log', async () => {
    for (const user of ['root', 'nobody']) {
      expect(await shell('dmesg', user)).toMatch(/not permitted/);
      expect(await shell('cat /proc/kmsg', user)).toMatch(/not permitted|Permission denied/);
    }
  });

  test.each([
    '/proc/acpi',
    '/proc/asound',
    '/proc/interrupts',
    '/proc/kcore',
    '/proc/keys',
    '/proc/latency_stats',
    '/proc/timer_list',
    '/proc/timer_stats',
    '/proc/sched_debug',
    '/proc/scsi',
    '/sys/firmware',
    '/sys/devices/virtual/powercap',
  ])('hides %s', async (path) => {
    expect(
      await shell(`[ ! -e ${path} ] || if [ -d ${path} ]; then ls -A ${path}; else cat ${path}; fi`),
    ).toBe('');
  });

  test.each(['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'])(
    'keeps %s from changes',
    async (path) => {
      const mounts = await shell(`[ ! -e ${path} ] || grep " ${path} " /proc/mounts`);
      if (await shell(`ls -d ${path} 2> /dev/null`)) expect(mounts).toMatch(/ ro,/);
    },
  );

  test('bounds the number of processes, and reports the limit to a further one', async () => {
    const small = await boot({ memoryBytes: 64 << 20 });
    try {
      const most = Number(await shell('cat /sys/fs/cgroup/pids.max', 'root', small));
      expect(most).toBeGreaterThan(100);
      expect(most).toBeLessThan(500);
      const forks = `i=0; while [ $i -lt ${most} ]; do sleep 1000 > /dev/null 2>&1 & i=$((i + 1)); done`;
      // The subshell gives up, and leaves a place that the next fork takes.
      const script = `(${forks}); sleep 1000 > /dev/null 2>&1 & exec sleep 1000 2> /dev/null`;
      const bomb = small.exec({ args: ['sh', '-c', script] });
      expect(await text(bomb.stderr)).toMatch(/can't fork/);
      const late = small.exec({ args: ['true'] });
      expect([await late.exit, await text(late.messages)]).toEqual([
        126,
        'LinuxRun: the container has as many processes as it may have\n',
      ]);
      // The agent still works.
      expect(await text(await small.files.readFile('/etc/hostname'))).toBe('linuxrun\n');
    } finally {
      await small.destroy();
    }
  });

  test("keeps a container's root from its control group, even in user namespaces", async () => {
    const limit = await shell('cat /sys/fs/cgroup/pids.max');
    const report = await shell('mkdir -p /mnt; probe lift');
    expect(report).toContain('mount(cgroup2) 0\n');
    expect(report).toContain(`mkdir(group) ${EAGAIN}\n`);
    // Only the first process's group has this file.
    expect(report).toContain(`write(pids.max) ${ENOENT}\n`);
    expect(report).toContain(`write(cgroup.max.depth) ${EPERM}\n`);
    expect(await shell('cat /sys/fs/cgroup/pids.max')).toBe(limit);
  });

  test("keeps a further process in its control group, also with a mount of the first one's", async () => {
    await shell('mkdir -p /mnt; touch /tmp/lift');
    await expect.poll(() => shell('cat /tmp/lift')).toContain(`write(pids.max) ${EPERM}\n`);
    expect(await shell('probe leave $(cat /tmp/lifting)')).toBe(
      `clone3(group) ${ENOENT}\nwrite(cgroup.procs) ${ENOENT}\n`,
    );
  });

  test('provides a network of its own', async () => {
    const output = await shell(
      'ip -o addr show | cut -d" " -f2-7; sleep 2 | nc -l -p 80 > /tmp/got & sleep 0.5; ' +
        'echo hi | nc 127.0.0.1 80; wait; cat /tmp/got',
      'nobody',
    );
    expect(output).toMatch(/lo +inet 127\.0\.0\.1\/8/);
    expect(output).toMatch(/hi\n$/);
    expect(output.match(/^\w+/gm)).toEqual(['lo', 'lo', 'eth0', 'eth0', 'hi']);
  });
});
