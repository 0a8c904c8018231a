import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Connection } from '../machine/connection.ts';

const refresh = vi.fn(async () => {});
const persist = vi.fn(async () => {});
const items: { name: string }[] = [];
vi.mock('./kept.ts', () => ({ useKept: { getState: () => ({ items, refresh }) } }));

vi.mock('./library.ts', () => ({ useLibrary: { getState: () => ({ persist }) } }));

const { current } = await import('./connection.ts');
const { useKeeping } = await import('./keeping.ts');

const session = { keep: vi.fn(), unkeep: vi.fn(), rename: vi.fn() };
const state = () => useKeeping.getState();

class ContainerExistsError extends Error {
  override name = 'ContainerExistsError';
}

beforeEach(() => {
  for (const call of Object.values(session)) call.mockReset().mockResolvedValue(undefined);
  current.connection = { session } as unknown as Connection;
  state().begin();
});
afterEach(() => {
  current.connection = undefined;
});

it('keeps nothing of a container in which nobody does anything', () => {
  state().started();
  expect(state()).toMatchObject({ keeping: 'untouched', name: undefined });
  expect(session.keep).not.toHaveBeenCalled();
});

it('keeps a container once somebody types, under a name that it makes up', async () => {
  state().started();
  state().touch();
  state().touch();
  await expect.poll(() => state().keeping).toBe('kept');
  expect(state().name).toMatch(/^[a-z]+-[a-z]+$/);
  expect(session.keep.mock.calls).toEqual([[state().name]]);
  expect(state().isNoticed).toBe(false);
  expect(persist).toHaveBeenCalledOnce();
});

it('waits for the program if somebody types before it runs', async () => {
  state().touch();
  expect(session.keep).not.toHaveBeenCalled();
  state().started();
  await expect.poll(() => state().keeping).toBe('kept');
});

it('makes up another name if another tab has taken the first one', async () => {
  session.keep.mockRejectedValueOnce(new ContainerExistsError('taken'));
  state().started();
  await state().keep();
  expect(state().keeping).toBe('kept');
  expect(session.keep).toHaveBeenCalledTimes(2);
});

it('says why it cannot be kept, and tries again only when it is asked to', async () => {
  session.keep.mockRejectedValueOnce(new Error('no room'));
  state().started();
  state().touch();
  await expect.poll(() => state()).toMatchObject({ keeping: 'failed', problem: 'no room', name: undefined });
  state().touch();
  expect(session.keep).toHaveBeenCalledOnce();
  await state().keep();
  expect(state()).toMatchObject({ keeping: 'kept', problem: undefined });
});

it('keeps nothing against the will of its user, until that changes', async () => {
  state().started();
  await state().keep();
  await state().refuse();
  expect(session.unkeep).toHaveBeenCalledOnce();
  state().touch();
  expect(state()).toMatchObject({ keeping: 'refused', name: undefined });
  await state().keep();
  expect(state().keeping).toBe('kept');
});

it('knows a container that is kept already, and says nothing of it', () => {
  state().begin('amber-otter');
  expect(state()).toMatchObject({ keeping: 'kept', name: 'amber-otter', isNoticed: true });
  state().started();
  state().touch();
  expect(session.keep).not.toHaveBeenCalled();
});

it('ignores the answer about a container that was left', async () => {
  let answer = () => {};
  session.keep.mockReturnValueOnce(
    new Promise<void>((resolve) => {
      answer = resolve;
    }),
  );
  state().started();
  const keeping = state().keep();
  current.connection = undefined;
  state().begin();
  answer();
  await keeping;
  expect(state()).toMatchObject({ keeping: 'untouched', name: undefined });
});

it('has its name while it is being stored, and is stored once', async () => {
  let stored = () => {};
  session.keep.mockReturnValueOnce(
    new Promise<void>((resolve) => {
      stored = resolve;
    }),
  );
  state().started();
  state().touch();
  const asked = state().keep();
  expect(state().keeping).toBe('keeping');
  expect(session.keep.mock.calls).toEqual([[state().name]]);
  stored();
  await asked;
  expect(state().keeping).toBe('kept');
  expect(session.keep).toHaveBeenCalledOnce();
});

it('is not kept if its user says so while it is being stored', async () => {
  let stored = () => {};
  session.keep.mockReturnValueOnce(
    new Promise<void>((resolve) => {
      stored = resolve;
    }),
  );
  state().started();
  state().touch();
  const refused = state().refuse();
  stored();
  await refused;
  expect(state()).toMatchObject({ keeping: 'refused', name: undefined });
  expect(session.unkeep).toHaveBeenCalledOnce();
});
