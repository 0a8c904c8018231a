import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { SessionEvent } from '../machine/messages.ts';
import type { Run } from './session.ts';
import { fakeStorage } from './testing/fake-storage.ts';

const connections: FakeConnection[] = [];

class FakeConnection {
  readonly session = { write: vi.fn(), resize: vi.fn() };
  readonly end = vi.fn();
  readonly cancel = vi.fn(async () => {});
  readonly request: { memoryBytes: number };
  readonly tell: (event: SessionEvent) => void;

  constructor(request: { memoryBytes: number }, tell: (event: SessionEvent) => void) {
    this.request = request;
    this.tell = tell;
    connections.push(this);
  }
}

const prepareSession = vi.fn(async () => {});
vi.mock('../machine/connection.ts', () => ({ Connection: FakeConnection, prepareSession }));
vi.mock('./kept.ts', () => ({ useKept: { getState: () => ({ items: [], refresh: async () => {} }) } }));
vi.mock('./library.ts', () => ({ useLibrary: { getState: () => ({ refresh: async () => {} }) } }));
const remember = vi.fn();
vi.mock('./recent.ts', () => ({ useRecent: { getState: () => ({ remember }) } }));

const page = Object.assign(new EventTarget(), { hidden: false });
const look = (hidden: boolean) => {
  page.hidden = hidden;
  page.dispatchEvent(new Event('visibilitychange'));
};

vi.stubGlobal('document', page);
const localStorage = fakeStorage();
vi.stubGlobal('window', { localStorage });
const { startLive, useLive, watchLive } = await import('./live.ts');
const { useSession } = await import('./session.ts');
watchLive();

const state = () => useLive.getState();
const latest = () => connections.at(-1) as FakeConnection;

beforeEach(() => {
  vi.useFakeTimers();
  connections.length = 0;
  page.hidden = false;
  useLive.setState({ isOffered: true, isWanted: true });
});
afterEach(async () => {
  state().end();
  await useSession.getState().leave();
  vi.useRealTimers();
});

it('runs a shell, leaves a worker for the next click, and is no run of the user', async () => {
  await state().start();
  expect(state().phase).toBe('starting');
  expect(prepareSession).toHaveBeenCalled();
  latest().tell({ type: 'started' });
  expect(state().phase).toBe('running');
  expect(useSession.getState().phase).toBe('none');
  expect(remember).not.toHaveBeenCalled();
  await state().start();
  expect(connections).toHaveLength(1);
  latest().tell({ type: 'exit', status: 0 });
  expect(state()).toMatchObject({ phase: 'ended', note: 'The shell has ended' });
  expect(latest().end).toHaveBeenCalledOnce();
  await state().start();
  expect(connections).toHaveLength(2);
});

it('ends before another container starts, and does not start beside one', async () => {
  await state().start();
  const live = latest();
  const { wish } = (await import('../model/check.ts')).checkForm(
    (await import('../model/form.ts')).DEFAULT_FORM,
  );
  const run = { wish, local: undefined, credentials: undefined, wantsNewest: false, link: '' } as Run;
  const starting = useSession.getState().start(run);
  expect(live.end).toHaveBeenCalledOnce();
  expect(state().phase).toBe('off');
  await starting;
  expect(connections).toHaveLength(2);
  await state().start();
  expect(connections).toHaveLength(2);
});

it('ignores the events of a container that was ended, and does not start one that was', async () => {
  const starting = state().start();
  state().end();
  await starting;
  expect(connections).toHaveLength(0);
  await state().start();
  const live = latest();
  state().end();
  live.tell({ type: 'started' });
  expect(state().phase).toBe('off');
});

it('ends when its tab is hidden for five minutes, not when it is hidden for four', async () => {
  await state().start();
  look(true);
  vi.advanceTimersByTime(4 * 60_000);
  look(false);
  look(true);
  vi.advanceTimersByTime(4 * 60_000);
  expect(state().phase).toBe('starting');
  vi.advanceTimersByTime(60_000);
  expect(state()).toMatchObject({ phase: 'off', note: 'It ended while this tab was hidden' });
  expect(latest().end).toHaveBeenCalledOnce();
});

it('starts by itself only where it is offered and wanted, and when the tab is visible', async () => {
  for (const reason of [{ isOffered: false }, { isWanted: false }]) {
    useLive.setState({ isOffered: true, isWanted: true, ...reason });
    startLive();
    expect(state().phase).toBe('off');
  }
  useLive.setState({ isOffered: true, isWanted: true });
  page.hidden = true;
  startLive();
  expect(state().phase).toBe('off');
  look(false);
  expect(state().phase).toBe('starting');
});

it('is remembered as unwanted when the user closes it', async () => {
  await state().start();
  state().want(false);
  expect(latest().end).toHaveBeenCalledOnce();
  expect(localStorage.getItem('linuxrun-live')).toContain('"isWanted":false');
  state().want(true);
  expect(state().phase).toBe('starting');
});
