import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Connection } from '../machine/connection.ts';
import { TerminalPort } from '../machine/terminal-port.ts';
import { current } from './connection.ts';
import { useTerminals } from './terminals.ts';

type End = (status: number) => void;

/** A fake for the call that starts a shell in the container. */
const openTerminal = vi.fn<(number: number, onOutput: unknown, onEnd: End) => Promise<unknown>>();
/** A fake for the call that takes up a shell which goes on. */
const attachTerminal = vi.fn<(number: number) => Promise<unknown>>();
const shell = () => ({ write: vi.fn(), resize: vi.fn(), hangUp: vi.fn() });

const state = () => useTerminals.getState();
const ids = () => state().tabs.map(({ id }) => id);

beforeEach(() => {
  openTerminal.mockReset().mockImplementation(async () => shell());
  attachTerminal.mockReset().mockImplementation(async () => shell());
  current.connection = { openTerminal, attachTerminal } as unknown as Connection;
  state().begin(new TerminalPort());
});
afterEach(() => {
  current.connection = undefined;
});

it('opens further terminals in front, and closes them when their shells end', async () => {
  const [first] = ids();
  await state().open();
  await state().open();
  expect(state().active).toBe(ids()[2]);
  const [, , onEnd] = openTerminal.mock.calls[1] as [number, unknown, End];
  onEnd(0);
  expect(ids()).toHaveLength(2);
  expect(state().active).toBe(ids()[1]);
  state().close(ids()[1] as number);
  expect(ids()).toEqual([first]);
  expect(state().active).toBe(first);
});

it('keeps a terminal whose shell did not start, with the reason on it', async () => {
  await state().open();
  const [, , onEnd] = openTerminal.mock.calls[0] as [number, unknown, End];
  onEnd(127);
  expect(state().tabs[1]).toMatchObject({ hasFailed: true });
});

it('hangs up a closed terminal, even while it is starting', async () => {
  const process = shell();
  openTerminal.mockImplementation(async () => process);
  const opening = state().open();
  state().close(ids()[1] as number);
  expect(process.hangUp).not.toHaveBeenCalled();
  await opening;
  expect(process.hangUp).toHaveBeenCalledOnce();
});

it('leaves no terminal behind when the container has ended', async () => {
  openTerminal.mockRejectedValue(new Error('the container has ended'));
  await state().open();
  expect(ids()).toHaveLength(1);
});

it('shows which terminal rang until it is shown', async () => {
  const [first] = ids() as [number];
  await state().open();
  state().ring(ids()[1] as number);
  state().ring(first);
  expect(state().tabs.map(({ hasBell }) => hasBell)).toEqual([true, false]);
  state().activate(first);
  expect(state().tabs.map(({ hasBell }) => hasBell)).toEqual([false, false]);
});

it('shows a new shell beside the terminal that was active, until that is shown alone', async () => {
  const [first] = ids() as [number];
  await state().split();
  const [, second] = ids() as [number, number];
  expect([state().active, state().beside]).toEqual([second, first]);
  state().activate(first);
  expect([state().active, state().beside]).toEqual([first, second]);
  state().ring(second);
  expect(state().tabs[1]?.hasBell).toBe(false);
  await state().open();
  expect(state().beside).toBe(second);
  state().close(state().active);
  expect([state().active, state().beside]).toEqual([second, undefined]);
  state().activate(first);
  await state().split();
  await state().split();
  expect(state().beside).toBeUndefined();
  expect(ids()).toHaveLength(3);
});

it('shows the terminals of a saved session again, each with its process', async () => {
  const saved = (process: number, title: string) => ({
    ...{ process, title, columns: 80, rows: 24, content: `${title}$ `, unshown: new Uint8Array() },
  });
  state().restore({
    processes: [0, 1000, 1001, 1002],
    terminals: [saved(0, 'own'), saved(1001, 'vi'), saved(1000, 'sh')],
    active: 1001,
    beside: 1000,
  });
  expect(state().tabs.map(({ process, title }) => [process, title])).toEqual([
    [0, 'own'],
    [1001, 'vi'],
    [1000, 'sh'],
  ]);
  expect(state().tabs[1]?.port.save()).toMatchObject({ content: 'vi$ ' });
  expect([state().active, state().beside]).toEqual([ids()[1], ids()[2]]);
  expect(attachTerminal.mock.calls.map(([number]) => number)).toEqual([1001, 1000]);
  await state().open();
  expect(openTerminal.mock.calls[0]?.[0]).toBeGreaterThan(1002);
});

it('closes the terminal of a process that has ended before it was shown again', async () => {
  attachTerminal.mockResolvedValue(undefined);
  const terminal = { process: 9, title: '', columns: 80, rows: 24, content: '', unshown: new Uint8Array() };
  state().restore({ processes: [0, 9], terminals: [terminal], active: 9, beside: -1 });
  expect(state().tabs).toHaveLength(2);
  await expect.poll(() => state().tabs.map(({ process }) => process)).toEqual([0]);
  expect(state().active).toBe(ids()[0]);
});
