import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Container, configure, images, type RunningContainer } from './node.ts';
import { temporaryStore } from './testing/store.ts';

const TIMEOUT = 120_000;
const BUSYBOX = `oci://${join(import.meta.dirname, '../../public/images')}:busybox`;

configure({ store: temporaryStore() });

/** A container that serves HTTP and waits. */
let container: RunningContainer;

beforeAll(async () => {
  container = await new Container(BUSYBOX)
    .entrypoint('sh')
    .args(['-c', 'mkdir /www; echo page > /www/index.html; httpd -p 8000 -h /www; cat'])
    .env('MY_VAR', 'v')
    .hostname('box')
    .network('none')
    .tmpfs('/memory')
    .publish('0:8000')
    .run();
}, TIMEOUT);
afterAll(() => container?.[Symbol.asyncDispose]());

test('runs an entrypoint with arguments and environment to its end', { timeout: TIMEOUT }, async () => {
  const short = await new Container(BUSYBOX)
    .entrypoint('/bin/sh')
    .arg('-c')
    .arg("echo 'Hello' $MY_VAR; echo err >&2; exit 3")
    .env('MY_VAR', 'v')
    .readOnly()
    .run();
  const ended: unknown[] = [];
  short.on('exit', (event) => ended.push(event));
  const { status, stderr, text } = await short.waitWithOutput();
  expect([status, text(), new TextDecoder().decode(stderr)]).toEqual([3, 'Hello v\n', 'err\n']);
  expect(await short.wait()).toBe(3);
  expect(ended).toEqual([{ status: 3 }]);
  // Everything after the end is harmless, or says so.
  await short.kill();
  expect(await short.stop()).toBe(3);
  await short[Symbol.asyncDispose]();
  await short[Symbol.asyncDispose]();
  await expect(short.fs.readFile('/etc/passwd')).rejects.toThrow(/stopped/);
  await expect(short.stats()).rejects.toThrow(/stopped/);
  await expect(short.connect(80)).rejects.toThrow(/stopped/);
  await expect(short.exec(['true']).wait()).rejects.toThrow(/stopped/);
});

test('says whether a program has started', { timeout: TIMEOUT }, async () => {
  const [present, missing] = [container.exec(['true']), container.exec(['/no/program'])];
  expect([await present.started, await missing.started, await container.started]).toEqual([
    true,
    false,
    true,
  ]);
  expect([await present.wait(), await missing.wait()]).toEqual([0, 127]);
  // Each end makes the guest look for others, whose starts it may not have told yet.
  const programs = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? 'true' : '/nonesuch'));
  const starts = programs.map((program) => container.exec([program], { stdin: 'null' }).started);
  expect(await Promise.all(starts)).toEqual(programs.map((program) => program === 'true'));
});

test('is stopped by the signal that its user names', { timeout: TIMEOUT }, async () => {
  const trap = "trap 'exit 7' USR1; echo ready; while :; do sleep 1; done";
  await using patient = await new Container(BUSYBOX).entrypoint(['sh', '-c', trap]).run();
  const reader = patient.stdout.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('ready\n');
  expect(await patient.stop({ signal: 'SIGUSR1', seconds: 100 })).toBe(7);
});

test('keeps the output of a container that nobody reads until it has ended', {
  timeout: TIMEOUT,
}, async () => {
  const late = await new Container(BUSYBOX).entrypoint(['sh', '-c', 'seq 40000; echo end >&2']).run();
  await late.wait();
  await late[Symbol.asyncDispose]();
  const { stdout, stderr } = await late.waitWithOutput();
  const expected = Array.from({ length: 40_000 }, (_, index) => `${index + 1}\n`).join('');
  expect(new TextDecoder().decode(stdout)).toBe(expected);
  expect(new TextDecoder().decode(stderr)).toBe('end\n');
});

test('tells why a program cannot run, on standard error and as a message', { timeout: TIMEOUT }, async () => {
  const messages: string[] = [];
  const terminal = { columns: 80, rows: 24 };
  const broken = await new Container(BUSYBOX).entrypoint('nonesuch').terminal(terminal).run();
  broken.on('message', ({ text }) => messages.push(text));
  const { status, stderr } = await broken.waitWithOutput();
  expect([status, new TextDecoder().decode(stderr)]).toEqual([127, 'LinuxRun: nonesuch: not found\n']);
  expect(messages).toEqual(['LinuxRun: nonesuch: not found']);
});

