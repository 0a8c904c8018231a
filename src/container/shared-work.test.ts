/**
 * Has programs that people use work in shared folders, and compares them with the container's own disk.
 * `LONG_TESTS=1 npx vitest run src/container/shared-work.test.ts` has them do a lot of it.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HAS_IMAGES, IMAGES } from '../disk/testing/images.ts';
import { MemoryFolder } from '../folders/memory-folder.ts';
import { StoredFolder } from '../folders/stored-folder.ts';
import { MemoryDiskFiles } from '../storage/memory.ts';
import type { ContainerMachine } from './container.ts';
import { ownFolder } from './testing/own-folder.ts';
import { pull, start, text } from './testing/run.ts';

const IS_LONG = process.env.LONG_TESTS !== undefined;
const TIMEOUT = IS_LONG ? 3_600_000 : 120_000;
const SCRIPTS = join(import.meta.dirname, 'testing/work');
const PLACES = IS_LONG ? ['/host', '/memory', '/stored'] : ['/host'];
const ROOM = 1 << 30;

/** The scripts that run in each image, and how much they do. A short test has time for git only. */
const WORK: Record<string, Record<string, number>> = IS_LONG
  ? {
      gcc: { 'git.sh': 10_000, 'tree.sh': 20_000, 'flat.sh': 10_000, 'gcc.sh': 100 },
      python: { 'sqlite.py': 5000 },
    }
  : { gcc: { 'git.sh': 20 } };

describe.skipIf(!HAS_IMAGES).each(Object.entries(WORK))('in %s', { timeout: TIMEOUT }, (tag, scripts) => {
  let folder: string;
  let container: ContainerMachine;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'linuxrun-work-'));
    mkdirSync(join(folder, 'shared'));
    const store = { files: new MemoryDiskFiles(), free: async () => ROOM };
    container = await start({
      image: await pull(`oci://${IMAGES}:${tag}`),
      entrypoint: ['sh', '-c', 'exec sleep 100000'],
      memoryBytes: 512 << 20,
      diskBytes: ROOM,
      shares: [
        { folder: { kind: 'host', path: join(folder, 'shared') }, path: '/host', readOnly: false },
        { folder: ownFolder(new MemoryFolder({ limit: ROOM })), path: '/memory', readOnly: false },
        { folder: ownFolder(await StoredFolder.open(store, 'f')), path: '/stored', readOnly: false },
      ],
    });
  }, TIMEOUT);

  afterAll(async () => {
    await container?.destroy();
    rmSync(folder, { recursive: true });
  });

  async function work(script: string, place: string, count: number): Promise<string> {
    const program = script.endsWith('.py') ? 'python3' : 'sh';
    const { stdin, stdout } = container.exec({
      args: [
        'sh',
        '-c',
        `{ mkdir -p /disk; cd ${place} && ${program} /dev/stdin ${count} && echo done; } 2>&1`,
      ],
    });
    const writer = stdin.getWriter();
    await writer.write(readFileSync(join(SCRIPTS, script)));
    await writer.close();
    return text(stdout);
  }

  describe.each(Object.entries(scripts))('%s', (script, count) => {
    let expected: string;

    beforeAll(async () => {
      expected = await work(script, '/disk', count);
      expect(expected).toMatch(/\ndone\n$/);
    }, TIMEOUT);

    test.each(PLACES)('prints the same in %s', async (place) => {
      expect(await work(script, place, count)).toBe(expected);
    });
  });
});
