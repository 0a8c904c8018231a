import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Command, configure, OptionError } from './node.ts';
import { temporaryStore } from './testing/store.ts';

const TIMEOUT = 120_000;
/** Megabytes. */
const LOAD = process.env.LONG_TESTS ? 1000 : 100;
const BUSYBOX = `oci://${join(import.meta.dirname, '../../public/images')}:busybox`;

configure({ store: temporaryStore() });

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const sh = (script: string) => new Command('sh').arg('-c').arg(script);

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new Response(stream).text();
}

test('runs a program and returns its output', { timeout: TIMEOUT }, async () => {
  const output = await new Command('ls').arg('-la').arg('/bin/sh').output();
  expect(output.status).toBe(0);
  expect(output.text()).toMatch(/\/bin\/sh -> busybox\n$/);
  expect(output.stdout).toBeInstanceOf(Uint8Array);
  expect(output.stderr).toHaveLength(0);
});

test('passes arguments, environment, folder and user, and can run again', { timeout: TIMEOUT }, async () => {
  const command = sh('echo "$0 $1 $A $B"; pwd; id -un; exit 5')
    .args(['zero', 'a  b'])
    .env('A', '1')
    .envs({ B: '2=3' })
    .currentDir('/tmp')
    .user('nobody');
  for (const _ of [1, 2]) {
    const { status, stdout } = await command.output();
    expect([status, new TextDecoder().decode(stdout)]).toEqual([5, 'zero a  b 1 2=3\n/tmp\nnobody\n']);
  }
});

test('is usable before its machine has booted, and streams both ways', { timeout: TIMEOUT }, async () => {
  const child = new Command('sort').spawn();
  const writer = child.stdin.getWriter();
  void writer.write(new TextEncoder().encode('b\na\n'));
  void writer.close();
  expect(await textOf(child.stdout)).toBe('a\nb\n');
  expect(await child.wait()).toBe(0);
});

test('keeps standard output and error apart, and drops what is null', { timeout: TIMEOUT }, async () => {
  const both = await sh('echo out; echo err >&2').output();
  expect([both.text(), new TextDecoder().decode(both.stderr)]).toEqual(['out\n', 'err\n']);
  const none = await sh('cat; echo out; echo err >&2').stdout('null').output();
  expect([none.text(), new TextDecoder().decode(none.stderr)]).toEqual(['', 'err\n']);
});

test('says why a program cannot run', { timeout: TIMEOUT }, async () => {
  const { status, stderr } = await new Command('nonesuch').output();
  expect([status, new TextDecoder().decode(stderr)]).toEqual([127, 'LinuxRun: nonesuch: not found\n']);
  const directory = await new Command('/etc').output();
  expect(directory.status).toBe(126);
});

test.each([
  ['NUL in an argument', () => new Command('echo').arg('a\0b')],
  ['an empty name of a variable', () => new Command('env').env('', 'x')],
  ['a name of a variable with =', () => new Command('env').env('A=B', 'x')],
  ['a size that is none', () => new Command('true').memory('banana')],
  ['too many CPUs', () => new Command('true').cpus(99)],
  ['a relay without encryption', () => new Command('true').network({ relay: 'ws://example.com' })],
  ['an argument that is no string', () => new Command('echo').arg(5 as never)],
  ['a program that is no string', () => new Command(undefined as never)],
  ['a variable without a value', () => new Command('env').env('A', undefined as never)],
  ['a folder that is no string', () => new Command('pwd').currentDir(5 as never)],
  ['a network that is none', () => new Command('true').network('banana' as never)],
  ['a signal that is none', () => new Command('true').signal({} as never)],
  ['a stream that leads nowhere', () => new Command('true').stdout('file' as 'null')],
])('rejects %s', { timeout: TIMEOUT }, async (_, build) => {
  await expect(build().output()).rejects.toThrow(OptionError);
  const child = build().spawn();
  await expect(child.wait()).rejects.toThrow(OptionError);
  // All that comes after the failure is harmless.
  await child.kill();
  child.resize(1, 1);
  await child[Symbol.asyncDispose]();
});

test('rejects an image that is missing', { timeout: TIMEOUT }, async () => {
  const command = new Command('true').image('oci:///nonesuch');
  await expect(command.output()).rejects.toMatchObject({ name: 'ImageError', kind: 'not-found' });
  const never = new Command('true').image('example.com/never').pull('never');
  await expect(never.output()).rejects.toThrow(/example.com\/never:latest is not stored/);
});

test('does not mind kills, reads and disposals after the end', { timeout: TIMEOUT }, async () => {
  const child = sh('echo x').spawn();
  expect(await child.wait()).toBe(0);
  await child.kill();
  await child.kill('SIGTERM');
  await expect(child.kill('SIGNONE')).rejects.toThrow(OptionError);
  child.resize(80, 24);
  expect((await child.waitWithOutput()).text()).toBe('x\n');
  expect((await child.waitWithOutput()).text()).toBe('x\n');
  await child[Symbol.asyncDispose]();
  await child[Symbol.asyncDispose]();
  const { stdin } = sh('cat').stdin('null').spawn();
  await expect(stdin.getWriter().write(new Uint8Array(1))).rejects.toThrow(/standard input is null/);
});

test('takes only bytes as input', { timeout: TIMEOUT }, async () => {
  const child = new Command('cat').spawn();
  const writer = child.stdin.getWriter();
  writer.closed.catch(() => {});
  await expect(writer.write('text' as never)).rejects.toThrow(OptionError);
  expect((await child.waitWithOutput()).stdout).toHaveLength(0);
});

