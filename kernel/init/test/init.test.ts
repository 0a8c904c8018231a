import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileForGuest } from '../../../scripts/setup/initramfs.mjs';
import { Machine } from '../../../src/machine/machine.ts';
import { nodePlatform } from '../../../src/machine/platform/node.ts';

const PUBLIC = join(import.meta.dirname, '../../../public');
const PATH = '/nowhere:/bin';

let machine: Machine;
let console_ = '';

async function boot(): Promise<Machine> {
  const platform = nodePlatform(PUBLIC);
  console_ = '';
  return Machine.start(platform, {
    emulator: await platform.loadEmulator(),
    kernel: await readFile(join(PUBLIC, 'kernel/Image')),
    initrd: await readFile(join(PUBLIC, 'kernel/initramfs.cpio')),
    cpus: 1,
    memoryBytes: 128 << 20,
    commandLine: 'quiet',
    onConsole: (bytes) => {
      console_ += Buffer.from(bytes).toString();
    },
  });
}

async function text(stream: ReadableStream<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  const reader = stream.getReader();
  for (let next = await reader.read(); next.value; next = await reader.read()) parts.push(next.value);
  return Buffer.concat(parts).toString();
}

interface Options {
  input?: string;
  env?: Record<string, string>;
  cwd?: string;
}

async function run(args: string[], { input = '', env = { PATH }, cwd = '/' }: Options = {}) {
  const process = machine.run({ args, env, cwd });
  const stdin = process.stdin.getWriter();
  // A program that does not read all of its input closes the stream.
  stdin.write(Buffer.from(input)).catch(() => {});
  stdin.close().catch(() => {});
  const [stdout, stderr, status] = await Promise.all([
    text(process.stdout),
    text(process.stderr),
    process.exit,
  ]);
  return { stdout, stderr, status };
}

const shell = (script: string, options?: Options) => run(['sh', '-c', script], options);

