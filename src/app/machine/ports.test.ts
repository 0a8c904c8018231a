import { expect, it } from 'vitest';
import { type PortChange, PortWatch } from '../../machine/port-watch.ts';
import { tellPorts } from './ports.ts';

it('tells of ports that open and close, but not of all that a container can open', async () => {
  const watch = new PortWatch(() => {});
  const told: PortChange[] = [];
  const telling = tellPorts(watch.watch(), (change) => told.push(change));
  watch.note({ port: 80, open: true });
  for (let round = 0; round < 3; round++)
    for (const open of [true, false]) for (let port = 1000; port < 60_000; port++) watch.note({ port, open });
  for (let port = 1000; port < 60_000; port++) watch.note({ port, open: true });
  watch.note({ port: 80, open: false });
  watch.end();
  await telling;
  expect(told.length).toBeLessThan(70);
  const open = new Set<number>();
  for (const change of told) change.open ? open.add(change.port) : open.delete(change.port);
  expect(open.size).toBeGreaterThan(50);
  expect(open.has(80)).toBe(false);
});
