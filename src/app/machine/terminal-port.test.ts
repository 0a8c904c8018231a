import { expect, it, vi } from 'vitest';
import { TerminalPort } from './terminal-port.ts';

const BYTES = Uint8Array.of(1, 2);
const SIZE = { columns: 20, rows: 6 };

function screenOf(content: string) {
  return { write: async () => {}, save: () => ({ ...SIZE, content }), restore: vi.fn(async () => {}) };
}

it('holds output back until there is a screen, and the screen has taken it', async () => {
  const port = new TerminalPort();
  let isShown = false;
  const shown = port.show(BYTES).then(() => {
    isShown = true;
  });
  let taken = () => {};
  const write = vi.fn(() => new Promise<void>((resolve) => (taken = resolve)));
  port.attach({ ...screenOf(''), write });
  await expect.poll(() => write).toHaveBeenCalledWith(BYTES);
  expect(isShown).toBe(false);
  taken();
  await shown;
});

it('tells a later process the size of its terminal, and what was typed meanwhile', () => {
  const port = new TerminalPort();
  port.type(BYTES);
  port.resize({ columns: 10, rows: 5 });
  port.resize({ columns: 20, rows: 6 });
  const process = { write: vi.fn(), resize: vi.fn() };
  port.connect(process);
  expect(process.resize.mock.calls).toEqual([[{ columns: 20, rows: 6 }]]);
  port.type(Uint8Array.of(3));
  expect(process.write.mock.calls).toEqual([[BYTES], [Uint8Array.of(3)]]);
});

it('restores a saved screen once, before any output', () => {
  const saved = { ...SIZE, content: 'before' };
  const port = new TerminalPort();
  port.restore(saved);
  expect(port.save()).toEqual({ ...saved, shown: 0 });
  const screen = screenOf('before');
  port.attach(screen);
  port.attach(screen);
  expect(screen.restore.mock.calls).toEqual([[saved]]);
  port.restore(saved);
  expect(screen.restore).toHaveBeenCalledTimes(2);
});

it('tells a process no size while a saved screen is restored', async () => {
  const port = new TerminalPort();
  const process = { write: vi.fn(), resize: vi.fn() };
  port.connect(process);
  let done = () => {};
  const restore = vi.fn(() => new Promise<void>((resolve) => (done = resolve)));
  port.restore({ ...SIZE, content: 'before' });
  port.attach({ ...screenOf('before'), restore });
  port.resize({ columns: 110, rows: 6 });
  port.resize(SIZE);
  expect(process.resize).not.toHaveBeenCalled();
  done();
  await expect.poll(() => process.resize.mock.calls).toEqual([[SIZE]]);
});

it('saves its screen with the number of bytes that led to it', async () => {
  const port = new TerminalPort();
  void port.show(BYTES);
  expect(port.save()).toEqual({ columns: 80, rows: 24, content: '', shown: 0 });
  port.attach(screenOf('ab'));
  await port.show(BYTES);
  expect(port.save()).toEqual({ ...SIZE, content: 'ab', shown: 4 });
});
