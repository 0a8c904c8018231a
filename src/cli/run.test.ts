import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { bundle, commandOf } from '../../scripts/setup/bundle.mjs';
import { ensure } from '../../scripts/setup/step.mjs';
import { PUBLIC } from './program.ts';
import { outcomeOf } from './testing/linuxrun.ts';

const PROJECT = join(import.meta.dirname, '../..');
await ensure(bundle);
const COMMAND = [process.execPath, commandOf('run')];
const BUSYBOX = { IMAGE: `oci://${PUBLIC}images:busybox` };
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
  return outcomeOf(child);
}

/** Returns a function that resolves with the next line of the child's output. */
function linesOf(child: ChildProcess): () => Promise<string> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return async () => (await lines.next()).value;
}

const running = (script: string) => ({ ...BUSYBOX, ENTRYPOINT: 'sh', ARGS: `-c '${script}'` });

/** Code for Node that has threads hang when they list a folder, as one does whose server has gone. */
const blocking = (fifo: string) => `
  const fs = require('node:fs');
  if (!require('node:worker_threads').isMainThread)
    fs.readdirSync = () => {
      fs.writeSync(2, 'hangs\\n');
      fs.openSync(${JSON.stringify(fifo)}, 'r');
    };`;

/** A program that runs some code often enough for it to be compiled. */
const BUSY = 'i=0; while [ $i -lt 30000 ]; do i=$((i + 1)); done; echo $i';

/** Runs the program, and returns how many regions were compiled, and how many of earlier runs were used. */
async function compiled(): Promise<{ regions: number; stored: number }> {
  const child = start(running(BUSY), [...COMMAND, '--jit-stats']);
  child.stdin?.end();
  const { status, stdout, stderr } = await outcomeOf(child);
  expect({ status, stdout }).toEqual({ status: 0, stdout: '30000\n' });
  const [, regions, stored] = /^JIT: (\d+) regions .*; (\d+) stored regions$/m.exec(stderr) ?? [];
  return { regions: Number(regions), stored: Number(stored) };
}

describe('the compiled code of an image', { timeout: TIMEOUT }, () => {
  const folder = join(cache, 'linuxrun/images/values/code');

  test('is used by the next run', async () => {
    const first = await compiled();
    expect(first).toMatchObject({ stored: 0 });
    expect(first.regions).toBeGreaterThan(0);
    expect(readdirSync(folder)).toHaveLength(1);
    expect((await compiled()).stored).toBeGreaterThan(0);
  });

  test('may be damaged', async () => {
    const [file] = readdirSync(folder).map((name) => join(folder, name));
    writeFileSync(file as string, Buffer.alloc(statSync(file as string).size, 0xff));
    expect(await compiled()).toMatchObject({ stored: 0 });
    // It is replaced.
    expect((await compiled()).stored).toBeGreaterThan(0);
  });
});