test('runs further processes', { timeout: TIMEOUT }, async () => {
  const ps = container.exec(['sh', '-c', 'id -un; pwd; echo $MY_VAR $HERE; hostname; exit 4'], {
    user: 'nobody',
    currentDir: '/tmp',
    env: { HERE: 'yes' },
  });
  const { status, text } = await ps.waitWithOutput();
  expect([status, text()]).toEqual([4, 'nobody\n/tmp\nv yes\nbox\n']);
  const awaited = await container.exec(['ps'], { user: 'root' });
  expect((await awaited.waitWithOutput()).text()).toMatch(/httpd/);
});

test('kills further processes with their descendants', { timeout: TIMEOUT }, async () => {
  const abort = new AbortController();
  const child = container.exec(['sh', '-c', 'sleep 987 & sleep 987'], { signal: abort.signal });
  await expect.poll(() => processes('sleep 987')).toBe(2);
  abort.abort();
  await expect(child.wait()).rejects.toMatchObject({ name: 'AbortError' });
  await expect.poll(() => processes('sleep 987')).toBe(0);
});

async function processes(text: string): Promise<number> {
  const output = await container.exec(['sh', '-c', `ps -o args | grep -c '^${text}'`]).waitWithOutput();
  return Number(output.text());
}

test('has its files', { timeout: TIMEOUT }, async () => {
  const { fs } = container;
  await fs.mkdir('/data/deep', { recursive: true });
  await fs.writeFile('/data/text', 'häuser\n', { mode: 0o600 });
  await fs.writeFile('/data/bytes', new Uint8Array([0, 255]));
  await fs.writeFile('/data/stream', new Blob(['from a stream']).stream());
  expect(new TextDecoder().decode(await fs.readFile('/data/text'))).toBe('häuser\n');
  expect([...(await fs.readFile('/data/bytes'))]).toEqual([0, 255]);
  expect(await new Response(fs.createReadStream('/data/stream')).text()).toBe('from a stream');
  expect((await fs.readdir('/data')).sort()).toEqual(['bytes', 'deep', 'stream', 'text']);
  const entries = await fs.readdir('/data', { withFileTypes: true });
  expect(entries.find(({ name }) => name === 'deep')?.type).toBe('directory');
  const names: string[] = [];
  for await (const { name } of fs.opendir('/data')) names.push(name);
  expect(names.sort()).toEqual(['bytes', 'deep', 'stream', 'text']);
  expect(await fs.stat('/data/text')).toMatchObject({ type: 'file', size: 8, mode: 0o600 });
  expect((await fs.lstat('/bin/sh')).type).toBe('symlink');
  await fs.rename('/data/text', '/data/renamed');
  await fs.rm('/data/deep', { recursive: true });
  expect((await fs.readdir('/data')).sort()).toEqual(['bytes', 'renamed', 'stream']);
  await expect(fs.readFile('/data/text')).rejects.toMatchObject({ name: 'FileError', code: 'ENOENT' });
  const stream = fs.createReadStream('/nonesuch');
  await expect(stream.getReader().read()).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(fs.readFile('/a\0b')).rejects.toThrow(/NUL/);
  await expect(fs.readFile(undefined as never)).rejects.toThrow(/strings, not undefined/);
  await expect(fs.writeFile('/data/number', 42 as never)).rejects.toThrow(/only a Uint8Array/);
});

test('watches its files', { timeout: TIMEOUT }, async () => {
  const { fs } = container;
  await fs.mkdir('/watched');
  const abort = new AbortController();
  const seen: unknown[] = [];
  const watching = (async () => {
    for await (const change of fs.watch('/watched', { signal: abort.signal })) seen.push(change);
  })();
  await expect
    .poll(async () => {
      await fs.writeFile('/watched/file', 'x');
      return seen;
    })
    .toContainEqual({ eventType: 'rename', filename: 'file' });
  abort.abort();
  await expect(watching).rejects.toMatchObject({ name: 'AbortError' });
});

