import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { diskSerial, type Machine } from '../machine/machine.ts';
import { boot, DEMO_IMAGES, pull, text } from './testing/run.ts';

const MIB = 1 << 20;
const BLOCK = 4096;

let folder: string;
let machine: Machine;

/** Makes a disk with a journal, and changes it by commands of debugfs. */
function ext4(name: string, ...commands: readonly string[]): Buffer {
  const file = join(folder, name);
  execFileSync('/usr/sbin/mke2fs', [
    '-q',
    '-t',
    'ext4',
    '-O',
    '^metadata_csum',
    '-b',
    `${BLOCK}`,
    file,
    '16M',
  ]);
  execFileSync('/usr/sbin/debugfs', ['-w', '-f', '-', file], { input: commands.join('\n'), stdio: 'pipe' });
  return readFileSync(file);
}

/** A disk on which the folder `/broken` of the container has no valid entries. */
function damaged(): Buffer {
  const disk = ext4('damaged', 'mkdir upper', 'mkdir upper/broken');
  const file = join(folder, 'damaged');
  const block = execFileSync('/usr/sbin/debugfs', ['-R', 'blocks upper/broken', file], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
  disk.fill(0xff, Number(block) * BLOCK, (Number(block) + 1) * BLOCK);
  return disk;
}

/** A crash left these in the middle of the first use: an incomplete folder, and marks of overlayfs. */
const INTERRUPTED = ['mkdir new', 'mkdir work', 'mkdir work/work', 'mkdir work/work/incompat'].concat(
  'mkdir work/work/incompat/volatile',
);

/** A disk of a stranger, with links to where the agent mounts and writes. */
const HOSTILE = [
  'mkdir upper',
  'cd upper',
  'symlink proc /proc2',
  'symlink sys ../../../mnt',
  'symlink dev /tmp',
].concat('mkdir etc', 'symlink etc/hosts /proc/1/root/init', 'mkdir etc/resolv.conf', 'symlink run /usr');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'linuxrun-kept-'));
  const image = await pull(`${DEMO_IMAGES}:busybox`);
  const disks = [
    ext4('good'),
    ext4('interrupted', ...INTERRUPTED),
    ext4('link', 'symlink upper /bin'),
    Buffer.alloc(16 * MIB),
    damaged(),
    ext4('hostile', ...HOSTILE),
  ];
  machine = await boot(disks.map((data) => ({ data, readOnly: false })));
  await machine.openImage(image.layers);
}, 60_000);
afterAll(async () => {
  await machine?.stop();
  rmSync(folder, { recursive: true });
});

/** Starts a container that keeps what it writes on this disk. */
function start(disk: number, script: string) {
  return machine.runContainer({
    ...{ args: ['sh', '-c', script], env: ['PATH=/bin'], directory: '/', user: '' },
    ...{ name: `disk${disk}`, hostname: 'kept', volumes: [], devices: [], tmpfs: [] },
    disks: { image: diskSerial(0), scratch: diskSerial(disk) },
    kept: true,
  });
}

async function run(disk: number, script: string) {
  const container = start(disk, script);
  const [stdout, messages] = await Promise.all([text(container.stdout), text(container.messages)]);
  return { stdout, messages, status: await container.exit };
}

test('a second container finds the changes of the first', async () => {
  const first = await run(
    1,
    'echo 1 > /file; rm -r /tmp; chmod 711 /; chown 5:6 /; mv /home /moved; cat /proc/mounts',
  );
  expect(first).toMatchObject({ status: 0, messages: '' });
  expect(first.stdout).toMatch(/^overlay \/ overlay (?!.*volatile)/m);
  const second = await run(1, 'cat /file; stat -c "%a %u %g" /; ls -d /moved /tmp /home');
  expect(second).toMatchObject({ messages: '', stdout: '1\n711 5 6\n/moved\n' });
});

test('what is synced is written to the disk before the call returns', async () => {
  const container = start(1, 'read line');
  await container.started;
  const mounts = await text(
    machine.run({ args: ['sh', '-c', 'cat /proc/[0-9]*/mounts'], env: {}, cwd: '/' }).stdout,
  );
  expect(mounts).toMatch(/ \/run\/writable ext4 rw,(?!.*(nobarrier|barrier=0)).*errors=remount-ro/);
  container.kill(9);
  await container.exit;
});

test('a first use that was interrupted is begun again', async () => {
  expect(await run(2, 'stat -c "%a" /; echo 1 > /file')).toEqual({
    status: 0,
    messages: '',
    stdout: '755\n',
  });
  expect(await run(2, 'cat /file')).toMatchObject({ stdout: '1\n' });
});

test('a disk that leads out of itself is refused', async () => {
  expect(await run(3, 'ls')).toEqual({
    ...{ status: 125, stdout: '' },
    messages: "LinuxRun: cannot prepare the container's writable disk: not a directory\n",
  });
});

test('links on a disk of a stranger stay in the container', async () => {
  const root = async () =>
    text(machine.run({ args: ['sh', '-c', 'ls -l / /bin /run'], env: {}, cwd: '/' }).stdout);
  const files = async () =>
    (await root()).split('\n').filter((line) => /^[-dl].* (init|bin|run|etc|dev)$/.test(line));
  const before = await files();
  const { status, stdout, messages } = await run(6, 'echo started; ls /proc/self/root/init; cat /etc/hosts');
  expect([status, messages]).toEqual([0, '']);
  expect(stdout).toMatch(/^started\n127\.0\.0\.1\tlocalhost\n/);
  expect(await files()).toEqual(before);
  expect(await run(1, 'echo 1')).toMatchObject({ status: 0, stdout: '1\n' });
});

test('a damaged disk is reported', async () => {
  expect(await run(4, 'ls')).toEqual({
    ...{ status: 125, stdout: '' },
    messages: "LinuxRun: the container's disk cannot be mounted: the file system is damaged\n",
  });
  const script =
    'ls /broken; i=0; while touch /file 2>/dev/null && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done; touch /file';
  const broken = await run(5, script);
  expect(broken).toMatchObject({ status: 1 });
  expect(broken.messages).toBe("LinuxRun: the container's disk has an error, and is read-only from now on\n");
  expect((await run(5, 'true')).messages).toMatch(/the container's disk has had errors/);
});