describe('linuxrun', { timeout: TIMEOUT }, () => {
  test('runs the demo, first pulled, then from the cache', async () => {
    const first = await run({});
    expect(first.status).toBe(0);
    expect(first.stdout).toMatch(/^Hello from LinuxRun!\n/);
    expect(first.stderr).toMatch(/^pulling oci:.*: 1 layer, .* MiB\nlayer [0-9a-f]{12} is stored, .*\n$/);
    expect(await run({})).toEqual({ ...first, stderr: '' });
  });

  test.each([
    [
      '',
      /^linuxrun: LINUXRUN_IMAGE: oci:\/\/.*\/images holds several images: add a colon and the name of one\n/,
    ],
    [':none', /^linuxrun: there is no image oci:\/\/.*\/images:none, but others\n/],
  ])('lists the images of a layout, and how to choose one: "%s"', async (name, message) => {
    const result = await run({ IMAGE: `oci://${PUBLIC}images${name}` });
    expect(result).toMatchObject({ status: 125, stdout: '' });
    expect(result.stderr).toMatch(message);
    expect(result.stderr).toContain(`\n  LINUXRUN_IMAGE=oci://${PUBLIC}images:busybox\n`);
  });

  test('says once why there is no network, when a program wants it', async () => {
    const silent = await run({ ...running('true'), RELAY: 'off' });
    expect(silent.stderr).not.toContain('network');
    const names = 'nslookup example.com > /dev/null; nslookup example.org > /dev/null';
    expect(await run({ ...running(names), RELAY: 'off' })).toMatchObject({
      stderr:
        'linuxrun: There is no network. LINUXRUN_RELAY is off: unset it, or name a relay in it (wss://…).\n',
    });
  });

  test('keeps files under a name, and starts the container again by it alone', async () => {
    const NAME = `kept-${process.pid}`;
    expect(await run({ ...running('cat /file 2>/dev/null; echo x >> /file'), NAME })).toMatchObject({
      status: 0,
      stdout: '',
    });
    expect(await run({ NAME })).toEqual({ status: 0, stdout: 'x\n', stderr: '' });
    expect(await run({ ...running('cat /file'), NAME })).toMatchObject({ stdout: 'x\nx\n' });
    expect(await run({ IMAGE: `oci://${PUBLIC}images:hello-world`, NAME })).toMatchObject({
      status: 125,
      stderr: expect.stringContaining('is kept already'),
    });
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

  test('4G of memory is the most that a machine can have, with a line that says so', async () => {
    const { status, stdout, stderr } = await run({ ...BUSYBOX, MEMORY: '4G', ARGS: 'free -m' });
    expect(status).toBe(0);
    expect(Number(/^Mem: +(\d+)/m.exec(stdout)?.[1])).toBeGreaterThan(3800);
    expect(stderr).toMatch(
      /^linuxrun: LINUXRUN_MEMORY: \d+M is the most that a machine with 1 CPU can have, and it gets that$/m,
    );
  });

  test.each([
    [
      'a reference that is none',
      { IMAGE: 'UPPER' },
      /^linuxrun: LINUXRUN_IMAGE: "UPPER" is not an image reference/,
    ],
    ['an open quote', { ARGS: "'" }, /^linuxrun: LINUXRUN_ARGS: a quote \('\) is not closed\n$/],
    ['no assignment', { ENV: 'x' }, /^linuxrun: LINUXRUN_ENV: "x" is no NAME=value/],
    [
      'no such device',
      { DEVICES: '/dev/vda' },
      /^linuxrun: LINUXRUN_DEVICES: there is no device "\/dev\/vda"/,
    ],
    ['no switch', { INIT: 'yes' }, /^linuxrun: LINUXRUN_INIT: "yes" is neither 1 \(on\) nor 0/],
    ['no size', { MEMORY: 'much' }, /^linuxrun: LINUXRUN_MEMORY: "much" is no size/],
    [
      'too much memory',
      { MEMORY: '64G' },
      /^linuxrun: LINUXRUN_MEMORY: 64G of memory is too much: at most 4G/,
    ],
    ['too many CPUs', { CPUS: '99' }, /^linuxrun: LINUXRUN_CPUS: the number of CPUs must be 1 to/],
    [
      'a misspelt variable',
      { MEMROY: '1G' },
      /^linuxrun: there is no variable LINUXRUN_MEMROY: .*LINUXRUN_MEMORY/,
    ],
    [
      'too small a disk',
      { DISK: '1' },
      /^linuxrun: LINUXRUN_DISK: a disk has 16M to 64G, in steps of 4096 bytes, not 1\n/,
    ],
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
    const child = start(running(script));
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    child.kill('SIGTERM');
    expect(await text(child.stdout as NodeJS.ReadableStream)).toBe('term\n');
    expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(3);
  });

  test.each([
    ['an option', {}, ['--init']],
    ['a variable', { INIT: '1' }, []],
  ])('puts an init before the program by %s', async (_, variables, options) => {
    const child = start({ ...running('echo $$; exec sleep 1000'), ...variables }, [...COMMAND, ...options]);
    expect(String(await once(child.stdout as NodeJS.ReadableStream, 'data'))).toBe('2\n');
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(143);
  });

  test('gives the container the devices of variable and options', async () => {
    const options = ['--device', '/dev/net/tun', '--device', '/dev/fuse'];
    const child = start({ ...running('ls /dev/fuse /dev/net/tun'), DEVICES: '/dev/fuse' }, [
      ...COMMAND,
      ...options,
    ]);
    expect(await text(child.stdout as NodeJS.ReadableStream)).toBe('/dev/fuse\n/dev/net/tun\n');
    expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(0);
  });

  test('shares the folders of variable and options', async () => {
    const [one, other] = ['with, comma', 'other'].map((name) => join(cache, name));
    for (const folder of [one, other]) mkdirSync(folder as string);
    const variables = { MOUNTS: `${one?.replace(',', '\\,')}:/one` };
    const child = start(
      { ...running('echo text > /one/f; ln -s ../one/f /other/l; cat /other/l'), ...variables },
      [...COMMAND, ...['-v', `${other}:/other`]],
    );
    expect(await text(child.stdout as NodeJS.ReadableStream)).toBe('text\n');
    expect(readFileSync(join(one as string, 'f'), 'utf8')).toBe('text\n');
  });

  test('ends with a shared folder that never answers', async () => {
    const [folder, preload, fifo] = ['silent', 'preload.cjs', 'fifo'].map((name) => join(cache, name));
    mkdirSync(folder as string);
    execFileSync('mkfifo', [fifo as string]);
    writeFileSync(preload as string, blocking(fifo as string));
    const child = start({ ...running('ls /silent'), MOUNTS: `${folder}:/silent` }, [
      ...['env', `NODE_OPTIONS=--require=${preload}`],
      ...COMMAND,
    ]);
    let errors = '';
    child.stderr?.on('data', (bytes) => {
      errors += bytes;
    });
    await expect.poll(() => errors, { timeout: 60_000 }).toContain('hangs\n');
    for (const signal of ['SIGINT', 'SIGTERM'] as const) child.kill(signal);
    expect((await once(child, 'close'))[1]).toBe('SIGKILL');
    expect(errors).toMatch(
      /^linuxrun: a shared folder does not answer: its disk or server may have gone\. /m,
    );
  });

  test('kills a container that ignores signals at the second one', async () => {
    const child = start(running('trap "echo ignored" HUP INT TERM; echo ready; while :; do sleep 0.1; done'));
    const nextLine = linesOf(child);
    expect(await nextLine()).toBe('ready');
    child.kill('SIGINT');
    expect(await nextLine()).toBe('ignored');
    // One signal to a process and its group may arrive twice.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(child.exitCode).toBe(null);
    child.kill('SIGINT');
    expect((await once(child, 'exit'))[0]).toBe(137);
  });

  test.each([
    ['it ends', 'trap "sleep 1; exit 3" TERM; echo ready; while :; do sleep 0.1; done', 3],
    ['it ignores it', 'trap "" TERM; echo ready; sleep 1000', 137],
  ])(
    'gives the container time to end after SIGTERM, which `timeout` sends twice: %s',
    async (_, script, status) => {
      const child = start(running(script), ['timeout', '1000', ...COMMAND]);
      expect(await linesOf(child)()).toBe('ready');
      child.kill('SIGTERM');
      expect((await once(child, 'exit'))[0]).toBe(status);
    },
  );

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

  test('ends a container that goes on without its reader', async () => {
    const command = `${COMMAND.map((word) => `'${word}'`).join(' ')} | head -n 1`;
    const script = 'trap "" PIPE; while :; do echo line; sleep 0.1; done 2> /dev/null';
    const child = start(running(script), ['bash', '-c', command]);
    child.stdin?.end();
    expect(await text(child.stdout as NodeJS.ReadableStream)).toBe('line\n');
    expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(0);
  });
});

/** Runs a line of shell in a terminal that `script` gives us. */
function inTerminal(variables: Record<string, string>, line: string) {
  const child = start(variables, ['script', '-qefc', line, '/dev/null']);
  const shown: string[] = [];
  child.stdout?.on('data', (bytes: Buffer) => shown.push(bytes.toString()));
  return {
    child,
    shows: (pattern: RegExp) => expect.poll(() => shown.join(''), { timeout: 60_000 }).toMatch(pattern),
    type: (keys: string) => child.stdin?.write(keys),
    clear: () => shown.splice(0),
    close: () => child.kill('SIGKILL'),
  };
}

/** The first process of a system may let ended orphans be zombies for long, or for ever. */
function stateOf(pid: number): string {
  try {
    return /^State:.*$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[0] ?? '';
  } catch {
    return 'ended';
  }
}

describe('in a terminal', { timeout: TIMEOUT }, () => {
  test('a shell is interactive', async () => {
    const line = `stty rows 33 cols 101; tty; exec ${COMMAND.join(' ')}`;
    const { child, shows: shown, clear, ...keyboard } = inTerminal(BUSYBOX, line);
    const type = (keys: string) => {
      clear();
      keyboard.type(keys);
    };
    await shown(/# /);
    const [terminal = ''] = /\/dev\/pts\/\d+/.exec(clear().join('')) ?? [];
    type('stty size; echo "TERM $TERM"\n');
    await shown(/33 101\r\nTERM vt100\r\n/);
    execFileSync('stty', ['-F', terminal, 'rows', '44', 'cols', '99']);
    type('sleep 0.5; stty size\n');
    await shown(/44 99\r\n/);
    type('(echo go""ing; exec sleep 1000)\n');
    await shown(/going/);
    type('\x03');
    await shown(/\^C.*# /s);
    type('vi /tmp/x\n');
    await shown(/\/tmp\/x/);
    type('igrüß');
    await shown(/grüß/);
    type('\x1b');
    // What follows the key at once would be a part of its sequence.
    await new Promise((resolve) => setTimeout(resolve, 500));
    type(':wq\n');
    await shown(/# /);
    type('cat /tmp/x\n');
    await shown(/grüß\r\n/);
    type('exit 9\n');
    expect((await once(child, 'exit'))[0]).toBe(9);
  });

  test('what is typed during the start waits for the program', async () => {
    const { child, shows, type } = inTerminal(running('read line; echo "got $line"'), COMMAND.join(' '));
    type('early\n');
    await shows(/got early/);
    expect(child.exitCode ?? (await once(child, 'exit'))[0]).toBe(0);
  });

  test('Ctrl-] three times ends a program that ignores Ctrl-C, as the third one says', async () => {
    const { child, shows, type } = inTerminal(
      running('echo ready; exec sleep 1000'),
      `exec ${COMMAND.join(' ')}`,
    );
    await shows(/ready/);
    for (let i = 0; i < 3; i++) type('\x03');
    await shows(/\r\nlinuxrun: the program ignores Ctrl-C\. Ctrl-\] three times .* ends the machine\.\r\n/);
    for (let i = 0; i < 3; i++) type('\x1d');
    expect((await once(child, 'exit'))[0]).toBe(137);
  });

  test('the end of the terminal ends everything, by its signal', async () => {
    const line = `echo process $$ leads; exec ${COMMAND.join(' ')}`;
    const { shows, close, clear } = inTerminal(running('echo ready; exec sleep 1000'), line);
    await shows(/leads.*ready/s);
    const [, leader] = /process (\d+)/.exec(clear().join('')) ?? [];
    close();
    await expect.poll(() => stateOf(Number(leader)), { timeout: 30_000 }).toMatch(/^ended|zombie/);
  });

  test.each([
    ['sleeps', 'exec sleep 1000'],
    ['reads', 'exec cat'],
    ['writes', 'while :; do echo line; done'],
  ])('the end of the terminal ends everything without a signal, if the program %s', async (name, program) => {
    const [error, result] = ['error', 'result'].map((kind) => join(cache, `${name}-${kind}`)) as [
      string,
      string,
    ];
    const line = `trap '' HUP; ${COMMAND.join(' ')} 2> ${error}; echo $? > ${result}.new; mv ${result}.new ${result}`;
    const { shows, close } = inTerminal(running(`echo ready; ${program}`), line);
    await shows(/ready/);
    close();
    await expect.poll(() => existsSync(result), { timeout: 30_000 }).toBe(true);
    // A program that reads may end by itself.
    expect(readFileSync(result, 'utf8')).toMatch(/^(0|137)\n$/);
    expect(readFileSync(error, 'utf8')).toBe('');
  });
});
