/** The commands for kept containers. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HAS_SKOPEO } from '../disk/testing/linux.ts';
import { Linuxrun } from './testing/linuxrun.ts';

const TIMEOUT = 120_000;

let linuxrun: Linuxrun;
const run: Linuxrun['run'] = (line, given) => linuxrun.run(line, given);
const local = (path: string) => join(linuxrun.folder, path);
const names = async (line = 'ps -a') =>
  (await run(`${line} --format '{{.Names}} {{.State}}'`)).stdout.split('\n').sort().join(' ').trim();

beforeAll(async () => {
  linuxrun = await Linuxrun.bundle();
  const script = 'cat /file 2>/dev/null; echo $A >> /file; exit 3';
  expect(await run(`run -q --name box -e A=one busybox sh -c '${script}'`)).toMatchObject({ status: 3 });
}, TIMEOUT);
afterAll(() => linuxrun.remove());

describe('a container with a name', { timeout: TIMEOUT }, () => {
  test('is listed and inspected when it has ended', async () => {
    expect((await run('ps')).stdout).not.toContain('box');
    expect((await run("ps -a --format '{{.Names}} {{.Image}} {{.Status}}'")).stdout).toMatch(
      /^box oci:\S+:busybox Exited \(3\) .* ago\n$/,
    );
    expect((await run('ps -a -s')).stdout).toMatch(/NAMES +SIZE\n.* box +[\d.]+[kM]B\n$/);
    const [described] = JSON.parse((await run('inspect box')).stdout);
    expect(described).toMatchObject({
      Name: '/box',
      State: { Status: 'exited', ExitCode: 3 },
      HostConfig: { AutoRemove: false },
      Config: { Env: ['A=one'] },
    });
    expect((await run(`inspect -f {{.Name}} ${described.Id.slice(0, 6)}`)).stdout).toBe('/box\n');
  });

  test('starts again with its files', async () => {
    expect(await run('start -a box')).toEqual({ status: 3, stdout: 'one\n', stderr: '' });
    expect(await run('run -q --name box busybox sh -c "cat /file; rm /etc/group"')).toEqual({
      status: 0,
      stdout: 'one\none\n',
      stderr: '',
    });
    expect(await run('start -a nosuch')).toEqual({
      status: 1,
      stdout: '',
      stderr: 'linuxrun: No such container: nosuch\n',
    });
  });

  test('is kept under the name of the variable, too', async () => {
    const env = { LINUXRUN_NAME: 'box' };
    expect(await run('run -q busybox cat /file', { env })).toMatchObject({ stdout: 'one\none\n' });
    expect(await run('run -q busybox true', { env: { LINUXRUN_NAME: 'a/b' } })).toMatchObject({
      status: 125,
      stderr: expect.stringContaining('LINUXRUN_NAME: a name has letters'),
    });
  });

  test('is not one of another image, and nothing is kept with --rm or without a name', async () => {
    expect(await run('run -q --name box hello-world')).toMatchObject({
      status: 125,
      stderr: expect.stringMatching(/the container "box" is kept already, of oci:.*: remove it, or choose/),
    });
    expect(await run('run -q --rm --name gone busybox true')).toMatchObject({ status: 0 });
    expect(await run('run -q busybox true')).toMatchObject({ status: 0 });
    expect(await names()).toBe('box exited');
  });

  test('is exported, imported, and made an image', async () => {
    expect(await run('export -o FOLDER/box.tar box')).toEqual({ status: 0, stdout: '', stderr: '' });
    const listed = execFileSync('tar', ['-tf', local('box.tar')], { encoding: 'utf8' });
    expect(listed).toMatch(/^file\n/m);
    expect(listed).toMatch(/^etc\/\.wh\.group\n/m);
    expect(await run('import --name copy FOLDER/box.tar busybox')).toMatchObject({ stdout: 'copy\n' });
    expect(await run('run -q --name copy busybox cat /file')).toMatchObject({ stdout: 'one\none\n' });
    expect(await run('import --name none FOLDER/nosuch busybox')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^linuxrun: cannot read .*nosuch: ENOENT\n$/),
    });
    expect(await run('export -o FOLDER/no/such box')).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^linuxrun: cannot write .*such: ENOENT\n$/),
    });
    const words = 'commit -a Ada -m why -c \'CMD ["cat", "/file"]\'';
    expect(await run(`${words} box made`)).toEqual({
      status: 0,
      stdout: 'docker.io/library/made:latest\n',
      stderr: '',
    });
    expect(await run('run -q --pull never made')).toMatchObject({ stdout: 'one\none\n' });
    expect(await run('save -o FOLDER/made.tar made')).toMatchObject({ status: 0 });
    expect(await run(`run -q file://${local('made.tar')}`)).toMatchObject({ stdout: 'one\none\n' });
    if (!HAS_SKOPEO) return;
    const inspected = execFileSync('skopeo', ['inspect', `oci-archive:${local('made.tar')}`]);
    const id = (await run('images -q --no-trunc made')).stdout.trim();
    expect(JSON.parse(String(inspected))).toMatchObject({ Digest: id, Architecture: 'riscv64' });
  });

  test('keeps the image that it needs', async () => {
    expect(await run('rmi busybox')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('in use by a container'),
    });
  });
});

describe('a running container with a name', { timeout: TIMEOUT }, () => {
  test('is exported and made an image of, and is not removed without -f', async () => {
    expect(await run('run -dq --name web busybox sh -c "echo up > /up; exec sleep 1000"')).toMatchObject({
      status: 0,
    });
    await expect.poll(async () => (await run('exec web cat /up')).stdout).toBe('up\n');
    expect(await run('start web')).toEqual({ status: 0, stdout: 'web\n', stderr: '' });
    expect(await run('rm web')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('the container "web" is running: stop it'),
    });
    expect(await run('export web -o FOLDER/web.tar')).toMatchObject({ status: 0 });
    expect(execFileSync('tar', ['-tf', local('web.tar')], { encoding: 'utf8' })).toMatch(/^up\n/m);
    expect(await run('commit web made:2')).toMatchObject({ stdout: 'docker.io/library/made:2\n' });
    expect(await run('run -q --pull never made:2 cat /up')).toMatchObject({ stdout: 'up\n' });
    expect((await run('ps -s')).stdout).toMatch(/ web +[\d.]+[kM]?B\n$/);
  });

  test('is renamed', async () => {
    const id = (await run('ps -q')).stdout.trim();
    const logs = linuxrun.start('logs -f web');
    expect(await run('rename web box')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('"box"'),
    });
    expect(await run('rename web a/b')).toMatchObject({ status: 1 });
    expect(await run('exec web true')).toMatchObject({ status: 0 });
    expect(await run('rename web other')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(await names('ps')).toBe('other running');
    expect(await names()).toMatch(/\bother running\b/);
    expect(await names()).not.toMatch(/\bweb\b/);
    expect((await run('exec web true')).stderr).toBe('linuxrun: No such container: web\n');
    expect(await run('exec other cat /up')).toMatchObject({ stdout: 'up\n' });
    expect(logs.exitCode, 'a client of the old name stays').toBeNull();
    expect(await run(`rename ${id} web`)).toMatchObject({ status: 0 });
    expect(await names('ps')).toBe('web running');
    logs.kill();
  });

  test('is stopped and startable when its owner was killed', async () => {
    await run('exec web sh -c "echo synced > /synced; sync"');
    process.kill(Number((await run("inspect -f '{{.State.Pid}}' web")).stdout), 'SIGKILL');
    await expect.poll(() => names()).toContain('web exited');
    expect(await run("inspect -f '{{.State.ExitCode}}' web")).toMatchObject({ stdout: '137\n' });
    expect(await run('start web')).toMatchObject({ status: 0, stdout: 'web\n' });
    expect(await run('exec web cat /synced')).toMatchObject({ stdout: 'synced\n' });
    expect(await run('stop -t 0 web')).toMatchObject({ stdout: 'web\n' });
    expect(await run('rename web site')).toMatchObject({ status: 0 });
    expect(await names()).toContain('site exited');
  });
});

describe('a session', { timeout: TIMEOUT }, () => {
  // The file only grows, because a reader would find one that is written anew empty.
  const count = 'i=0; while true; do i=$((i+1)); echo $i >> /count; sleep 0.1; done';
  const counted = async (name: string) => Number((await run(`exec ${name} tail -n 1 /count`)).stdout);
  let last = 0;

  test('of a container with a name is saved, and goes on', async () => {
    expect(await run(`run -dq --name going busybox sh -c '${count}'`)).toMatchObject({ status: 0 });
    await expect.poll(async () => (last = await counted('going'))).toBeGreaterThan(3);
    expect(await run('suspend going nosuch')).toEqual({
      status: 1,
      stdout: 'going\n',
      stderr: 'linuxrun: No such container: nosuch\n',
    });
    expect(await run("ps -a --format '{{.Names}} {{.Status}}'")).toMatchObject({
      stdout: expect.stringMatching(/^going Suspended .* ago$/m),
    });
    for (const line of ['run -q --name going busybox true', 'export going', 'commit going made'])
      expect(await run(line)).toMatchObject({ stdout: '', stderr: expect.stringContaining('is suspended') });
    expect(await run('resume going')).toEqual({ status: 0, stdout: 'going\n', stderr: '' });
    const resumed = await counted('going');
    expect(resumed).toBeGreaterThanOrEqual(last);
    await expect.poll(() => counted('going')).toBeGreaterThan(resumed);
    expect(await run('resume going')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('is not suspended'),
    });
  });

  test('goes to a file, from which any number of containers go on', async () => {
    last = await counted('going');
    expect(await run('suspend --snapshot FOLDER/session going')).toMatchObject({ stdout: 'going\n' });
    expect(await names()).toContain('going exited');
    expect(await run('resume --snapshot FOLDER/session --name twin')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^[0-9a-f]{64}\n$/),
    });
    expect(await counted('twin')).toBeGreaterThanOrEqual(last);
    expect(await run('stop -t 0 twin')).toMatchObject({ status: 0 });
    writeFileSync(local('cut'), readFileSync(local('session')).subarray(0, 100_000));
    expect(await run('resume -a --snapshot FOLDER/cut --name cut')).toMatchObject({
      status: 125,
      stderr: expect.stringMatching(/^linuxrun: this saved session is damaged: .*\n$/),
    });
    expect(await run('resume --snapshot FOLDER/nosuch')).toMatchObject({
      stderr: expect.stringMatching(/^linuxrun: cannot read .*nosuch: ENOENT\n$/),
    });
    expect(await names()).not.toContain('cut');
    expect(await run('rm -f going twin')).toMatchObject({ status: 0 });
  });
});

describe('removal', { timeout: TIMEOUT }, () => {
  test('takes the files with it, by name or of all', async () => {
    expect(await run('run -dq --name busy busybox sleep 1000')).toMatchObject({ status: 0 });
    expect(await run('rm copy nosuch')).toEqual({
      status: 1,
      stdout: 'copy\n',
      stderr: 'linuxrun: No such container: nosuch\n',
    });
    expect(await run('container prune', { input: 'no\n' })).toMatchObject({ status: 0, stdout: '' });
    expect(await run('rm -f busy nosuch')).toMatchObject({ status: 0 });
    const { stdout } = await run('container prune -f');
    expect(stdout.split('\n').slice(0, 2).sort()).toEqual(['box', 'site']);
    expect(stdout).toMatch(/Total reclaimed space: [\d.]+MB\n$/);
    expect(await names()).toBe('');
    expect(existsSync(local('cache/linuxrun/images/disks'))).toBe(true);
    expect(execFileSync('ls', [local('cache/linuxrun/images/disks')], { encoding: 'utf8' })).toBe('');
  });
});
