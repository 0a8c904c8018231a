import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { VIRTIO_SLOTS } from '../../emulator-wasm/layout.ts';
import { type GuestProcess, type LinuxOptions, Machine } from './machine.ts';
import { nodePlatform } from './platform/node.ts';

/** Devices that every machine has: console, sockets, entropy and file system. */
const FIXED = 4;
const MIB = 2 ** 20;
const BUSYBOX = '/bin/busybox';
const platform = nodePlatform(join(import.meta.dirname, '../../public'));
let emulator: WebAssembly.Module;
let initrd: Uint8Array;
let machine: Machine | undefined;

beforeAll(async () => {
  [emulator, initrd] = await Promise.all([
    platform.loadEmulator(),
    platform.loadFile('kernel/initramfs.cpio'),
  ]);
});
afterEach(async () => {
  await machine?.stop();
  machine = undefined;
});

async function boot(cpus: number, mebibytes: number, options: Partial<LinuxOptions> = {}): Promise<Machine> {
  const kernel = await platform.loadFile(cpus === 1 ? 'kernel/Image' : 'kernel/Image-smp');
  const size = { cpus, memoryBytes: mebibytes * MIB };
  machine = await Machine.start(platform, {
    emulator,
    kernel,
    initrd,
    commandLine: 'quiet',
    ...size,
    ...options,
  });
  return machine;
}

async function finish({ stdin, stdout, stderr, exit }: GuestProcess, input?: Uint8Array) {
  const feeding = input && new Blob([new Uint8Array(input)]).stream().pipeTo(stdin);
  if (!feeding) await stdin.close();
  const [output, errors, status] = await Promise.all([
    new Response(stdout).text(),
    new Response(stderr).text(),
    exit,
    feeding?.catch(() => {}),
  ]);
  return { output, errors, status };
}

const shell = (script: string, guest = machine as Machine) =>
  guest.run({ args: [BUSYBOX, 'sh', '-c', script] });

describe.each([
  [1, 64],
  [1, 2048],
  [2, 256],
  [4, 64],
  [4, 2048],
])('%i harts, %i MiB', { timeout: 120_000 }, (cpus, mebibytes) => {
  test('boots, runs a command, and powers off', async () => {
    let console = '';
    const guest = await boot(cpus, mebibytes, {
      onConsole: (bytes) => {
        console += Buffer.from(bytes).toString();
      },
    });
    const figures = await guest.booted;
    const script = 'grep -c ^processor /proc/cpuinfo; grep MemTotal /proc/meminfo; echo oops >&2; exit 7';
    const { output, errors, status } = await finish(shell(script));
    expect(status).toBe(7);
    expect(errors).toBe('oops\n');
    expect(Number(output.split('\n')[0])).toBe(cpus);
    const total = Number(/(\d+) kB/.exec(output)?.[1]) / 1024;
    expect(total).toBeGreaterThan(mebibytes * 0.95 - 16);
    expect(total).toBeLessThan(mebibytes);
    guest.powerOff();
    expect(await guest.exit).toMatchObject({ reason: 'poweroff' });
    expect(console).toContain('LinuxRun: init started');
    if (cpus === 1 && mebibytes < 1024) expect(figures.instructions).toBeLessThan(25e6);
  });
});

describe('processes', { timeout: 60_000 }, () => {
  test('have arguments, environment, directory and streams of their own', async () => {
    const guest = await boot(1, 64);
    const list = guest.run({
      args: [BUSYBOX, 'sh', '-c', 'echo "$0 $1 $NAME $(pwd)"; cat', 'zero', 'two words'],
      env: { NAME: 'välue', PATH: '/bin' },
      cwd: '/proc',
    });
    expect(await finish(list, Buffer.from('from stdin'))).toEqual({
      output: 'zero two words välue /proc\nfrom stdin',
      errors: '',
      status: 0,
    });
  });

  test('move megabytes both ways without loss', async () => {
    await boot(1, 128);
    const input = new Uint8Array(3 * MIB).map((_, index) => 97 + ((index * 7) % 26));
    const { output, status } = await finish(shell('cat'), input);
    expect(status).toBe(0);
    expect(Buffer.compare(Buffer.from(output), Buffer.from(input))).toBe(0);
  });

  test('run at the same time, and end by signals', async () => {
    await boot(1, 64);
    const sleeper = shell('exec sleep 1000');
    const quick = await Promise.all([1, 2, 3].map((number) => finish(shell(`echo ${number}`))));
    expect(quick.map(({ output }) => output)).toEqual(['1\n', '2\n', '3\n']);
    sleeper.kill(15);
    expect(await sleeper.exit).toBe(128 + 15);
  });

  test('wait for a reader of their output, and end without one', async () => {
    const guest = await boot(1, 64);
    const flood = shell('yes');
    const reader = flood.stdout.getReader();
    await reader.read();
    const progress = async () => {
      const before = guest.stats().instructions[0] ?? 0;
      await delay(300);
      return (guest.stats().instructions[0] ?? 0) - before;
    };
    // Once the windows on the way are full the guest is idle, but well.
    await expect.poll(progress).toBeLessThan(1e6);
    expect((await finish(shell('echo alive'))).output).toBe('alive\n');
    await reader.cancel();
    expect(await flood.exit).toBe(128 + 13);
  });

  test('report a missing program', async () => {
    const guest = await boot(1, 64);
    const { status, errors } = await finish(guest.run({ args: ['/nowhere'] }));
    expect(status).toBe(127);
    expect(errors).toContain('/nowhere');
  });

  test('with invalid arguments are refused', async () => {
    const guest = await boot(1, 64);
    expect(() => guest.run({ args: ['a\0b'] })).toThrow(/NUL/);
    expect(() => guest.run({ args: ['x'.repeat(MIB)] })).toThrow(/1 MiB/);
  });

  test('on the console have a terminal of the right size', async () => {
    let console = '';
    const guest = await boot(1, 64, {
      onConsole: (bytes) => {
        console += Buffer.from(bytes).toString();
      },
    });
    guest.resize(123, 45);
    const terminal = guest.runOnConsole({ args: [BUSYBOX, 'sh'] });
    await expect.poll(() => console).toContain('# ');
    await guest.write(Buffer.from('tty; stty size; exit 3\n'));
    expect(await terminal.exit).toBe(3);
    await expect.poll(() => console).toContain('/dev/hvc0\r\n45 123\r\n');
  });
});

