import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { PUBLIC } from './program.ts';

const PROJECT = join(import.meta.dirname, '../..');
const COMMAND = [process.execPath, '--import', 'tsx', join(PROJECT, 'src/cli/run.ts')];
const BUSYBOX = { IMAGE: `oci://${PUBLIC}/images:busybox` };
const TIMEOUT = 120_000;

const cache = mkdtempSync(join(tmpdir(), 'linuxrun-run-'));
afterAll(() => rmSync(cache, { recursive: true, force: true }));

/** @param variables without their LINUXRUN_ */
function start(variables: Record<string, string>, command = COMMAND): ChildProcess {
  const ours = Object.entries(variables).map(([name, value]) => [`LINUXRUN_${name}`, value]);
  const env = { ...process.env, XDG_CACHE_HOME: cache, TERM: 'vt100', ...Object.fromEntries(ours) };
  return spawn(command[0] as string, command.slice(1), { cwd: PROJECT, env });
}

async function run(variables: Record<string, string>, input = '') {
  const child = start(variables);
  child.stdin?.on('error', () => {}).end(input);
  const output = (stream: NodeJS.ReadableStream | null) => text(stream as NodeJS.ReadableStream);
  const [stdout, stderr, [status]] = await Promise.all([
    output(child.stdout),
    output(child.stderr),
    once(child, 'exit'),
  ]);
  return { status, stdout, stderr };
}

