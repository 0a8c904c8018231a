import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ContainerHandle, type ContainerProcess, diskSerial, type Machine } from '../machine/machine.ts';
import { boot, DEMO_IMAGES, pull, text } from './testing/run.ts';

const TIMEOUT = 120_000;
const MIB = 1 << 20;

let machine: Machine;

/** A machine with one image and disks for two containers of it. */
beforeAll(async () => {
  const image = await pull(`${DEMO_IMAGES}:busybox`);
  machine = await boot(
    [64, 128].map((size) => ({ kind: 'scratch', sizeBytes: size * MIB })),
    { memoryBytes: 256 * MIB },
  );
  await machine.openImage(image.layers);
});
afterAll(() => machine?.stop());

const common = { env: ['PATH=/bin'], directory: '/', user: '' };

function start(name: string, disk: number, args = ['sleep', '1000']): ContainerProcess & ContainerHandle {
  const disks = { image: diskSerial(0), scratch: diskSerial(disk) };
  return machine.runContainer({
    ...common,
    args,
    name,
    disks,
    hostname: name,
    volumes: [],
    devices: [],
    tmpfs: [],
  });
}

async function shell(container: ContainerHandle, script: string): Promise<string> {
  return text(machine.exec(container, { ...common, args: ['sh', '-c', script] }).stdout);
}

test('containers of one machine are distinguished by their names', { timeout: TIMEOUT }, async () => {
  const [one, two] = [start('one', 1), start('two', 2)];
  for (const container of [one, two]) {
    expect(await shell(container, 'hostname; echo $(hostname) > /file')).toBe(`${container.name}\n`);
    expect(await text(machine.files.read(container, '/file').content)).toBe(`${container.name}\n`);
  }
  const namespaces = 'for n in ipc mnt net pid uts; do readlink /proc/self/ns/$n; done';
  const [ofOne, ofTwo] = [await shell(one, namespaces), await shell(two, namespaces)];
  expect(new Set(`${ofOne}${ofTwo}`.trim().split('\n')).size).toBe(10);
  const sizes = [one, two].map(async (container) => (await machine.measure(container)).disk.totalBytes);
  const [small = 0, large = 0] = await Promise.all(sizes);
  expect(large).toBeGreaterThan(1.8 * small);

  const third = start('two', 1);
  expect([await third.exit, await text(third.messages)]).toEqual([
    125,
    'LinuxRun: a container of that name runs already\n',
  ]);
  const lost = start('three', 7);
  expect([await lost.exit, await text(lost.messages)]).toEqual([
    125,
    'LinuxRun: the machine has no disk disk7\n',
  ]);

  // The end of one is not that of the other.
  one.kill(9);
  expect(await one.exit).toBe(137);
  expect(await shell(two, 'cat /file')).toBe('two\n');
  const gone = machine.exec(one, { ...common, args: ['true'] });
  expect([await gone.exit, await text(gone.messages)]).toEqual([
    126,
    'LinuxRun: the container does not run\n',
  ]);
});

test('a disk is empty for the next container', { timeout: TIMEOUT }, async () => {
  const first = start('first', 1);
  await shell(first, 'mkdir -p /a/b/c; touch /a/b/c/d /file; rm /bin/sort; chmod 700 /tmp');
  const used = (await machine.measure(first)).disk.usedBytes;
  await shell(first, 'head -c 10000000 /dev/urandom > /a/large');
  first.kill(9);
  await first.exit;
  const second = start('second', 1);
  expect(await shell(second, 'ls -d /a /file 2>&1; ls /bin/sort; stat -c %a /tmp')).toMatch(
    /^ls: \/a: No such file or directory\nls: \/file: No such file or directory\n\/bin\/sort\n1777\n$/,
  );
  expect((await machine.measure(second)).disk.usedBytes).toBeLessThan(used + 1e6);
  second.kill(9);
  await second.exit;
});
