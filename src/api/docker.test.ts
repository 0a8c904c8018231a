import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Command, configure } from './node.ts';
import { temporaryStore } from './testing/store.ts';

const TIMEOUT = 120_000;
const BUSYBOX = `oci://${join(import.meta.dirname, '../../public/images')}:busybox`;
const folder = mkdtempSync(join(tmpdir(), 'linuxrun-docker-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

configure({ store: temporaryStore() });

const docker = (...words: string[]) => new Command('docker').args(words);

async function result(command: Command): Promise<{ status: number; stdout: string; stderr: string }> {
  const { status, text, stderr } = await command.output();
  return { status, stdout: text(), stderr: new TextDecoder().decode(stderr) };
}

test('runs an image as docker run does', { timeout: TIMEOUT }, async () => {
  writeFileSync(join(folder, 'env'), 'FILE=from file\n');
  const script = 'echo "$FILE $A $TAKEN"; pwd; id -un; cat; echo err >&2; exit 7';
  const words = ['run', '--rm', '-e', 'A=1', '-e', 'TAKEN', '--env-file', join(folder, 'env'), '-w', '/tmp'];
  const command = docker(...words, '-u', 'nobody', BUSYBOX, 'sh', '-c', script).env('TAKEN', 'taken');
  expect(await result(command)).toEqual({
    status: 7,
    stdout: 'from file 1 taken\n/tmp\nnobody\n',
    stderr: 'err\n',
  });
});

test('passes input with -i only, and signals', { timeout: TIMEOUT }, async () => {
  const child = docker('run', '-i', BUSYBOX, 'cat').spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode('typed'));
  await writer.close();
  expect((await child.waitWithOutput()).text()).toBe('typed');
  const waiting = docker('run', '--init', BUSYBOX, 'sh', '-c', 'echo up; exec sleep 1000').spawn();
  await waiting.stdout.getReader().read();
  await waiting.kill('SIGTERM');
  expect(await waiting.wait()).toBe(128 + 15);
});

test.each([
  ['a flag that is refused', ['run', '--privileged', BUSYBOX], 125, /--privileged/],
  ['a flag that does not exist', ['run', '--nonesuch', BUSYBOX], 125, /unknown flag: --nonesuch/],
  ['an image that is missing', ['run', 'oci:///nonesuch'], 125, /no OCI image layout/],
  ['a program that is missing', ['run', BUSYBOX, 'nonesuch'], 127, /not found/],
  ['a command that does not exist', ['nonesuch'], 1, /nonesuch/],
  ['a container that does not run', ['exec', 'nonesuch', 'true'], 1, /No such container: nonesuch/],
  ['an environment that cannot be read', ['run', '--env-file', '/nonesuch', BUSYBOX], 125, /ENOENT/],
])('ends with a status and a reason for %s', { timeout: TIMEOUT }, async (_, words, status, reason) => {
  expect(await result(docker(...words))).toMatchObject({ status, stderr: expect.stringMatching(reason) });
});

test('keeps detached containers, which other commands reach', { timeout: TIMEOUT }, async () => {
  const words = [
    'run',
    '-d',
    '--name',
    'box',
    '-e',
    'A=b',
    '-m',
    '256m',
    BUSYBOX,
    'sh',
    '-c',
    'echo out; echo err >&2; exec sleep 1000',
  ];
  const { status, stdout } = await result(docker(...words));
  expect([status, stdout]).toEqual([0, expect.stringMatching(/^[\da-f]{64}\n$/)]);
  const id = stdout.slice(0, 12);
  expect(await result(docker('run', '--name', 'box', BUSYBOX))).toMatchObject({ status: 125 });
  expect((await result(docker('exec', '-e', 'A=b', id, 'sh', '-c', 'echo $A; exit 3'))).status).toBe(3);
  expect((await result(docker('exec', 'box', 'echo', 'inside'))).stdout).toBe('inside\n');
  await expect
    .poll(() => result(docker('logs', 'box')))
    .toEqual({ status: 0, stdout: 'out\n', stderr: 'err\n' });
  expect((await result(docker('ps'))).stdout).toMatch(/^CONTAINER ID +IMAGE.*\n[\da-f]{12} .* box\n$/);
  expect(await result(docker('logs', '-n', '0', 'box'))).toEqual({ status: 0, stdout: '', stderr: '' });
  expect((await result(docker('ps', '-q'))).stdout).toBe(`${id}\n`);
  const format = '{{.State}} {{.Networks}} {{.Command}} {{.Image}}';
  expect((await result(docker('ps', '--format', format))).stdout).toBe(
    `running bridge "sh -c 'echo out; ec…" ${BUSYBOX}\n`,
  );
  const inspected = await result(docker('inspect', id, 'nonesuch'));
  expect(inspected).toMatchObject({ status: 1, stderr: 'docker: No such object: nonesuch\n' });
  expect(JSON.parse(inspected.stdout)).toMatchObject([
    {
      Id: stdout.trim(),
      Name: '/box',
      Path: 'sh',
      State: { Status: 'running', Running: true, Pid: 0, StartedAt: expect.stringMatching(/^2/) },
      Image: expect.stringMatching(/^sha256:[\da-f]{64}$/),
      HostConfig: { Memory: 256 * 2 ** 20, NanoCpus: 1e9, NetworkMode: 'bridge', Init: false },
      Config: { Env: ['A=b'], Image: BUSYBOX, WorkingDir: '/', Tty: false },
    },
  ]);
  expect(await result(docker('stop', '-t', '0', 'box'))).toMatchObject({ status: 0, stdout: 'box\n' });
  expect((await result(docker('exec', 'box', 'true'))).stderr).toMatch(/No such container: box/);
});

test('starts, commits, exports and removes kept containers', { timeout: TIMEOUT }, async () => {
  expect((await result(docker('ps'))).stdout).not.toContain('box');
  const words = ['ps', '-a', '-s', '--format', '{{.Names}} {{.Status}}'];
  expect((await result(docker(...words))).stdout).toMatch(/^box Exited \(137\) .* ago\n$/);
  expect(await result(docker('run', '--rm', '--name', 'box', BUSYBOX))).toMatchObject({ status: 125 });
  expect(await result(docker('start', 'box'))).toEqual({ status: 0, stdout: 'box\n', stderr: '' });
  expect(await result(docker('rm', 'box'))).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('is running'),
  });
  expect(await result(docker('rename', 'box', 'case'))).toMatchObject({ status: 0 });
  expect((await result(docker('ps', '--format', '{{.Names}}'))).stdout).toBe('case\n');
  expect((await result(docker('exec', 'box', 'true'))).stderr).toMatch(/No such container: box/);
  expect(await result(docker('rename', 'case', 'box'))).toMatchObject({ status: 0 });
  await result(docker('exec', 'box', 'sh', '-c', 'echo kept > /file'));
  expect((await result(docker('commit', '-c', 'CMD cat /file', 'box', 'made'))).stdout).toBe(
    'docker.io/library/made:latest\n',
  );
  expect((await result(docker('run', '--rm', 'made'))).stdout).toBe('kept\n');
  await result(docker('stop', '-t', '0', 'box'));
  expect((await result(docker('inspect', '-f', '{{.State.Status}}', 'box'))).stdout).toBe('exited\n');
  expect((await result(docker('export', 'box'))).stdout).toContain('kept\n');
  expect((await result(docker('save', 'made'))).stdout).toContain('index.json');
  expect(await result(docker('rename', 'box', 'chest'))).toMatchObject({ status: 0 });
  const cat = ['run', '--name', 'chest', BUSYBOX, 'cat', '/file'];
  expect((await result(docker(...cat))).stdout).toBe('kept\n');
  expect((await result(docker('start', '-a', 'chest'))).stdout).toBe('kept\n');
  expect(await result(docker('container', 'prune'))).toMatchObject({ status: 1 });
  expect(await result(docker('rm', 'nosuch', 'chest'))).toEqual({
    status: 1,
    stdout: 'chest\n',
    stderr: 'docker: No such container: nosuch\n',
  });
  expect((await result(docker('container', 'prune', '-f'))).stdout).toBe('Total reclaimed space: 0B\n');
  expect((await result(docker('rmi', 'made'))).status).toBe(0);
});

