import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SessionEvent } from '../machine/messages.ts';
import type { Run } from './session.ts';

/** The connections in the order in which the store made them. */
const connections: FakeConnection[] = [];

class FakeConnection {
  readonly session = {
    ...{ write: vi.fn(), resize: vi.fn(), stop: vi.fn(), kill: vi.fn() },
    keep: async () => {},
  };
  readonly cancel = vi.fn(async () => {});
  /** Ends the killed machine. */
  endKilled = () => {};
  readonly kill = vi.fn(
    () =>
      new Promise<void>((resolve) => {
        this.endKilled = resolve;
      }),
  );
  readonly end = vi.fn();
  readonly request: unknown;
  readonly tell: (event: SessionEvent) => void;
  readonly show: (bytes: Uint8Array) => Promise<void>;

  constructor(
    request: unknown,
    tell: (event: SessionEvent) => void,
    show: (bytes: Uint8Array) => Promise<void>,
  ) {
    this.request = request;
    this.tell = tell;
    this.show = show;
    connections.push(this);
  }
}

// The meter asks nothing while the page is hidden.
vi.stubGlobal('document', { hidden: true });
vi.mock('../machine/connection.ts', () => ({ Connection: FakeConnection }));
vi.mock('./library.ts', () => ({
  useLibrary: { getState: () => ({ refresh: async () => {}, persist: async () => {} }) },
}));
vi.mock('./kept.ts', () => ({ useKept: { getState: () => ({ items: [], refresh: async () => {} }) } }));
const remembered: string[] = [];
vi.mock('./recent.ts', () => ({
  useRecent: { getState: () => ({ remember: (link: string) => remembered.push(link) }) },
}));

const { useSession } = await import('./session.ts');
const { useKeeping } = await import('./keeping.ts');
const { useTerminals } = await import('./terminals.ts');
const connectionModule = await import('./connection.ts');

const RUN: Run = {
  wish: {
    reference: { scheme: 'oci', path: 'images', image: { name: 'busybox' } },
    ...{ platform: undefined, entrypoint: undefined, args: undefined, env: [], workdir: undefined },
    ...{ memoryBytes: 2 ** 29, cpus: 1, diskBytes: 2 ** 30, init: false, devices: [], ports: [] },
    hasNetwork: true,
  },
  ...{
    relay: 'on',
    local: undefined,
    credentials: undefined,
    folders: [],
    wantsNewest: false,
    link: '?LINUXRUN_IMAGE=x',
  },
  previewId: 'id',
};

const state = () => useSession.getState();
const latest = () => connections.at(-1) as FakeConnection;

beforeEach(() => {
  connections.length = 0;
  remembered.length = 0;
  useSession.setState(useSession.getInitialState(), true);
});
afterEach(() => state().leave());

async function start(): Promise<FakeConnection> {
  await state().start(RUN);
  return latest();
}

/** Tells that the program runs. Nobody waits for that, so the state may follow a little later. */
async function tellStarted(connection: FakeConnection): Promise<void> {
  connection.tell({ type: 'started' });
  await vi.waitFor(() => expect(state().phase).toBe('running'));
}

it('runs from the click to the exit status', async () => {
  const connection = await start();
  expect(state()).toMatchObject({ phase: 'preparing', hasOutput: false });
  connection.tell({ type: 'image-ready' });
  connection.tell({ type: 'booted' });
  await tellStarted(connection);
  expect(remembered).toEqual([RUN.link]);
  expect(state().progress.steps.start.ended).toBeDefined();

  const [terminal] = useTerminals.getState().tabs;
  terminal?.port.attach({ write: async () => {}, save: vi.fn(), restore: vi.fn() });
  await connection.show(Uint8Array.of(1));
  expect(state().hasOutput).toBe(true);

  connection.tell({ type: 'message', text: 'LinuxRun: ' });
  connection.tell({ type: 'message', text: 'that is all\n' });
  connection.tell({ type: 'exit', status: 3 });
  expect(state()).toMatchObject({ phase: 'ended', status: 3, messages: 'LinuxRun: that is all\n' });
  expect(connection.end).toHaveBeenCalledOnce();
});

it.each([
  [127, 'LinuxRun: /x: not found\n', 'entrypoint'],
  [137, 'LinuxRun: the machine ran out of memory: 1 process was killed\n', 'memory'],
])('explains an end with status %i and the reason', async (status, text, field) => {
  const connection = await start();
  connection.tell({ type: 'started' });
  connection.tell({ type: 'message', text });
  connection.tell({ type: 'exit', status });
  expect(state()).toMatchObject({ phase: 'failed', status, problem: { field }, messages: '' });
  expect(connection.end).toHaveBeenCalledOnce();
});