test('is killed by signals', { timeout: TIMEOUT }, async () => {
  const child = new Command('sleep').arg('1000').spawn();
  await child.kill('SIGTERM');
  expect(await child.wait()).toBe(128 + 15);
  const killed = new Command('sleep').arg('1000').spawn();
  await killed.kill();
  expect(await killed.wait()).toBe(128 + 9);
  const disposed = new Command('sleep').arg('1000').spawn();
  await disposed[Symbol.asyncDispose]();
  expect(await disposed.wait()).toBe(128 + 9);
});

test('leaves no process when it is aborted', { timeout: TIMEOUT }, async () => {
  const abort = new AbortController();
  const child = sh('(setsid sleep 4321 & sleep 4321 &) ; echo ready; sleep 4321')
    .signal(abort.signal)
    .spawn();
  const reader = child.stdout.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('ready\n');
  const count = async () => (await sh(`ps -o args | grep -c '^sleep 4321'`).output()).text();
  expect(await count()).toBe('3\n');
  const reason = new Error('no longer wanted');
  abort.abort(reason);
  await expect(child.wait()).rejects.toBe(reason);
  await expect(reader.read()).rejects.toBe(reason);
  await expect.poll(count).toBe('0\n');
  const late = sh('echo never').signal(abort.signal);
  await expect(late.output()).rejects.toBe(reason);
});

test('runs a hundred at a time', { timeout: TIMEOUT }, async () => {
  const numbers = Array.from({ length: 100 }, (_, index) => `${index}`);
  const outputs = await Promise.all(numbers.map((number) => new Command('echo').arg(number).output()));
  expect(outputs.map((output) => output.text().trim())).toEqual(numbers);
});

test('has a terminal of the size that it is given', { timeout: TIMEOUT }, async () => {
  const terminal = { columns: 91, rows: 17, type: 'vt100' };
  const output = await sh('stty size; echo $TERM; test -t 1 && echo yes').terminal(terminal).output();
  expect(output.text()).toBe('17 91\r\nvt100\r\nyes\r\n');
});

test('has the files of its image each time, in a machine that stays warm', { timeout: TIMEOUT }, async () => {
  const command = new Command('sh')
    .arg('-c')
    .image(BUSYBOX)
    .arg('ls /tmp; touch /tmp/left; cat /proc/uptime');
  const uptimes: number[] = [];
  for (const _ of [1, 2, 3]) {
    const output = await command.output();
    expect([output.status, output.text()]).toEqual([0, expect.stringMatching(/^\d+\.\d+ /)]);
    uptimes.push(Number.parseFloat(output.text()));
  }
  expect(uptimes[1]).toBeGreaterThan(uptimes[0] as number);
  expect(uptimes[2]).toBeGreaterThan(uptimes[1] as number);
});

test('ends with its Node process, which ends by itself', { timeout: TIMEOUT }, async () => {
  const program = `
    import { Command } from '${join(import.meta.dirname, 'node.ts')}';
    const child = new Command('sh').args(['-c', 'echo piped; cat']).stdout('piped').spawn();
    child.stdin.close();
    await child.wait();
    console.log(await new Response(child.stdout).text());
    console.log(await new Command('sh').args(['-c', 'cat; echo inherited; exit 3']).status());`;
  const tsx = join(import.meta.dirname, '../../node_modules/.bin/tsx');
  const running = promisify(execFile)(tsx, ['--input-type=module', '-e', program]);
  running.child.stdin?.end('from the pipe\n');
  const { stdout, stderr } = await running;
  expect([stdout, stderr]).toEqual(['piped\n\nfrom the pipe\ninherited\n3\n', '']);
});

test('streams without collecting bytes, and leaves nothing behind', { timeout: TIMEOUT }, async () => {
  await new Command('true').output();
  const child = new Command('cat').spawn();
  const writer = child.stdin.getWriter();
  let sent = 0;
  const feed = async () => {
    for (; sent < LOAD * 1e6; sent += 1e6) await writer.write(new Uint8Array(1e6));
    await writer.close();
  };
  const held = () => {
    collectGarbage();
    return process.memoryUsage().arrayBuffers;
  };
  const before = held();
  const fed = feed();
  let received = 0;
  let mostUnderWay = 0;
  const reader = child.stdout.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    received += next.value.length;
    mostUnderWay = Math.max(mostUnderWay, sent - received);
    // V8 frees buffers late, even after it was told to collect garbage.
    if (received % 20e6 < next.value.length) await expect.poll(held).toBeLessThan(before + 40e6);
  }
  await fed;
  expect([received, await child.wait()]).toEqual([LOAD * 1e6, 0]);
  expect(mostUnderWay).toBeLessThan(10e6);
});

test('keeps no handle of what has ended', { timeout: TIMEOUT }, async () => {
  const { signal } = new AbortController();
  const refs: WeakRef<object>[] = [];
  const run = async () => {
    const child = new Command('true').signal(signal).spawn();
    await child.waitWithOutput();
    refs.push(new WeakRef(child));
    // A reader that never comes.
    const unread = new Command('echo').arg('unread').signal(signal).spawn();
    await unread.wait();
    refs.push(new WeakRef(unread));
  };
  for (let round = 0; round < 20; round++) await run();
  await expect
    .poll(() => {
      collectGarbage();
      return refs.filter((ref) => ref.deref()).length;
    })
    .toBeLessThan(4);
});
