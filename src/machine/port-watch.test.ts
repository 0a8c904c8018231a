import { beforeEach, expect, test } from 'vitest';
import { type PortChange, PortWatch } from './port-watch.ts';

let watch: PortWatch;
let calls: boolean[];

beforeEach(() => {
  calls = [];
  watch = new PortWatch((watched) => calls.push(watched));
});

const open = (port: number) => watch.note({ port, open: true });
const close = (port: number) => watch.note({ port, open: false });

async function take(reader: ReadableStreamDefaultReader<PortChange>, count: number): Promise<string[]> {
  const changes: string[] = [];
  while (changes.length < count) {
    const { value } = await reader.read();
    changes.push(value ? `${value.open ? '+' : '-'}${value.port}` : 'end');
  }
  return changes;
}

test('tells the open ports, then changes', async () => {
  open(80);
  open(443);
  close(80);
  const reader = watch.watch().getReader();
  expect(await take(reader, 1)).toEqual(['+443']);
  const later = take(reader, 2);
  open(80);
  close(443);
  expect(await later).toEqual(['+80', '-443']);
});

test('ignores what is no change, and what nobody has seen', async () => {
  const reader = watch.watch().getReader();
  close(9);
  open(1);
  open(1);
  open(2);
  close(2);
  open(3);
  expect(await take(reader, 2)).toEqual(['+1', '+3']);
  close(1);
  open(1);
  close(3);
  expect(await take(reader, 1)).toEqual(['-3']);
});

test('keeps no more than all ports for a watcher that does not look', async () => {
  const reader = watch.watch().getReader();
  for (let round = 0; round < 3; round++) {
    for (let port = 1; port < 1000; port++) open(port);
    for (let port = 1; port < 1000; port++) close(port);
  }
  open(1000);
  expect(await take(reader, 1)).toEqual(['+1000']);
});

test('has the guest look only while somebody watches', async () => {
  expect(calls).toEqual([]);
  const [one, two] = [watch.watch().getReader(), watch.watch().getReader()];
  expect(calls).toEqual([true]);
  const waiting = one.read();
  await one.cancel();
  expect(await waiting).toMatchObject({ done: true });
  expect(calls).toEqual([true]);
  await two.cancel();
  expect(calls).toEqual([true, false]);
  await watch.watch().cancel();
  expect(calls).toEqual([true, false, true, false]);
});

test('ends after what is left to tell', async () => {
  const [one, two] = [watch.watch().getReader(), watch.watch().getReader()];
  const waiting = take(two, 2);
  open(80);
  watch.end();
  expect(await take(one, 2)).toEqual(['+80', 'end']);
  expect(await waiting).toEqual(['+80', 'end']);
  expect(await take(watch.watch().getReader(), 2)).toEqual(['+80', 'end']);
});