test('pulls and removes images, and helps', { timeout: TIMEOUT }, async () => {
  expect((await result(docker('pull', BUSYBOX))).stdout).toMatch(/^Digest: sha256:[\da-f]{64}\n/);
  const listed = (await result(docker('images', '--format', '{{.Tag}} {{.Size}}'))).stdout;
  expect(listed).toBe('busybox 1.76MB\n');
  expect((await result(docker('images'))).stdout).toMatch(/^REPOSITORY +TAG +IMAGE ID +LAST USED +SIZE\n/);
  const id = (await result(docker('images', '-q', '--no-trunc'))).stdout.trim();
  const words = ['inspect', '-f', '{{.Id}} {{.Architecture}} {{json .Config.Cmd}}', BUSYBOX, id.slice(7, 15)];
  const line = `${id} riscv64 ["sh"]\n`;
  expect((await result(docker(...words))).stdout).toBe(line + line);
  expect(await result(docker('rmi', 'nonesuch', BUSYBOX))).toEqual({
    status: 1,
    stdout: `Untagged: ${BUSYBOX}\nDeleted: ${id}\n`,
    stderr: 'docker: No such image: nonesuch\n',
  });
  expect(await result(docker('rmi', BUSYBOX))).toMatchObject({ status: 1 });
  expect(await result(docker('rmi', '-f', BUSYBOX))).toEqual({ status: 0, stdout: '', stderr: '' });
  expect((await result(docker('--help'))).stdout).toMatch(/^usage: docker COMMAND/);
});
