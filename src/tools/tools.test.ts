import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundle, bundleOf, type TOOLS } from '../../scripts/setup/bundle.mjs';
import { ensure } from '../../scripts/setup/step.mjs';
import { PUBLIC } from '../cli/program.ts';
import * as programs from '../machine/testing/programs.ts';

const PROJECT = join(import.meta.dirname, '../..');
const TIMEOUT = 120_000;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'linuxrun-tools-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

await ensure(bundle);
const node = (program: keyof typeof TOOLS, args: string[]) => [bundleOf(program), ...args];

interface Result {
  status: number;
  stdout: string;
  stderr: string;
}

function run(program: keyof typeof TOOLS, args: string[], input = ''): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      node(program, args),
      { cwd: PROJECT },
      (error, stdout, stderr) => {
        resolve({ status: error ? Number(error.code) : 0, stdout, stderr });
      },
    );
    child.stdin?.end(input);
  });
}

function file(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('elf', { timeout: TIMEOUT }, () => {
  test.each([
    ['that passes', programs.htif(1), 0, /^$/],
    ['that fails', programs.htif(2 * 5 + 1), 5, /^elf: the guest failed with code 5\n$/],
    ['that fails with a large code', programs.finisher(programs.FINISHER_FAIL, 0x1000), 255, /code 4096/],
    ['that fails with code 0', programs.finisher(programs.FINISHER_FAIL, 0), 1, /code 0/],
    [
      'that makes a system call of HTIF',
      programs.htifCall,
      1,
      /system call 67305985 of HTIF.*does not serve/,
    ],
    ['that resets', programs.finisher(programs.FINISHER_RESET), 1, /reboot/],
  ] as const)('a program %s', async (name, program, status, stderr) => {
    const result = await run('elf', [file(name, program)]);
    expect(result).toMatchObject({ status, stdout: '' });
    expect(result.stderr).toMatch(stderr);
  });

  test('shows the UART on stdout and the instruction count on stderr', async () => {
    const { status, stdout, stderr } = await run('elf', [file('hello', programs.hello), '--instret']);
    expect(status).toBe(0);
    expect(stdout).toBe('Hi\n');
    expect(stderr).toMatch(/^\d+ instructions retired in \d+\.\d+ s, \d+\.\d MIPS\n$/);
  });

  test('ends after --timeout', async () => {
    const { status, stderr } = await run('elf', [file('endless', programs.endless), '--timeout', '0.5']);
    expect(status).toBe(124);
    expect(stderr).toBe('elf: timed out after 0.5 s\n');
  });

  test('dumps the signature', async () => {
    const signature = join(folder, 'signature');
    const { status } = await run('elf', [file('signed', programs.signed), '--dump-signature', signature]);
    expect(status).toBe(0);
    expect(readFileSync(signature, 'utf8')).toBe('04030201\n08070605\n');
  });

  test.each([
    ['no file', [], 2, /give the file of one program/],
    ['a missing file', ['/nowhere'], 1, /cannot read \/nowhere: ENOENT/],
    ['a folder', ['/'], 1, /cannot read \/: EISDIR/],
    ['a file for another machine', [process.execPath], 1, /not for RISC-V/],
    ['no ELF file', ['package.json'], 1, /not an ELF file/],
    ['absurd memory', ['package.json', '--memory', '1T'], 2, /memory is too much/],
    ['an absurd timeout', ['package.json', '--timeout', 'soon'], 2, /--timeout must be a number/],
    ['an unknown option', ['package.json', '--nonsense'], 2, /--nonsense/],
  ] as const)('%s: one clear line', async (_, args, status, message) => {
    const result = await run('elf', [...args]);
    expect(result.status).toBe(status);
    const [line, usage, ...more] = result.stderr.split('\n').filter((text) => text !== '');
    expect(line).toMatch(message);
    expect(usage?.startsWith('usage: ') ?? false).toBe(status === 2);
    expect(more).toEqual([]);
  });

  test('needs the signature symbols for --dump-signature', async () => {
    const args = [file('unsigned', programs.hello), '--dump-signature', join(folder, 'none')];
    expect(await run('elf', args)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('begin_signature'),
    });
  });
});

