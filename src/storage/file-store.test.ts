import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StorageError, StorageFullError } from './errors.ts';
import { FileLocks } from './file-locks.ts';
import { explainFileError, FileStore } from './file-store.ts';
import { processMark } from './process-mark.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linuxrun-files-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** The mark of a process that has ended. */
function deadMark(): string {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  return processMark().replace(/^\d+/, String(pid));
}

describe('FileStore', () => {
  it('sets, replaces, adds, lists and deletes', async () => {
    const store = new FileStore(folder);
    expect(await store.get('layer/sha256:1')).toBeUndefined();
    await store.set('layer/sha256:1', new Uint8Array([1]));
    await store.set('layer/sha256:1', new Uint8Array([2, 3]));
    await store.set('chunk/g/0', new Uint8Array([4]));
    expect(await store.add('chunk/g/0', new Uint8Array([5]))).toBe(false);
    expect(await store.add('chunk/g/1', new Uint8Array([6]))).toBe(true);
    expect(new Uint8Array((await store.get('layer/sha256:1')) ?? [])).toEqual(new Uint8Array([2, 3]));
    expect(new Uint8Array((await store.get('chunk/g/0')) ?? [])).toEqual(new Uint8Array([4]));
    expect((await store.keys('chunk/')).sort()).toEqual(['chunk/g/0', 'chunk/g/1']);
    expect(await store.keys('chunk/g/')).toHaveLength(2);
    expect(await store.keys('layer/')).toEqual(['layer/sha256:1']);
    expect(await store.keys('other/')).toEqual([]);
    await store.delete(['chunk/g/0', 'chunk/g/1', 'chunk/none/0']);
    expect(await store.keys('chunk/')).toEqual([]);
    expect(await readdir(join(folder, 'values/chunk'))).toEqual([]);
    expect(await readdir(join(folder, 'unfinished'))).toEqual([]);
  });

  it('reads parts, and reports missing bytes', async () => {
    const store = new FileStore(folder);
    await store.set('a/b', new Uint8Array([1, 2, 3, 4]));
    const into = new Uint8Array(2);
    expect(await store.read('a/b', 1, into)).toBe(true);
    expect(into).toEqual(new Uint8Array([2, 3]));
    expect(await store.read('a/b', 3, into)).toBe(false);
    expect(await store.read('a/c', 0, into)).toBe(false);
  });

  it('lets one of many adders win', async () => {
    const stores = Array.from({ length: 8 }, () => new FileStore(folder));
    const added = await Promise.all(stores.map((store, i) => store.add('layer/x', new Uint8Array([i]))));
    expect(added.filter(Boolean)).toHaveLength(1);
    expect((await stores[0]?.get('layer/x'))?.[0]).toBe(added.indexOf(true));
  });

  it('removes the remains of killed processes, and keeps the files of living ones', async () => {
    const unfinished = join(folder, 'unfinished');
    const alive = processMark();
    await mkdir(unfinished);
    await mkdir(join(folder, 'values/chunk/empty'), { recursive: true });
    await new FileStore(folder).set('chunk/full/0', new Uint8Array(1));
    await writeFile(join(unfinished, deadMark()), 'x');
    await writeFile(join(unfinished, alive), 'x');
    await new FileStore(folder).set('a/b', new Uint8Array(1));
    expect(await readdir(unfinished)).toEqual([alive]);
    expect(await readdir(join(folder, 'values/chunk'))).toEqual(['full']);
  });

  it('explains failures of the file system', async () => {
    await writeFile(join(folder, 'file'), '');
    const store = new FileStore(join(folder, 'file'));
    await expect(store.set('a/b', new Uint8Array(1))).rejects.toThrow(StorageError);
    await expect(store.get('a/b')).rejects.toThrow(/cannot use .*ENOTDIR/);
    const full = explainFileError(Object.assign(new Error(), { code: 'ENOSPC' }), '/cache/x');
    expect(full).toBeInstanceOf(StorageFullError);
    expect(full.message).toMatch(/no room left for \/cache\/x/);
  });
});

describe('FileLocks', () => {
  it('shows held locks to others until they are released', async () => {
    const [mine, others] = [new FileLocks(folder), new FileLocks(folder)];
    const first = await mine.hold('a');
    const second = await others.hold('a');
    await mine.hold('b');
    expect(await others.held()).toEqual(new Set(['a', 'b']));
    await first();
    await first();
    expect(await mine.held()).toEqual(new Set(['a', 'b']));
    await second();
    expect(await mine.held()).toEqual(new Set(['b']));
  });

  it('ends with the process that holds it', async () => {
    await writeFile(join(folder, `a=${deadMark()}`), '');
    expect(await new FileLocks(folder).held()).toEqual(new Set());
  });

  it('ends with the process even if nobody asks for its status', async () => {
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 1000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const [pid] = await once(parent.stdout, 'data');
      // Without the time of its start, only its state tells that it has ended.
      const mark = processMark()
        .replace(/^\d+/, String(pid).trim())
        .replace(/[^,]*$/, '');
      await writeFile(join(folder, `a=${mark}`), '');
      await expect.poll(() => new FileLocks(folder).held()).toEqual(new Set());
      expect(() => process.kill(Number(pid), 0)).not.toThrow();
    } finally {
      parent.kill();
    }
  });

  it('ends with the process even if another one has its number now', async () => {
    const [mine, earlier] = [processMark(), processMark().replace(/[^,]*$/, '1')];
    await writeFile(join(folder, `a=${mine}`), '');
    await writeFile(join(folder, `b=${earlier}`), '');
    expect(await new FileLocks(folder).held()).toEqual(
      new Set(process.platform === 'linux' ? ['a'] : ['a', 'b']),
    );
  });

  it('lets one of many claim a lock, until it is released or its process has gone', async () => {
    const claims = await Promise.all(Array.from({ length: 6 }, () => new FileLocks(folder).claim('x/y')));
    const winners = claims.filter((release) => release !== undefined);
    expect(winners.length).toBeLessThanOrEqual(1);
    await winners[0]?.();
    const locks = new FileLocks(folder);
    const release = await locks.claim('x/y');
    expect(release).toBeDefined();
    expect(await locks.held()).toEqual(new Set(['x/y']));
    expect(await new FileLocks(folder).claim('x/y')).toBeUndefined();
    await release?.();
    await writeFile(join(folder, `x+y=${deadMark()}`), '');
    expect(await locks.claim('x/y')).toBeDefined();
  });

  it('trusts other hosts for a week', async () => {
    const foreign = deadMark().replace(`,${hostname().replaceAll(/[^A-Za-z0-9.-]/g, '_')},`, ',elsewhere,');
    const path = join(folder, `a=${foreign}`);
    await writeFile(path, '');
    expect(await new FileLocks(folder).held()).toEqual(new Set(['a']));
    const old = new Date(Date.now() - 8 * 24 * 3600 * 1000);
    await utimes(path, old, old);
    expect(await new FileLocks(folder).held()).toEqual(new Set());
  });
});
