import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Connection } from '../machine/connection.ts';
import type { Hit, SearchRequest, SearchResult } from '../machine/search.ts';
import { current } from './connection.ts';
import { useSearch } from './search.ts';

const hit = (path: string): Hit => ({ path, line: 1, column: 0, excerpt: 'text' });
const search =
  vi.fn<(job: number, request: SearchRequest, onHits: (hits: Hit[]) => void) => Promise<SearchResult>>();
const cancel = vi.fn<(job: number) => void>();
const state = () => useSearch.getState();

beforeEach(() => {
  search.mockReset();
  cancel.mockReset();
  current.connection = { session: { files: { search, cancel } } } as unknown as Connection;
  state().reset();
  state().show('/srv');
  state().setText('text');
});
afterEach(() => {
  current.connection = undefined;
});

it('shows what is found as it comes, and what was left out', async () => {
  search.mockImplementation(async (_job, request, onHits) => {
    expect(request).toEqual({ folder: '/srv', text: 'text', matchesCase: false });
    onHits([hit('/a')]);
    expect(state()).toMatchObject({ state: 'running', hits: [hit('/a')] });
    onHits([hit('/b')]);
    return { isCut: true, skipped: 2 };
  });
  await state().start();
  expect(state()).toMatchObject({ state: 'done', result: { isCut: true, skipped: 2 } });
  expect(state().hits).toHaveLength(2);
});

it('says why it failed', async () => {
  search.mockRejectedValue(new Error('cannot list /srv: no such file or directory'));
  await state().start();
  expect(state()).toMatchObject({ state: 'failed', problem: expect.stringContaining('cannot list /srv') });
});

it('ends a search when it is cancelled or another one starts, and ignores what still comes', async () => {
  const calls: { job: number; onHits: (hits: Hit[]) => void; end: (result: SearchResult) => void }[] = [];
  search.mockImplementation(
    (job, _request, onHits) => new Promise((end) => calls.push({ job, onHits, end })),
  );
  const first = state().start();
  const second = state().start();
  expect(cancel).toHaveBeenCalledWith(calls[0]?.job);
  calls[0]?.onHits([hit('/old')]);
  calls[0]?.end({ isCut: false, skipped: 0 });
  await first;
  expect(state()).toMatchObject({ state: 'running', hits: [] });
  state().cancel();
  expect(cancel).toHaveBeenCalledWith(calls[1]?.job);
  calls[1]?.end({ isCut: false, skipped: 0 });
  await second;
  expect(state().state).toBe('cancelled');
});