describe('linuxrun', { timeout: TIMEOUT }, () => {
  test('runs the demo, first pulled, then from the cache', async () => {
    const first = await run({});
    expect(first.status).toBe(0);
    expect(first.stdout).toMatch(/^Hello from LinuxRun!\n/);
    expect(first.stderr).toMatch(/^pulling oci:.*: 1 layer, .* MiB\nlayer [0-9a-f]{12} is stored, .*\n$/);
    expect(await run({})).toEqual({ ...first, stderr: '' });
  });

  test('runs the image and command of the variables', async () => {
    const result = await run(
      {
        ...BUSYBOX,
        ENTRYPOINT: '/bin/sh',
        ARGS: '-c "echo $KEY; pwd; id -u; df -h / | tail -n 1; nproc; cat; exit 7"',
        ENV: 'KEY=v',
        USER: 'nobody',
        WORKDIR: '/tmp',
        DISK: '64M',
        MEMORY: '128M',
      },
      'input\n',
    );
    expect(result.status).toBe(7);
    expect(result.stdout).toMatch(/^v\n\/tmp\n65534\noverlay +6\d\.\dM .*\n1\ninput\n$/);
  });

  test('prints help', async () => {
    const child = start({}, [...COMMAND, '--help']);
    expect(await text(child.stdout as NodeJS.ReadableStream)).toMatch(/^usage: linuxrun.*LINUXRUN_IMAGE/s);
  });

  test.each([
    [
      'an image that is not there',
      { IMAGE: `oci://${PUBLIC}/images:none` },
      /^linuxrun: there is no image .*hello-world/,
    ],
    ['a reference that is none', { IMAGE: 'UPPER' }, /^linuxrun: "UPPER" is not an image reference/],
    ['an open quote', { ARGS: "'" }, /^linuxrun: LINUXRUN_ARGS: a quote \('\) is not closed\n$/],
    ['no assignment', { ENV: 'x' }, /^linuxrun: LINUXRUN_ENV: "x" is no NAME=value/],
    ['no size', { MEMORY: 'much' }, /^linuxrun: LINUXRUN_MEMORY: "much" is no size/],
    ['too much memory', { MEMORY: '64G' }, /^linuxrun: LINUXRUN_MEMORY: .* too much/],
    ['too many CPUs', { CPUS: '99' }, /^linuxrun: LINUXRUN_CPUS: the number of CPUs must be 1 to/],
    ['too small a disk', { DISK: '1' }, /^linuxrun: LINUXRUN_DISK: a disk has 16M to 64G/],
  ])('%s: one line, status 125', async (_, variables, message) => {
    const { status, stdout, stderr } = await run(variables);
    expect([status, stdout]).toEqual([125, '']);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd()).not.toContain('\n');
  });

  test('reports output that cannot be written', async () => {
    const child = start({}, ['bash', '-c', `${COMMAND.join(' ')} > /dev/full`]);
    child.stdin?.end();
    expect(await text(child.stderr as NodeJS.ReadableStream)).toBe(
      "linuxrun: cannot write the container's output: ENOSPC\n",
    );
    expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(125);
  });

  test('reports a missing program', async () => {
    const { status, stderr } = await run({ ...BUSYBOX, ARGS: 'nothing' });
    expect([status, stderr.split('\n').at(-2)]).toEqual([127, 'LinuxRun: nothing: not found']);
  });

  test('passes signals on to the container', async () => {
    const script = 'trap "echo term; exit 3" TERM; echo ready; while :; do sleep 0.1; done';
    const child = start({ ...BUSYBOX, ENTRYPOINT: 'sh', ARGS: `-c '${script}'` });
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    child.kill('SIGTERM');
    expect(await text(child.stdout as NodeJS.ReadableStream)).toBe('term\n');
    expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(3);
  });

  test('kills a container that ignores signals at the third one', async () => {
    const child = start({
      ...BUSYBOX,
      ENTRYPOINT: 'sh',
      ARGS: `-c 'trap "" INT TERM; echo ready; sleep 1000'`,
    });
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    const ended = once(child, 'exit');
    for (let i = 0; i < 3; i++) {
      child.kill('SIGINT');
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect((await ended)[0]).toBe(137);
  });

  test('ends everything at a signal before the container exists', async () => {
    const child = start({});
    const ended = once(child, 'exit');
    // Node needs a moment before it accepts signals. On a fast machine the container may have ended by then.
    await new Promise((resolve) => setTimeout(resolve, 600));
    child.kill('SIGTERM');
    const [code, signal] = await ended;
    expect([0, 143, null]).toContain(code);
    if (code === null) expect(signal).toBe('SIGTERM');
  });

  test('passes the end of its reader on to the container', async () => {
    const command = `${COMMAND.map((word) => `'${word}'`).join(' ')} | head -n 2; echo "status \${PIPESTATUS[0]}"`;
    const child = start({ ...BUSYBOX, ARGS: 'yes' }, ['bash', '-c', command]);
    child.stdin?.end();
    expect(await text(child.stdout as NodeJS.ReadableStream)).toMatch(/^y\ny\nstatus (141|1)\n$/);
  });
});

describe('in a terminal', { timeout: TIMEOUT }, () => {
  test('a shell is interactive', async () => {
    // `script` gives us a terminal.
    const inTerminal = `stty rows 33 cols 101; tty; exec ${COMMAND.join(' ')}`;
    const child = start(BUSYBOX, ['script', '-qefc', inTerminal, '/dev/null']);
    let screen = '';
    child.stdout?.on('data', (bytes: Buffer) => {
      screen += bytes.toString();
    });
    const shown = (pattern: RegExp) => expect.poll(() => screen, { timeout: 60_000 }).toMatch(pattern);
    const type = (keys: string) => {
      screen = '';
      child.stdin?.write(keys);
    };
    await shown(/# /);
    const terminal = /\/dev\/pts\/\d+/.exec(screen)?.[0] as string;
    type('stty size; echo "TERM $TERM"\n');
    await shown(/33 101\r\nTERM vt100\r\n/);
    execFileSync('stty', ['-F', terminal, 'rows', '44', 'cols', '99']);
    type('sleep 0.5; stty size\n');
    await shown(/44 99\r\n/);
    type('sleep 1000\n');
    await shown(/1000/);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    type('\x03');
    await shown(/\^C.*# /s);
    type('vi /tmp/x\n');
    await shown(/\/tmp\/x/);
    for (const keys of ['i', 'grüß', '\x1b', ':wq\n']) {
      child.stdin?.write(keys);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    type('cat /tmp/x\n');
    await shown(/grüß\r\n/);
    type('exit 9\n');
    expect((await once(child, 'exit'))[0]).toBe(9);
  });
});
