import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeDisks } from '../storage/node.ts';
import { hashOf, recover, writeImage } from './testing/check-disk.ts';
import { lines, runOnKeptDisk, startKeptMachine } from './testing/kept-machine.ts';
import { store } from './testing/run.ts';
import { CAPACITY_FILE } from './testing/write-log.ts';

const MIB = 1 << 20;
const SIZE = 128 * MIB;

/** Each file is written and synced in one call, which fails if that is not possible. */
const SCRIPT = `
  write() { dd if=/dev/urandom of=$1 bs=64k count=$2 conv=fsync 2>&1 | grep -c "error\\|No space"; }
  write /before 16; sha256sum < /before
  for i in 1 2 3 4 5 6 7 8; do [ $(write /big$i 80) = 0 ] || failed="$failed $i"; done
  echo failed:$failed
  mkdir /folder && ls -d /folder; cmp /before /before && echo same
  echo ready; read line
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
    const input = container.stdin.getWriter();
    for await (const line of lines(container.stdout)) {
      seen.push(line);
      if (line !== 'ready') continue;
      expect(problems).toEqual(['the test allows no more']);
      writeFileSync(capacity, String(96 * MIB));
      await input.write(Buffer.from('go on\n'));
    }
    const [, before = '', failed, made, same, , errors, after = '', end] = seen;
    expect(failed).toMatch(/^failed:.* 8$/);
    expect([made, same, errors, end]).toEqual(['/folder', 'same', '0', 'end']);
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