describe('disks', { timeout: 60_000 }, () => {
  test('are read and written', async () => {
    const data = new Uint8Array(1 * MIB).fill(120);
    await boot(1, 64, {
      disks: [
        { data, readOnly: true },
        { data: new Uint8Array(MIB), readOnly: false },
      ],
    });
    const script = `
      dd if=/dev/vda bs=64k 2>/dev/null | md5sum
      dd if=/dev/vda of=/dev/vdb bs=64k 2>/dev/null; sync
      echo 3 > /proc/sys/vm/drop_caches 2>/dev/null
      dd if=/dev/vdb bs=64k 2>/dev/null | md5sum
      dd if=/dev/zero of=/dev/vda bs=512 count=1 2>/dev/null || echo refused`;
    const { output } = await finish(shell(script));
    const [first, second, third] = output.split('\n');
    expect(first).toMatch(/^[0-9a-f]{32}/);
    expect(second).toBe(first);
    expect(third).toBe('refused');
  });

  test('work in every slot', async () => {
    const count = VIRTIO_SLOTS - FIXED;
    const disks = Array.from({ length: count }, (_, index) => ({
      data: new Uint8Array(MIB).fill(index),
      readOnly: false,
    }));
    await boot(1, 64, { disks });
    const script = `
      ls /dev/vd? | wc -l
      for disk in /dev/vd?; do
        head -c 1 $disk | od -An -tu1
        echo $disk | dd of=$disk bs=512 seek=9 conv=sync 2>/dev/null
      done
      sync; echo 3 > /proc/sys/vm/drop_caches
      for disk in /dev/vd?; do dd if=$disk bs=512 skip=9 count=1 2>/dev/null | tr -d '\\0'; done
      grep -c 'SiFive PLIC.*virtio' /proc/interrupts`;
    const { output } = await finish(shell(script));
    const names = disks.map((_, index) => `/dev/vd${String.fromCharCode(97 + index)}`);
    const contents = disks.map((_, index) => `${index}`);
    expect(output.split(/\s+/)).toEqual([`${count}`, ...contents, ...names, `${VIRTIO_SLOTS}`, '']);
  });

  test('beyond the slots are refused', async () => {
    const disks = Array.from({ length: VIRTIO_SLOTS - FIXED + 1 }, () => ({
      data: new Uint8Array(512),
      readOnly: true,
    }));
    await expect(boot(1, 64, { disks })).rejects.toThrow(
      `at most ${VIRTIO_SLOTS - FIXED} disks, not ${VIRTIO_SLOTS - FIXED + 1}`,
    );
  });
});

describe('a guest', { timeout: 60_000 }, () => {
  test('that is idle uses less than 3 % of a core', async () => {
    const guest = await boot(1, 256);
    await finish(shell('true'));
    const measure = async () => {
      const before = process.cpuUsage();
      await delay(3000);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 3e6;
    };
    // The kernel has some work left over from booting.
    await expect.poll(measure, { timeout: 15_000, interval: 0 }).toBeLessThan(0.03);
    expect(guest.stats().instructions[0]).toBeGreaterThan(0);
  });

  test('that panics ends with a reboot, together with its processes', async () => {
    const guest = await boot(1, 64, { initrd: new Uint8Array(512) });
    const lost = guest.run({ args: ['true'] });
    expect(await guest.exit).toMatchObject({ reason: 'reboot' });
    await expect(lost.exit).rejects.toThrow(/panicked/);
    await expect(guest.booted).rejects.toThrow(/panicked/);
  });

  test('with a truncated kernel is stopped', async () => {
    const kernel = (await platform.loadFile('kernel/Image')).subarray(0, MIB);
    const guest = await boot(1, 64, { kernel });
    await expect(guest.exit).rejects.toThrow(/kernel hangs/);
  });

  test('that counts instructions runs twice in the same way', async () => {
    const counts: number[] = [];
    for (let round = 0; round < 2; round++) {
      const guest = await boot(1, 64, {
        icount: true,
        initrd: new Uint8Array(512),
        commandLine: 'quiet panic=-1',
      });
      await guest.exit;
      counts.push(guest.stats().instructions[0] ?? 0);
    }
    const [first = 0, second = 0] = counts;
    expect(second).toBe(first);
  });
});
