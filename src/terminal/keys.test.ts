import type { Terminal } from '@xterm/xterm';
import { describe, expect, it, vi } from 'vitest';
import { isForTerminal } from './keys.ts';

const terminal = { options: {}, hasSelection: () => false } as Terminal;

function press(key: Partial<KeyboardEvent>) {
  const page = { onFindKey: vi.fn(), onKeysKey: vi.fn(), onLeaveKey: vi.fn() };
  const event = { type: 'keydown', ctrlKey: false, shiftKey: false, preventDefault: vi.fn(), ...key };
  const isTaken = isForTerminal(event as unknown as KeyboardEvent, terminal, page);
  const [called] = Object.entries(page).find(([, action]) => action.mock.calls.length > 0) ?? [];
  return { isTaken, called };
}

describe('of the keys', () => {
  it.each([
    ['Ctrl-Shift-F', { ctrlKey: true, shiftKey: true, key: 'F', code: 'KeyF' }, 'onFindKey'],
    ['Ctrl-? of a US keyboard', { ctrlKey: true, shiftKey: true, key: '?', code: 'Slash' }, 'onKeysKey'],
    ['Ctrl-? of a German keyboard', { ctrlKey: true, shiftKey: true, key: '?', code: 'Minus' }, 'onKeysKey'],
    ['Ctrl-F6', { ctrlKey: true, key: 'F6', code: 'F6' }, 'onLeaveKey'],
  ])('%s is for the page', (_, key, action) => {
    expect(press(key)).toEqual({ isTaken: false, called: action });
  });

  it.each([
    ['?', { shiftKey: true, key: '?', code: 'Slash' }],
    ['Ctrl-/', { ctrlKey: true, key: '/', code: 'Slash' }],
    ['Ctrl-F', { ctrlKey: true, key: 'f', code: 'KeyF' }],
    ['F1', { key: 'F1', code: 'F1' }],
    ['F6', { key: 'F6', code: 'F6' }],
    ['Ctrl-F1', { ctrlKey: true, key: 'F1', code: 'F1' }],
  ])('%s is for the program', (_, key) => {
    expect(press(key)).toEqual({ isTaken: true, called: undefined });
  });
});
