/** The commands that reach running containers. */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Linuxrun } from './testing/linuxrun.ts';

const TIMEOUT = 120_000;
const MIB = 2 ** 20;

let linuxrun: Linuxrun;
let id: string;
const run: Linuxrun['run'] = (line, given) => linuxrun.run(line, given);
const socket = (name: string) => join(linuxrun.folder, 'runtime/linuxrun', `${name}.sock`);

beforeAll(async () => {
  linuxrun = await Linuxrun.bundle();
  const script =
    'echo one; echo two >&2; echo three; mkdir /d; mkfifo /d/pipe; trap "echo bye; exit 0" TERM; while true; do sleep 0.1; done';
  const { stdout, stderr } = await run(
    `run -dq -p 127.0.0.1:0:80 -e A=b -w /tmp --name web busybox sh -c '${script}'`,
  );
  expect(stderr).toMatch(/^linuxrun: 127\.0\.0\.1:\d+ leads to port 80\n$/);
  id = stdout.trim();
  await vi.waitFor(async () => expect((await run('logs web')).stdout).toBe('one\nthree\n'), 60_000);
}, TIMEOUT);

afterAll(async () => {
  await run('stop -t 0 web');
  linuxrun.remove();
});

async function outputOf(child: ChildProcess, wanted: string): Promise<void> {
  let text = '';
  for await (const bytes of child.stdout as NodeJS.ReadableStream) {
    text += bytes;
    if (text.includes(wanted)) return;
  }
  throw new Error(`the output ended with ${text}`);
}