describe('boot', { timeout: TIMEOUT }, () => {
  test('describes the machine without a terminal', async () => {
    const { status, stdout } = await run('boot', ['--stats', '--append', 'quiet']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/LinuxRun: init started\r\nLinux linuxrun 6\.12\S* .* riscv64 GNU\/Linux\n$/);
  });

  test('--exec connects the streams and the status of a command', async () => {
    const script = 'cat; echo error >&2; exit 42';
    const { status, stdout, stderr } = await run(
      'boot',
      ['--exec', '/bin/busybox', 'sh', '-c', script],
      'input',
    );
    expect(status).toBe(42);
    expect(stdout).toBe('input');
    expect(stderr).toBe('LinuxRun: init started\r\nerror\n');
  });

  test('--report prints the cost of the guest kernel, within its limits', async () => {
    const { status, stdout } = await run('boot', ['--report']);
    expect(status).toBe(0);
    expect(Number(/PID 1: ([\d.]+) M instructions/.exec(stdout)?.[1])).toBeLessThan(25);
    expect(Number(/kernel overhead: ([\d.]+) MiB/.exec(stdout)?.[1])).toBeLessThan(47);
    expect(Number(/guest RAM: ([\d.]+) MiB/.exec(stdout)?.[1])).toBeLessThan(64);
  });

  test('--icount counts the same every time', async () => {
    const figures = async () => (await run('boot', ['--icount', '--report'])).stdout.split(',')[0];
    expect(await figures()).toBe(await figures());
  });

  test('--trace begins at the entry of the kernel', async () => {
    const child = spawn(process.execPath, node('boot', ['--trace']), { cwd: PROJECT });
    let trace = '';
    for await (const bytes of child.stderr) {
      trace += bytes;
      if (trace.length > 100_000) break;
    }
    child.kill('SIGKILL');
    expect(trace).toMatch(/^0 S 0000000080200000 [0-9a-f]{4,8}\s/);
  });

  test('ends with the guest', async () => {
    const { status, stderr } = await run('boot', ['--exec', '/bin/busybox', 'poweroff', '-f']);
    expect(status).toBe(1);
    expect(stderr).toContain('boot: the guest has powered off\n');
  });

  const kernel = join(PUBLIC, 'kernel/Image');
  test.each([
    ['no CPUs', ['--cpus', '0'], 2, /number of CPUs must be 1 to 8/],
    ['absurd CPUs', ['--cpus', '1e9'], 2, /--cpus: "1e9" is not a number/],
    ['too many CPUs', ['--cpus', '1000'], 2, /number of CPUs must be 1 to 8/],
    ['too little memory', ['--memory', '8M'], 2, /--memory: 8M of memory is too little/],
    ['too much memory', ['--memory', '64G'], 2, /too much/],
    ['absurd memory', ['--memory', 'lots'], 2, /--memory: "lots" is no size/],
    ['no command', ['--exec'], 2, /--exec needs a command/],
    ['a missing kernel', ['--kernel', '/nowhere'], 1, /cannot read \/nowhere/],
    ['a kernel that is none', ['--kernel', 'package.json'], 1, /damaged, or no RISC-V/],
    ['a missing initial RAM disk', ['--initrd', '/nowhere'], 1, /cannot read \/nowhere/],
    [
      'an initial RAM disk larger than RAM',
      ['--memory', '32M', '--initrd', process.execPath],
      1,
      /too little memory/,
    ],
    ['no initial RAM disk', ['--initrd', '/dev/null', '--append', 'quiet'], 1, /panicked/],
  ] as const)('%s: one clear line', async (_, args, status, message) => {
    const result = await run('boot', [...args]);
    expect(result.status).toBe(status);
    const [line, usage, ...more] = result.stderr.split('\n').filter((text) => text !== '');
    expect(line).toMatch(message);
    expect(usage?.startsWith('usage: ') ?? false).toBe(status === 2);
    expect(more).toEqual([]);
  });

  test('a damaged kernel is reported in one clear line', async () => {
    const damaged = file('damaged', readFileSync(kernel).subarray(0, 1_000_000));
    const { status, stderr } = await run('boot', ['--kernel', damaged]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^boot: the kernel hangs .*\n$/);
  });

  const script = spawnSync('script', ['--version']).status === 0;
  test.runIf(script)('on a terminal is a shell, which Ctrl-A x leaves', async () => {
    const command = [process.execPath, ...node('boot', ['--append', 'quiet'])].join(' ');
    const terminal = spawn('script', ['-qec', `stty rows 33 cols 111; ${command}`, '/dev/null'], {
      cwd: PROJECT,
    });
    const keys = ['echo $((6*7)) $(tty) $(stty size)\n', '\u0001x'];
    const closed = once(terminal, 'close');
    let screen = '';
    for await (const bytes of terminal.stdout) {
      screen += bytes;
      if (screen.endsWith('\u001b[6n')) terminal.stdin.write(keys.shift() ?? '');
    }
    expect(screen).toContain('42 /dev/hvc0 33 111\r');
    expect(keys).toEqual([]);
    expect(await closed).toEqual([0, null]);
  });

  test.runIf(script)('ends with its terminal, also without a signal', async () => {
    const result = join(folder, 'result');
    const command = [process.execPath, ...node('boot', ['--append', 'quiet'])].join(' ');
    const line = `trap '' HUP; ${command}; echo $? > ${result}.new; mv ${result}.new ${result}`;
    const terminal = spawn('script', ['-qec', line, '/dev/null'], { cwd: PROJECT });
    let screen = '';
    for await (const bytes of terminal.stdout) {
      screen += bytes;
      if (screen.includes('\u001b[6n')) break;
    }
    terminal.kill('SIGKILL');
    await expect.poll(() => existsSync(result), { timeout: 30_000 }).toBe(true);
    expect(readFileSync(result, 'utf8')).toBe('129\n');
  });
});
