import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { HELP } from './run-options.mjs';
import { WayOut } from './way-out.ts';

const CTRL_C = '\x03';
const LEAVE = '\x1d';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  const leave = vi.fn();
  const hint = vi.fn();
  const wayOut = new WayOut(leave, hint);
  return {
    leave,
    hint,
    type: (...keys: string[]) => {
      for (const each of keys) wayOut.typed(Buffer.from(each));
    },
    show: (text: string) => wayOut.shown(Buffer.from(text)),
    close: () => wayOut.close(),
  };
}

describe('Ctrl-] three times', () => {
  test.each([
    ['as control characters', [LEAVE, LEAVE, LEAVE]],
    ['in one read', [LEAVE + LEAVE, LEAVE]],
    ['by CSI u', Array<string>(3).fill('\x1b[93;5u')],
    ['by modifyOtherKeys', Array<string>(3).fill('\x1b[27;5;93~')],
  ])('leaves, %s', (_, keys) => {
    const { leave, type } = setUp();
    type(...keys.slice(0, -1));
    expect(leave).not.toHaveBeenCalled();
    type(keys.at(-1) as string);
    expect(leave).toHaveBeenCalledOnce();
  });

  test('are in the help', () => {
    expect(HELP).toContain('Ctrl-] three times within a second ends the machine');
  });

  test('must come within a second', () => {
    const { leave, type } = setUp();
    for (let i = 0; i < 5; i++) {
      type(LEAVE);
      vi.advanceTimersByTime(501);
    }
    expect(leave).not.toHaveBeenCalled();
  });

  test('must not be part of pasted text, or have other keys between them', () => {
    const { leave, type } = setUp();
    type(`x${LEAVE}${LEAVE}${LEAVE}`, LEAVE, 'x', LEAVE, 'x', LEAVE);
    expect(leave).not.toHaveBeenCalled();
  });
});

describe('the third Ctrl-C', () => {
  test.each([
    ['silence', ['', '', '']],
    ['the echo alone', ['^C', '^C', '^C']],
  ])('earns the hint after %s, once', (_, echoes) => {
    const { hint, type, show } = setUp();
    for (let i = 0; i < 2; i++) {
      for (const echo of echoes) {
        type(CTRL_C);
        show(echo);
      }
      vi.advanceTimersByTime(5_000);
      expect(hint).toHaveBeenCalledOnce();
    }
  });

  test('earns the hint when the output goes on', () => {
    const { hint, type, show } = setUp();
    type(CTRL_C, CTRL_C, '\x1b[99;5u');
    for (let i = 0; i < 8; i++) {
      show('y\r\n');
      vi.advanceTimersByTime(400);
    }
    expect(hint).toHaveBeenCalledOnce();
  });

  test('earns none when a prompt answers it', () => {
    const { hint, type, show } = setUp();
    for (let i = 0; i < 5; i++) {
      type(CTRL_C);
      show('^C\r\n# ');
      vi.advanceTimersByTime(100);
    }
    vi.advanceTimersByTime(10_000);
    expect(hint).not.toHaveBeenCalled();
  });

  test('earns none before, with other keys between, or after the end', () => {
    const { hint, type, close } = setUp();
    type(CTRL_C, CTRL_C);
    vi.advanceTimersByTime(10_000);
    type('x', CTRL_C, CTRL_C, 'x', CTRL_C, CTRL_C);
    vi.advanceTimersByTime(10_000);
    type(CTRL_C);
    close();
    vi.advanceTimersByTime(10_000);
    expect(hint).not.toHaveBeenCalled();
  });
});
