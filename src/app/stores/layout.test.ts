import { expect, it, vi } from 'vitest';
import { fakeStorage } from './testing/fake-storage.ts';

it('remembers sizes, within bounds, whatever the storage holds', async () => {
  const stored = { state: { sizes: { files: 1e9, editor: 'wide', terminals: 40 } }, version: 0 };
  const localStorage = fakeStorage({ 'linuxrun-layout': JSON.stringify(stored) });
  vi.stubGlobal('window', { localStorage });
  const { LEAST, MOST, useLayout } = await import('./layout.ts');
  const { sizes, resize } = useLayout.getState();
  expect(sizes).toEqual({ files: MOST, editor: 55, terminals: 40, terminal: 50 });
  resize('editor', -5);
  expect(useLayout.getState().sizes.editor).toBe(LEAST);
  expect(localStorage.getItem('linuxrun-layout')).toContain(`"editor":${LEAST}`);
  vi.unstubAllGlobals();
});