describe('init', () => {
  beforeAll(async () => {
    machine = await boot();
  });
  afterAll(() => machine?.stop());

  test('gives a program its arguments, environment, folder and streams', async () => {
    const options = { env: { PATH, A: '1 2' }, cwd: '/sys', input: 'in' };
    const result = await run(
      ['sh', '-c', 'echo "$0" "$1" "$A" "$PWD"; cat; echo err >&2; exit 7', 'x', 'y z'],
      options,
    );
    expect(result).toEqual({ stdout: 'x y z 1 2 /sys\nin', stderr: 'err\n', status: 7 });
  });

  test.each([
    ['a program that is not there', ['no-such-program'], {}, 127],
    ['a program that is not in the path', ['sh'], { env: { PATH: '/nowhere' } }, 127],
    ['no name', [''], {}, 127],
    ['a file that is no program', ['/proc/version'], {}, 126],
    ['a folder', ['/bin'], {}, 126],
    ['a working directory that is not there', ['sh'], { cwd: '/nowhere' }, 126],
  ])('%s is distinguished from a failing program', async (_, args, options, status) => {
    const result = await run(args, options);
    expect(result.status).toBe(status);
    expect(result.stderr).toMatch(/^LinuxRun: .+\n$/);
  });

  test('finds programs without a PATH', async () => {
    expect((await run(['sh', '-c', 'exit 3'], { env: {} })).status).toBe(3);
  });

  test('carries large data both ways without loss', async () => {
    const input = 'the quick brown fox\n'.repeat(50_000);
    expect((await run(['sh', '-c', 'cat'], { input })).stdout === input).toBe(true);
    expect((await shell('head -n 1', { input })).stdout).toBe('the quick brown fox\n');
  });

  test('reports signals as a shell does, and sends them', async () => {
    expect((await shell('kill -SEGV $$')).status).toBe(128 + 11);
    const process = machine.run({
      args: ['sh', '-c', 'trap "exit 9" USR1; echo ready; while :; do sleep 0.1; done'],
      env: { PATH },
    });
    const reader = process.stdout.getReader();
    await reader.read();
    process.kill(10);
    expect(await process.exit).toBe(9);
  });

  test('runs many processes at the same time', async () => {
    const results = await Promise.all(Array.from({ length: 30 }, (_, i) => shell(`echo ${i}; exit ${i}`)));
    expect(results.map(({ stdout, status }) => [stdout, status])).toEqual(
      results.map((_, i) => [`${i}\n`, i]),
    );
  });

  test('reaps orphans', async () => {
    await shell('for i in 1 2 3; do (sleep 0.1 &) ; done');
    const { stdout } = await shell('sleep 0.5; cat /proc/[0-9]*/stat');
    expect(stdout).not.toMatch(/ Z /);
    expect(stdout).not.toContain('(sleep)');
  });

  test('mounts the usual file systems and brings loopback up', async () => {
    const { stdout } = await shell('cut -d" " -f2,3 /proc/mounts; ip -o addr show lo');
    const mounts = stdout.split('\n');
    for (const expected of [
      '/proc proc',
      '/sys sysfs',
      '/sys/fs/cgroup cgroup2',
      '/dev devtmpfs',
      '/dev/pts devpts',
    ]) {
      expect(mounts).toContain(expected);
    }
    for (const folder of ['/dev/shm', '/run', '/tmp']) expect(mounts).toContain(`${folder} tmpfs`);
    expect(stdout).toContain('inet 127.0.0.1/8 ');
  });

  test('finds no container where there is none', async () => {
    const shell = machine.run({ args: ['sh', '-c', 'read line'], env: { PATH } });
    const options = { args: ['true'], env: [], directory: '/', user: '' };
    const names = ['main', '', '1', '..', 'x'.repeat(1000)];
    const ends = names.map(async (name) => {
      const process = machine.exec({ name }, options);
      return [await text(process.messages), await process.exit];
    });
    expect(await Promise.all(ends)).toEqual(names.map(() => ['LinuxRun: the container does not run\n', 126]));
    const handle = { name: 'main' };
    for (const transfer of [machine.files.read(handle, '/init'), machine.files.write(handle, '/init')])
      expect([await text(transfer.messages), await transfer.exit]).toEqual([
        'ESRCH: the container does not run\n',
        1,
      ]);
    const { memory, disk } = await machine.measure(handle);
    expect(disk).toEqual({ totalBytes: 0, usedBytes: 0 });
    expect(memory.totalBytes).toBeGreaterThan(100 << 20);
    shell.kill(9);
    await shell.exit;
  });

  test('reports why it cannot make a container', async () => {
    const options = {
      args: ['true'],
      env: [],
      directory: '/',
      user: '',
      hostname: '',
      volumes: [],
      devices: [],
      tmpfs: [],
    };
    const disks = { image: 'disk0', scratch: 'disk1' };
    for (const [name, reason] of [
      ['main', 'the machine has no disk disk0'],
      ['', 'the container has no name'],
      ['../x', "a container's name is letters, digits, _ and -"],
      ['x'.repeat(64), "the container's name is too long"],
    ] as const) {
      const process = machine.runContainer({ ...options, name, disks });
      expect([await text(process.messages), await process.exit]).toEqual([`LinuxRun: ${reason}\n`, 125]);
    }
  });

  describe('streams', () => {
    const folder = mkdtempSync(join(tmpdir(), 'linuxrun-attacker-'));
    afterAll(() => rmSync(folder, { recursive: true }));

    beforeAll(async () => {
      const program = join(folder, 'attacker');
      await compileForGuest(join(import.meta.dirname, '..'), ['test/attacker.c'], program);
      const { stdin, exit } = machine.run({
        args: ['sh', '-c', 'cat > /tmp/attacker; chmod 755 /tmp/attacker'],
        env: { PATH },
      });
      const writer = stdin.getWriter();
      await writer.write(readFileSync(program));
      await writer.close();
      expect(await exit).toBe(0);
    });

    test('are neither forged nor stolen nor delayed without their tokens', async () => {
      const attacks = ['hold', 'hold', 'forge', 'forge'].map((kind) => run(['/tmp/attacker', kind, '8']));
      await new Promise((resolve) => setTimeout(resolve, 2000));
      for (let i = 0; i < 10; i++)
        expect(await shell('cat', { input: 'secret' })).toEqual({ stdout: 'secret', stderr: '', status: 0 });
      for (const { stdout, status } of await Promise.all(attacks)) {
        expect([stdout, status]).toEqual([expect.stringMatching(/^\d+ attempts\n$/), 0]);
        expect(Number.parseInt(stdout, 10)).toBeGreaterThan(100);
      }
    });
  });

  test('gives the console, with job control, to one session after the other', async () => {
    for (const status of [5, 6]) {
      const process = machine.runOnConsole({ args: ['sh'], env: { PATH } });
      await machine.write(Buffer.from(`tty; sh -c 'echo to-stderr > /dev/stderr; exec sleep 100'\n`));
      await expect.poll(() => console_, { timeout: 20_000 }).toContain('\r\nto-stderr');
      expect(console_).toContain('/dev/hvc0');
      await machine.write(Buffer.from('\x03'));
      await machine.write(Buffer.from(`exit ${status}\n`));
      expect(await process.exit).toBe(status);
      console_ = '';
    }
  });

  test('ends even a process that ignores SIGTERM, then powers off', async () => {
    const process = machine.run({
      args: ['sh', '-c', 'trap "" TERM; echo; while :; do sleep 1; done'],
      env: { PATH },
    });
    const ended = process.exit.catch(() => 'lost with the machine');
    await process.stdout.getReader().read();
    machine.powerOff();
    expect((await machine.exit).reason).toBe('poweroff');
    expect(await ended).toBe(128 + 9);
  });
});