describe('a container in the background', { timeout: TIMEOUT }, () => {
  test('is listed', async () => {
    const { stdout } = await run('ps');
    expect(stdout).toMatch(/^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES\n/);
    expect(stdout).toMatch(
      /^[0-9a-f]{12} +oci:\S+:busybox +"sh -c .*…" .* ago +Up .* 127\.0\.0\.1:\d+->80\/tcp +web\n$/m,
    );
    expect((await run('ps -q --no-trunc')).stdout).toBe(`${id}\n`);
    expect((await run("ps --format '{{.Names}} {{.State}}'")).stdout).toBe('web running\n');
    expect(JSON.parse((await run('ps -a --json')).stdout)).toMatchObject({
      Names: 'web',
      ID: id.slice(0, 12),
    });
  });

  test('is inspected by its name or the beginning of its ID', async () => {
    const { stdout } = await run(`inspect web ${id.slice(0, 5)}`);
    const [first, second] = JSON.parse(stdout);
    expect(second).toEqual(first);
    expect(first).toMatchObject({
      Id: id,
      Name: '/web',
      Path: 'sh',
      State: { Status: 'running', Running: true },
      Config: { Env: ['A=b'], WorkingDir: '/tmp' },
    });
    expect((await run("inspect -f '{{.State.Status}}' web")).stdout).toBe('running\n');
    expect(await run('inspect nosuch')).toEqual({
      status: 1,
      stdout: '[]\n',
      stderr: 'linuxrun: No such object: nosuch\n',
    });
  });

  test('keeps its name', async () => {
    expect(await run('run --name web busybox true')).toMatchObject({
      status: 125,
      stdout: '',
      stderr: expect.stringContaining('the container name "/web" is already in use'),
    });
  });

  test('shows its output', async () => {
    expect(await run('logs web')).toEqual({ status: 0, stdout: 'one\nthree\n', stderr: 'two\n' });
    // The streams are independent, so either line may be the last.
    const { stdout, stderr } = await run('logs -n 1 web');
    expect(stdout + stderr).toMatch(/^(?:two|three)\n$/);
    expect(await run('logs nosuch')).toMatchObject({
      status: 1,
      stderr: 'linuxrun: No such container: nosuch\n',
    });
  });

  test.each([
    ['exec web sh -c "echo out; echo err >&2; exit 5"', { status: 5, stdout: 'out\n', stderr: 'err\n' }],
    ['exec web pwd', { stdout: '/tmp\n' }],
    ["exec -e X=1 -u nobody -w / web sh -c 'echo $A$X; id -u; pwd'", { stdout: 'b1\n65534\n/\n' }],
    ['exec web cat', { status: 0, stdout: '' }],
    ['exec web nosuch', { status: 127, stderr: expect.stringContaining('nosuch') }],
    ['exec -u nosuch web id', { status: 126 }],
    ['exec nosuch id', { status: 1, stderr: 'linuxrun: No such container: nosuch\n' }],
    ['exec -t web tty', { stdout: '/dev/pts/0\r\n' }],
    ['exec -it web true', { status: 1, stderr: 'linuxrun: the input device is not a TTY\n' }],
    ['exec -d web touch /made', { status: 0, stdout: '' }],
    ['exec web sh -c "kill -9 $$"', { status: 137 }],
  ])('%s', async (line, outcome) => {
    expect(await run(line, { input: 'lost' })).toMatchObject(outcome);
  });

  test('passes much input and output', async () => {
    const input = 'x'.repeat(99).concat('\n').repeat(100_000);
    const { stdout, status } = await run('exec -i web cat', { input });
    expect(status).toBe(0);
    expect(stdout === input).toBe(true);
  });

  test('passes a signal on to a further process', async () => {
    const script = "trap 'echo got it; exit 4' INT; echo ready; while true; do sleep 0.1; done";
    expect(await run(`exec web sh -c "${script}"`, { signal: 'SIGINT' })).toMatchObject({
      status: 4,
      stdout: 'ready\ngot it\n',
    });
  });

  test('ends a process whose client has gone', async () => {
    const client = linuxrun.start('exec web sh -c "echo ready; sleep 1234"');
    await outputOf(client, 'ready');
    client.kill('SIGKILL');
    await expect.poll(async () => (await run('exec web ps')).stdout).not.toContain('sleep 1234');
  });

  test('serves others while a client does not read', async () => {
    const hung = linuxrun.start('exec web yes');
    await once(hung.stdout as NodeJS.ReadableStream, 'readable');
    hung.kill('SIGSTOP');
    const silent = connect(socket('web'));
    await once(silent, 'connect');
    expect((await run('exec web echo hi')).stdout).toBe('hi\n');
    silent.destroy();
    hung.kill('SIGKILL');
  });

  test('does not end with nonsense on its socket', async () => {
    const upgrade = 'Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13';
    const key = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';
    for (const text of [
      'nonsense',
      'GET /nosuch HTTP/1.1\r\nHost: x',
      'GET // HTTP/1.1\r\nHost: x',
      'GET /file?path=x HTTP/1.1\r\nHost: x',
      `GET // HTTP/1.1\r\n${upgrade}\r\n${key}`,
      // A frame whose text is no JSON.
      `GET /exec HTTP/1.1\r\n${upgrade}\r\n${key}\r\n\r\n\x81\x81\0\0\0\0{`,
    ]) {
      const client = connect(socket('web')).end(`${text}\r\n\r\n`, 'latin1');
      client.resume();
      await once(client, 'close');
    }
    expect((await run('exec web echo hi')).stdout).toBe('hi\n');
  });
});

