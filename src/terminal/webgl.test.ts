import type { Terminal } from '@xterm/xterm';
import { expect, test, vi } from 'vitest';
import { drawFast } from './webgl.ts';

test('a page with several terminals measures its renderer once', () => {
  const getContext = vi.fn(() => null);
  vi.stubGlobal('document', { createElement: () => ({ getContext }) });
  const terminal = {} as Terminal;
  drawFast(terminal);
  drawFast(terminal);
  expect(getContext).toHaveBeenCalledTimes(1);
});
