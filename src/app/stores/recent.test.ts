import { afterEach, expect, it, vi } from 'vitest';
import { fakeStorage } from './testing/fake-storage.ts';

afterEach(() => vi.unstubAllGlobals());

it('forgets the values of variables that an earlier version kept', async () => {
  const links = [
    '?LINUXRUN_IMAGE=alpine&LINUXRUN_CPUS=2&LINUXRUN_ENV=TOKEN=secret,B=c',
    '?LINUXRUN_IMAGE=debian',
  ];
  const storage = fakeStorage({ 'linuxrun-recent': JSON.stringify({ state: { links }, version: 0 }) });
  vi.stubGlobal('window', { localStorage: storage });
  const { useRecent } = await import('./recent.ts');
  expect(useRecent.getState().links).toEqual([
    '?LINUXRUN_IMAGE=alpine&LINUXRUN_CPUS=2&LINUXRUN_ENV=TOKEN=,B=',
    '?LINUXRUN_IMAGE=debian',
  ]);
  useRecent.getState().remember('?LINUXRUN_IMAGE=busybox');
  expect(storage.getItem('linuxrun-recent')).toContain('busybox');
  expect(storage.getItem('linuxrun-recent')).not.toContain('secret');
});