describe('files', { timeout: TIMEOUT }, () => {
  const local = (path: string) => join(linuxrun.folder, path);

  test('are copied into a container and back', async () => {
    const bytes = Buffer.alloc(5 * MIB, 'linuxrun');
    writeFileSync(local('big'), bytes, { mode: 0o640 });
    expect(await run('cp FOLDER/big web:/d')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect((await run('exec web stat -c "%a %s" /d/big')).stdout).toBe(`640 ${bytes.length}\n`);
    expect(await run('cp web:d/big FOLDER/back')).toMatchObject({ status: 0 });
    expect(readFileSync(local('back')).equals(bytes)).toBe(true);
    expect(statSync(local('back')).mode & 0o777).toBe(0o640);
  });

  test('with their folders, by the rules of Docker', async () => {
    mkdirSync(local('tree/sub'), { recursive: true });
    writeFileSync(local('tree/sub/file'), 'text');
    symlinkSync('sub', local('tree/link'));
    expect((await run('cp FOLDER/tree web:/new')).stderr).toBe(
      `linuxrun: ${local('tree/link')} is a link, which is left out\n`,
    );
    await run('cp FOLDER/tree web:/new');
    await run('cp FOLDER/tree/. web:/new');
    expect((await run('exec web find /new -type f')).stdout.split('\n').sort().join(' ')).toBe(
      ' /new/sub/file /new/tree/sub/file',
    );
    await run(
      'exec web sh -c \'ln -s sub/file /new/link; chmod 4755 /new/sub/file; touch "/new/$(printf "a\\\\377")"\'',
    );
    const { stderr } = await run('cp web:/new FOLDER/out');
    expect(stderr).toBe('');
    expect(
      readdirSync(local('out'), { encoding: 'buffer' })
        .map((name) => name.toString('latin1'))
        .sort(),
    ).toEqual(['aÿ', 'link', 'sub', 'tree']);
    expect(lstatSync(local('out/link')).isSymbolicLink()).toBe(true);
    expect(statSync(local('out/sub/file')).mode & 0o7777).toBe(0o755);
  });

  test('are not written through a link that an earlier copy has made', async () => {
    await run("exec web sh -c 'mkdir -p /trap/a; ln -s a /trap/b'");
    expect((await run('cp web:/trap FOLDER/trap')).status).toBe(0);
    await run("exec web sh -c 'rm /trap/b; mkdir /trap/b; echo x > /trap/b/file'");
    expect(await run('cp web:/trap/. FOLDER/trap')).toMatchObject({
      status: 1,
      stderr: `linuxrun: cannot make the folder ${local('trap/b')}: EEXIST\n`,
    });
    expect(readdirSync(local('trap/a'))).toEqual([]);
    expect((await run('cp web:/trap/a FOLDER/trap')).status).toBe(0);
  });

  test('that are none are left out, and missing ones are errors', async () => {
    expect((await run('cp web:/d FOLDER/d')).stderr).toBe('linuxrun: /d/pipe is a fifo, which is left out\n');
    expect(await run('cp web:/nosuch FOLDER/x')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('no such file'),
    });
    expect(await run('cp FOLDER/nosuch web:/x')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('ENOENT'),
    });
    expect(await run('cp FOLDER/big web:/none/')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('does not exist'),
    });
    expect(await run('cp FOLDER/tree web:/etc/passwd')).toMatchObject({
      status: 1,
      stderr: 'linuxrun: cannot copy a directory to a file\n',
    });
  });
});

describe('the end', { timeout: TIMEOUT }, () => {
  test('comes by stop, and followers of the output see all of it', async () => {
    await run(
      'run -d --init --name short busybox sh -c "echo a; trap \'echo b; exit 0\' TERM; while true; do sleep 0.1; done"',
    );
    const following = run('logs -f short');
    await expect.poll(async () => (await run('logs short')).stdout).toBe('a\n');
    expect(await run('stop short nosuch')).toEqual({
      status: 1,
      stdout: 'short\n',
      stderr: 'linuxrun: No such container: nosuch\n',
    });
    expect(await following).toEqual({ status: 0, stdout: 'a\nb\n', stderr: '' });
    expect((await run('ps -q')).stdout).toBe(`${id.slice(0, 12)}\n`);
  });

  test('comes at once with a time of 0', async () => {
    await run('run -d --name stubborn busybox sh -c "trap : TERM; while true; do sleep 1; done"');
    const start = Date.now();
    expect((await run('stop -t 0 stubborn')).status).toBe(0);
    expect(Date.now() - start).toBeLessThan(9_000);
  });

  test('of a killed owner leaves nothing that is listed', async () => {
    await run('run -d --name killed busybox sleep 1000');
    const pid = Number((await run("inspect -f '{{.State.Pid}}' killed")).stdout);
    process.kill(pid, 'SIGKILL');
    // Its socket may take another connection before the process is gone.
    const found = async () => [
      (await run("ps --format '{{.Names}}'")).stdout,
      ...readdirSync(join(linuxrun.folder, 'runtime/linuxrun')),
    ];
    await expect.poll(found).toEqual(['web\n', 'web.sock']);
  });

  test('of the terminal does not end a container in the background', async () => {
    const { stdout } = await run('run -d --name lasting busybox sleep 1000');
    expect(stdout).toMatch(/^[0-9a-f]{64}\n$/);
    const session = execFileSync('ps', [
      '-o',
      'sid=',
      '-p',
      (await run("inspect -f '{{.State.Pid}}' lasting")).stdout.trim(),
    ]);
    expect(Number(session)).not.toBe(Number(execFileSync('ps', ['-o', 'sid=', '-p', String(process.pid)])));
    await run('stop -t 0 lasting');
  });
});
