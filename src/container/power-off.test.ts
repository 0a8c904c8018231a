import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nodeDisks } from '../storage/node.ts';
import { hashOf, writeImage } from './testing/check-disk.ts';
import { runOnKeptDisk, startKeptMachine } from './testing/kept-machine.ts';
import { lines } from './testing/lines.ts';
import { store } from './testing/run.ts';

const SIZE = 64 << 20;
/** Twice the time that processes have to end, and time to write. */
const BOUND = 20_000;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'linuxrun-off-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Processes that ignore signals write, and hold files and folders. Nothing is synced. */
const BUSY = `
trap '' TERM HUP INT
head -c 3000000 /dev/urandom > /last
sha256sum /last
(while :; do dd if=/dev/zero of=/loop bs=64k count=10; rm /loop; done) 2>/dev/null &
(cd /tmp; exec sleep 1000) &
tail -f /last > /dev/null &
echo ready
while :; do echo > /turn; done`;

test('a machine powers off in bounded time, and leaves a clean disk', { timeout: 60_000 }, async () => {
  const disk = randomUUID();
  const machine = await startKeptMachine(disk, SIZE);
  const container = runOnKeptDisk(machine, BUSY);
  const output = lines(container.stdout);
  const hash = (await output.next()).value?.split(' ')[0];
  expect((await output.next()).value).toBe('ready');
  const exported = machine.files.exportChanges(container);
  await exported.content.getReader().read();

  const begin = performance.now();
  machine.powerOff();
  await machine.exit;
  expect(performance.now() - begin).toBeLessThan(BOUND);
  await machine.stop();

  const image = join(folder, 'image');
  const file = await nodeDisks(store).open(disk);
  await writeImage(file, SIZE, image);
  file.close();
  expect(hashOf(image, '/last', folder)).toBe(hash);
  const description = execFileSync('/usr/sbin/dumpe2fs', ['-h', image], { encoding: 'utf8', stdio: 'pipe' });
  expect(description).toMatch(/Filesystem state: +clean\n/);
  expect(description).not.toMatch(/needs_recovery/);
  execFileSync('/usr/sbin/e2fsck', ['-fn', image], { stdio: 'pipe' });
});
