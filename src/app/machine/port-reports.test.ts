import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { PortChange } from '../../api/public.ts';
import { PortReports } from './port-reports.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function reporting() {
  const told: PortChange[] = [];
  const reports = new PortReports((change) => told.push(change));
  return { told, reports };
}

it('tells of a port at once, and of the next ones soon', () => {
  const { told, reports } = reporting();
  for (const port of [80, 81]) reports.note({ port, open: true });
  expect(told).toEqual([{ port: 80, open: true }]);
  vi.advanceTimersByTime(20);
  expect(told).toEqual([80, 81].map((port) => ({ port, open: true })));
  reports.note({ port: 80, open: false });
  vi.advanceTimersByTime(20);
  expect(told[2]).toEqual({ port: 80, open: false });
});

it('tells of ports that open and close, but not of all that a container can open', () => {
  const { told, reports } = reporting();
  reports.note({ port: 80, open: true });
  for (let round = 0; round < 3; round++)
    for (const open of [true, false])
      for (let port = 1000; port < 60_000; port++) reports.note({ port, open });
  for (let port = 1000; port < 60_000; port++) reports.note({ port, open: true });
  reports.note({ port: 80, open: false });
  vi.runAllTimers();
  expect(told.length).toBeLessThan(70);
  const open = new Set<number>();
  for (const change of told) change.open ? open.add(change.port) : open.delete(change.port);
  expect(open.size).toBe(64);
  expect(open.has(80)).toBe(false);
});

it('tells of a port that waited until others closed', () => {
  const { told, reports } = reporting();
  for (let port = 1; port <= 65; port++) reports.note({ port, open: true });
  vi.runAllTimers();
  expect(told).toHaveLength(64);
  reports.note({ port: 1, open: false });
  vi.runAllTimers();
  expect(told.slice(64)).toEqual([
    { port: 1, open: false },
    { port: 65, open: true },
  ]);
});

it('tells nothing after the end', () => {
  const { told, reports } = reporting();
  for (const port of [80, 81]) reports.note({ port, open: true });
  reports.end();
  vi.runAllTimers();
  expect(told).toHaveLength(1);
});
