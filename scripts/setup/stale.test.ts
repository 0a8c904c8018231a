import { afterEach, expect, test, vi } from 'vitest';
import type { Step } from './step.mjs';

const state = vi.hoisted(() => ({ stale: [] as string[], packages: true }));
vi.mock('./step.mjs', async (original) => ({
  ...(await original<typeof import('./step.mjs')>()),
  isInPlace: async ({ name }: Step) => {
    if (name === 'images' && state.stale.includes('broken')) throw new Error('cannot read a source');
    return !state.stale.includes(name);
  },
}));
vi.mock('./npm.mjs', async (original) => ({
  ...(await original<typeof import('./npm.mjs')>()),
  isCurrent: async () => state.packages,
}));

import { staleBuilds } from './purposes.mjs';
import { tellStaleBuilds } from './stale.mjs';

afterEach(() => vi.restoreAllMocks());

test.each([
  [[], true, []],
  [['core', 'initramfs'], true, ['emulator core', 'init and its file system']],
  [['bundle', 'programs', 'page', 'site', 'production', 'package'], true, []],
  [['kernel-smp'], false, ['npm packages', 'Linux kernel for several harts']],
  [['broken'], true, ['demo images']],
])('with %j out of place', async (stale, packages, titles) => {
  Object.assign(state, { stale, packages });
  expect(await staleBuilds()).toEqual(titles);
});

test('are told once at the start and once at the end', async () => {
  Object.assign(state, { stale: ['core'], packages: true });
  const warn = vi.spyOn(console, 'warn').mockReturnValue(undefined);
  const onExit = vi.spyOn(process, 'once').mockReturnValue(process);
  await tellStaleBuilds();
  await tellStaleBuilds();
  expect(warn.mock.calls).toEqual([[expect.stringContaining('emulator core. Tests that use them')]]);
  expect(onExit).toHaveBeenCalledTimes(1);
  for (const [, listener] of onExit.mock.calls) (listener as () => void)();
  expect(warn).toHaveBeenCalledTimes(2);
  expect(warn.mock.lastCall).toEqual(warn.mock.calls[0]);
});
