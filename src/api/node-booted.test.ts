import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BOOTED, openBooted } from '../container/booted.ts';
import { MachineError } from '../machine/errors.ts';
import { nodePlatform } from '../machine/platform/node.ts';
import type { SavedMachine } from '../machine/state.ts';
import { openCachedBooted } from './node-booted.ts';

const PUBLIC = new URL('../../public/', import.meta.url).pathname;
const platform = nodePlatform(PUBLIC);
const emulator = await platform.loadEmulator();
let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'linuxrun-booted-'));
});
afterAll(() => rm(cache, { recursive: true }));

async function contentsOf({ state, fillRam }: SavedMachine): Promise<[unknown, Buffer]> {
  const ram = Buffer.alloc(state.ramBytes);
  await fillRam(ram);
  return [state, ram];
}

it('is the same from the cache, which keeps nothing else', async () => {
  const file = await platform.loadFile(BOOTED);
  const [state, ram] = await contentsOf(await openBooted(file, emulator));
  await writeFile(join(cache, 'old'), '');
  for (let times = 0; times < 2; times++) {
    const [cachedState, cachedRam] = await contentsOf(await openCachedBooted(PUBLIC, cache, emulator));
    expect(cachedState).toEqual(state);
    expect(cachedRam.equals(ram)).toBe(true);
    expect(await readdir(cache)).toHaveLength(1);
  }
});

it('comes from the assets if the cache cannot be written', async () => {
  const blocked = join(cache, 'file');
  await writeFile(blocked, '');
  const { state } = await openCachedBooted(PUBLIC, blocked, emulator);
  expect(state.ramBytes).toBe(512 << 20);
});

it('is missing if the assets lack it', async () => {
  await expect(openCachedBooted(cache, cache, emulator)).rejects.toThrow(MachineError);
});
