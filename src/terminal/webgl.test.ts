import type { Terminal } from '@xterm/xterm';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const terminal = {} as Terminal;

beforeEach(() => {
  vi.resetModules();
  vi.useFakeTimers({ toFake: ['performance'] });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A canvas of WebKit. @param time that a drawing takes, in ms */
function offerCanvas(time: number) {
  const drawArrays = vi.fn(() => vi.advanceTimersByTime(time));
  const own = {
    drawArrays,
    getParameter: () => 'Apple GPU',
    getExtension: () => ({ loseContext() {} }),
  };
  const context = new Proxy(own, { get: (from, name) => Reflect.get(from, name) ?? (() => ({})) });
  const getContext = vi.fn(() => context);
  vi.stubGlobal('document', { createElement: () => ({ getContext }) });
  return { drawArrays, getContext };
}

test('a page with several terminals measures its renderer once', async () => {
  const { drawFast } = await import('./webgl.ts');
  const { getContext } = offerCanvas(60);
  drawFast(terminal);
  drawFast(terminal);
  expect(getContext).toHaveBeenCalledTimes(1);
});

test('a slow renderer does not complete the picture', async () => {
  const { drawFast } = await import('./webgl.ts');
  const { drawArrays } = offerCanvas(20);
  drawFast(terminal);
  expect(drawArrays).toHaveBeenCalledTimes(2);
});

test('a renderer that draws the picture in time gets the terminal', async () => {
  const { drawFast } = await import('./webgl.ts');
  const { drawArrays } = offerCanvas(2);
  const loadAddon = vi.fn();
  drawFast({ loadAddon } as unknown as Terminal);
  expect(drawArrays).toHaveBeenCalledTimes(5);
  expect(loadAddon).toHaveBeenCalledTimes(1);
});