it('explains a failure, and remembers nothing of it', async () => {
  const connection = await start();
  connection.tell({ type: 'failed', failure: { name: 'StorageFullError', message: 'no room' } });
  expect(state()).toMatchObject({ phase: 'failed', problem: { storage: true, text: 'No room.' } });
  expect(connection.end).toHaveBeenCalledOnce();
  expect(remembered).toEqual([]);
});

it('cancels a start, and ignores its later events', async () => {
  const connection = await start();
  await state().leave();
  expect(connection.cancel).toHaveBeenCalledOnce();
  connection.tell({ type: 'started' });
  expect(state().phase).toBe('none');
});

it('keeps a run that begins before the one before it is cancelled', async () => {
  const first = await start();
  let endCancel = () => {};
  first.cancel.mockReturnValue(
    new Promise<void>((resolve) => {
      endCancel = resolve;
    }),
  );
  const leaving = state().leave();
  const second = await start();
  endCancel();
  await leaving;
  expect(second.end).not.toHaveBeenCalled();
  await tellStarted(second);
});

it('starts nothing if it was left while its code was loading', async () => {
  vi.spyOn(connectionModule, 'loadedMachinery').mockReturnValueOnce(undefined);
  const starting = state().start(RUN);
  await state().leave();
  await starting;
  expect(connections).toEqual([]);
});

it('stops with a signal, then kills, and restarts with another worker', async () => {
  const first = await start();
  await tellStarted(first);
  state().stop();
  expect(state().phase).toBe('stopping');
  expect(first.session.stop).toHaveBeenCalledOnce();
  state().kill();
  expect(first.session.kill).toHaveBeenCalledOnce();

  await state().restart(false);
  expect(first.end).toHaveBeenCalledOnce();
  expect(connections).toHaveLength(2);
  expect(latest().request).toEqual(first.request);
  first.tell({ type: 'exit', status: 0 });
  expect(state().phase).toBe('preparing');
});

it.each(['running', 'stopping'])(
  'restarts a kept container with a new terminal at once while %s',
  async (phase) => {
    const first = await start();
    const [before] = useTerminals.getState().tabs;
    before?.port.attach({ write: async () => {}, save: vi.fn(), restore: vi.fn() });
    await tellStarted(first);
    await useKeeping.getState().keep();
    const { name } = useKeeping.getState();
    if (phase === 'stopping') state().stop();

    const restarting = state().restart(false);
    expect(state()).toMatchObject({ phase: 'preparing', run: { kept: { name, resumes: false } } });
    const [terminal] = useTerminals.getState().tabs;
    expect(terminal?.id).not.toBe(before?.id);
    terminal?.port.type(Uint8Array.of(1));
    // The old machine is still ending, and its last output is not the new one's.
    await first.show(Uint8Array.of(2));
    first.tell({ type: 'exit', status: 137 });
    expect(state()).toMatchObject({ phase: 'preparing', hasOutput: false });
    expect(first.session.write).not.toHaveBeenCalled();
    expect(connections).toHaveLength(1);

    first.endKilled();
    await restarting;
    expect(connections).toHaveLength(2);
    expect(latest().session.write).toHaveBeenCalledWith(Uint8Array.of(1));
  },
);

it('starts nothing if it was left while the machine before was ending', async () => {
  const first = await start();
  await tellStarted(first);
  await useKeeping.getState().keep();
  const restarting = state().restart(false);
  await state().leave();
  first.endKilled();
  await restarting;
  expect(connections).toHaveLength(1);
  expect(state().phase).toBe('none');
});

describe('a worker that is silent', () => {
  it('is replaced during the start, twice at most', async () => {
    const first = await start();
    first.tell({ type: 'silent' });
    expect(first.end).toHaveBeenCalled();
    const second = latest();
    expect(second).not.toBe(first);
    expect(second.request).toEqual(first.request);
    expect(state()).toMatchObject({
      phase: 'preparing',
      progress: { retry: expect.stringMatching(/answer/) },
    });
    second.tell({ type: 'silent' });
    latest().tell({ type: 'silent' });
    expect(connections).toHaveLength(3);
    expect(state()).toMatchObject({
      phase: 'failed',
      problem: { title: expect.stringMatching(/does not run/) },
    });
    await start();
    latest().tell({ type: 'silent' });
    expect(connections).toHaveLength(5);
  });

  it('goes on if its container runs, and the page says so', async () => {
    const connection = await start();
    connection.tell({ type: 'started' });
    await expect.poll(() => state().phase).toBe('running');
    connection.tell({ type: 'silent' });
    expect(state()).toMatchObject({ phase: 'running', isSilent: true });
    expect(connection.end).not.toHaveBeenCalled();
    connection.tell({ type: 'answering' });
    expect(state().isSilent).toBe(false);
  });
});
