import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeDisks } from '../storage/node.ts';
import { hashOf, recover, writeImage } from './testing/check-disk.ts';
import { runOnKeptDisk, startKeptMachine } from './testing/kept-machine.ts';
import { lines } from './testing/lines.ts';
import { store } from './testing/run.ts';
import { CAPACITY_FILE } from './testing/write-log.ts';

const MIB = 1 << 20;
const SIZE = 128 * MIB;

/**
 * Each file is written and synced in one call, which fails if that is not possible. Folders, which are all
 * metadata, are made in the room that is held in reserve, and then in more than that.
 */
const SCRIPT = `
  folders() { for i in $(seq $1 $2); do mkdir /folder/$i || echo refused; [ $((i % 10)) = 0 ] && sync; done; }
  write() { dd if=/dev/urandom of=$1 bs=64k count=$2 conv=fsync 2>&1 | grep -c "error\\|No space"; }
  write /before 16; sha256sum < /before
  for i in 1 2 3 4 5 6 7 8; do [ $(write /big$i 80) = 0 ] || failed="$failed $i"; done
  echo failed:$failed
  mkdir /folder && ls -d /folder; cmp /before /before && echo same
  folders 1 100
  echo ready; folders 101 700; ls /folder | wc -l
  write /after 200; sha256sum < /after; sync; echo end`;

test('a full store fails writes, harms nothing, and all goes on when there is room', async () => {
  const capacity = join(store, CAPACITY_FILE);
  const folder = mkdtempSync(join(tmpdir(), 'linuxrun-full-'));
  writeFileSync(capacity, String(24 * MIB));
  const problems: (string | undefined)[] = [];
  const machine = await startKeptMachine('full', SIZE, (problem) => problems.push(problem));
  const seen: string[] = [];
  try {
    const container = runOnKeptDisk(machine, SCRIPT);
    for await (const line of lines(container.stdout)) {
      seen.push(line);
      if (line !== 'ready') continue;
      expect(problems).toEqual(['the test allows no more']);
      setTimeout(() => writeFileSync(capacity, String(96 * MIB)), 2000);
    }
    const [, before = '', failed, made, same, , folders, errors, after = '', end] = seen;
    expect(failed).toMatch(/^failed:.* 8$/);
    expect([made, same, folders, errors, end]).toEqual(['/folder', 'same', '700', '0', 'end']);
    expect(problems).toEqual(['the test allows no more', undefined]);
    machine.powerOff();
    await machine.exit;
    const image = join(folder, 'image');
    await writeImage(await nodeDisks(store).open('full'), SIZE, image);
    recover(image);
    expect(hashOf(image, '/before', folder)).toBe(before.split(' ')[0]);
    expect(hashOf(image, '/after', folder)).toBe(after.split(' ')[0]);
  } finally {
    await machine.stop();
    rmSync(folder, { recursive: true });
    rmSync(capacity);
  }
});