test('reaches its servers', { timeout: TIMEOUT }, async () => {
  const ports: unknown[] = [];
  const stop = container.on('port', (event) => ports.push(event));
  await expect.poll(() => ports).toContainEqual({ port: 8000, open: true });
  stop();
  const response = await container.proxyRequest(new Request('http://localhost:8000/index.html'));
  expect([response.status, await response.text()]).toEqual([200, 'page\n']);
  await expect(container.proxyRequest(new Request('http://localhost:9/'))).rejects.toThrow(/refused/);
  const { readable, writable } = await container.connect(8000);
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode('GET /index.html HTTP/1.0\r\n\r\n'));
  expect(await new Response(readable).text()).toMatch(/^HTTP\/1\.[01] 200 OK\r\n.*page\n$/s);
  await expect(container.connect(99_999)).rejects.toMatchObject({ name: 'OptionError' });
});

test('publishes its ports in Node', { timeout: TIMEOUT }, async () => {
  const [published] = container.published;
  expect(published).toMatchObject({ address: '127.0.0.1', container: 8000 });
  const socket = connect(published?.host ?? 0, '127.0.0.1');
  socket.end('GET /index.html HTTP/1.0\r\n\r\n');
  const [first] = await once(socket, 'data');
  expect(String(first)).toMatch(/^HTTP\/1\.[01] 200/);
  socket.destroy();
});

test('exchanges messages with its programs', { timeout: TIMEOUT }, async () => {
  const channel = container.channel('events');
  expect(container.channel('events')).toBe(channel);
  channel.on('message', (message) => void message.reply({ got: message.text() }));
  const helper = container.exec(['/run/linuxrun/linuxrun-channel', 'events']);
  const writer = helper.stdin.getWriter();
  await writer.write(new TextEncoder().encode('hello\n'));
  await writer.close();
  expect(await new Response(helper.stdout).text()).toBe('{"got":"hello"}\n');
  await channel[Symbol.asyncDispose]();
  expect(container.channel('events')).not.toBe(channel);
  expect(() => container.channel('../etc')).toThrow(/no name of a channel/);
});

test('measures its machine', { timeout: TIMEOUT }, async () => {
  const { memory, cpu, disk, network } = await container.stats();
  expect(memory.usedBytes).toBeGreaterThan(1e6);
  expect(memory.totalBytes).toBeGreaterThan(memory.usedBytes);
  expect(cpu.instructions).toBeGreaterThan(1e6);
  expect(cpu.uptime).toBeGreaterThan(0);
  expect(cpu.busy).toBeGreaterThan(0);
  expect(disk.totalBytes).toBeGreaterThan(5e8);
  expect(network).toEqual({ receivedBytes: 0, sentBytes: 0 });
});

test('rejects what it cannot do', { timeout: TIMEOUT }, async () => {
  await expect(new Container(BUSYBOX).publish('80').run()).rejects.toMatchObject({ name: 'OptionError' });
  await expect(new Container(BUSYBOX).device('/dev/sda').run()).rejects.toMatchObject({
    name: 'OptionError',
  });
  await expect(new Container(BUSYBOX).hostname('a\nb').run()).rejects.toThrow(/a host name has/);
  for (const args of [[], 'ls', undefined, [5]] as never[])
    await expect(container.exec(args).wait()).rejects.toMatchObject({ name: 'OptionError' });
  await expect(container.exec(['true'], { signal: {} as never }).wait()).rejects.toThrow(/AbortController/);
  await expect(new Container(BUSYBOX).tmpfs('/').run()).rejects.toMatchObject({ name: 'OptionError' });
  // Images still load after a container that has not become a machine.
  expect(await images.inspect(BUSYBOX, { policy: 'always' })).toMatchObject({ isStored: false });
  await expect(new Container('no image').run()).rejects.toMatchObject({ kind: 'reference' });
  const taken = `${container.published[0]?.host}:80`;
  await expect(new Container(BUSYBOX).publish(taken).run()).rejects.toThrow(/another program has this port/);
  const aborted = AbortSignal.abort(new Error('too late'));
  await expect(new Container(BUSYBOX).signal(aborted).run()).rejects.toThrow('too late');
});

test('asks its program to end, then the machine is gone', { timeout: TIMEOUT }, async () => {
  const port = container.published[0]?.host ?? 0;
  const further = container.exec(['sh', '-c', 'echo runs; sleep 1000']);
  await further.stdout.getReader().read();
  await container.kill('SIGKILL');
  expect(await container.wait()).toBe(128 + 9);
  expect(await further.wait()).toBe(128 + 9);
  await container[Symbol.asyncDispose]();
  const socket = connect(port, '127.0.0.1');
  const [error] = await once(socket, 'error');
  expect(error).toMatchObject({ code: 'ECONNREFUSED' });
});
