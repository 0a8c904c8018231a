import { beforeEach, describe, expect, test } from 'vitest';
import {
  type LockHolder,
  type LockOwner,
  LockTable,
  type LockType,
  MAX_LOCKS_OF_FILE,
  MAX_QUIET,
  MAX_WAITING,
} from './locks.ts';
import { RemoteLocks, serveLocks } from './remote-locks.ts';

const process = (number: bigint): LockOwner => ({ kind: 'process', number });
const flock = (number: bigint): LockOwner => ({ kind: 'flock', number });
const [A, B] = [process(1n), process(2n)];
const ALL = { start: 0n, end: (1n << 63n) - 1n };
const range = (start: number, end: number) => ({ start: BigInt(start), end: BigInt(end) });
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

let table: LockTable;
let one: LockHolder;
let other: LockHolder;
let ends: (() => void)[];

/** A machine whose server is at the other end of a port. */
function addMachine(): LockHolder {
  const { port1, port2 } = new MessageChannel();
  ends.push(serveLocks(table, port1));
  (port2 as unknown as { unref(): void }).unref();
  return new RemoteLocks(port2);
}

beforeEach(() => {
  table = new LockTable();
  ends = [];
  [one, other] = [addMachine(), addMachine()];
});

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'has it',
    (error: { code: string }) => error.code,
  );
const lock = (holder: LockHolder, owner: LockOwner, at = ALL, type: LockType = 'write', wait?: number) =>
  code(holder.lock('f', owner, at, type, wait));

test('keeps others away from what a lock covers', async () => {
  expect(await lock(one, A, range(10, 19))).toBe('has it');
  expect(await lock(one, B, range(19, 19), 'read')).toBe('EAGAIN');
  // The same number in another machine is another process.
  expect(await lock(other, A, range(0, 10))).toBe('EAGAIN');
  expect(await lock(other, A, range(0, 9))).toBe('has it');
  expect(await lock(other, flock(1n), range(0, 20))).toBe('has it');
  expect(await code(other.lock('g', A, range(10, 19), 'write'))).toBe('has it');
  expect(await other.find('f', B, range(0, 50), 'read')).toEqual({ type: 'write', ...range(10, 19) });
});

test('splits, joins and changes ranges of an owner', async () => {
  await lock(one, A, range(0, 99));
  await lock(one, A, range(40, 59), 'read');
  await one.unlock('f', A, range(45, 49));
  const held = async (at: number) => (await other.find('f', B, range(at, at), 'write'))?.type;
  expect(await Promise.all([0, 39, 40, 44, 45, 49, 50, 59, 60, 99, 100].map(held))).toEqual([
    ...['write', 'write', 'read', 'read', undefined, undefined, 'read', 'read', 'write', 'write', undefined],
  ]);
  await lock(one, A, range(40, 59));
  expect(await other.find('f', B, range(0, 0), 'read')).toEqual({ type: 'write', ...range(0, 99) });
});

test('gives a lock to the first of those that wait', async () => {
  await lock(one, A);
  const order: string[] = [];
  const wait = (holder: LockHolder, name: string, number: number) =>
    lock(holder, process(BigInt(number)), ALL, 'write', number).then((end) => order.push(`${name} ${end}`));
  const waits = [wait(other, 'other', 7), wait(one, 'one', 8), wait(other, 'interrupted', 9)];
  await settle();
  other.interrupt(9);
  await one.unlock('f', A, ALL);
  await settle();
  expect(order.sort()).toEqual(['interrupted EINTR', 'other has it']);
  await other.unlock('f', process(7n), ALL);
  await Promise.all(waits);
  expect(order[2]).toBe('one has it');
});

test('gives a lock once nothing keeps it away, in whichever order that goes', async () => {
  await one.lock('f', A, range(0, 9), 'write');
  await one.lock('f', B, range(20, 29), 'read');
  await one.lock('f', A, range(40, 49), 'write');
  let end = 'waits';
  void lock(other, A, ALL, 'write', 1).then((text) => {
    end = text;
  });
  const steps = [
    { owner: B, at: ALL },
    { owner: A, at: range(40, 44) },
    { owner: A, at: range(0, 9) },
  ];
  for (const { owner, at } of steps) {
    await one.unlock('f', owner, at);
    await settle();
    expect(end).toBe('waits');
  }
  await one.unlock('f', A, range(45, 49));
  await settle();
  expect(end).toBe('has it');
});

test('lets go of the locks and waits of a machine that ends', async () => {
  await lock(one, A, range(0, 9));
  await lock(other, A, range(10, 19));
  const waiting = other.lock('f', B, range(0, 0), 'write', 1);
  const never = lock(one, B, range(10, 19), 'write', 1);
  await settle();
  ends[0]?.();
  // What it had locked may have changed.
  expect(await waiting).toBe(true);
  await other.unlock('f', A, ALL);
  expect(await Promise.race([never, settle()])).toBeUndefined();
  expect(await lock(other, A, range(10, 19))).toBe('has it');
});

describe('a wait that would never end', () => {
  const inTurns = async (first: LockOwner, second: LockOwner) => {
    await lock(one, first, range(0, 0));
    await lock(other, second, range(1, 1));
    void lock(other, second, range(0, 0), 'write', 1);
    await settle();
    return Promise.race([lock(one, first, range(1, 1), 'write', 1), settle()]);
  };

  test('of processes in two machines is a deadlock', async () => {
    expect(await inTurns(A, B)).toBe('EDEADLK');
  });

  test('of open files waits', async () => {
    const open = (number: bigint): LockOwner => ({ kind: 'open-file', number });
    expect(await inTurns(open(1n), open(2n))).toBeUndefined();
  });

  test('by a change to a lock to write is a deadlock', async () => {
    await lock(one, A, ALL, 'read');
    await lock(other, B, ALL, 'read');
    const changing = lock(one, A, ALL, 'write', 1);
    await settle();
    expect(await lock(other, B, ALL, 'write', 1)).toBe('EDEADLK');
    await other.unlock('f', B, ALL);
    expect(await changing).toBe('has it');
  });
});

test('gives up a lock of flock that is changed, even in vain', async () => {
  await lock(one, flock(1n), ALL, 'read');
  await lock(other, flock(1n), ALL, 'read');
  expect(await lock(one, flock(1n))).toBe('EAGAIN');
  expect(await lock(other, flock(1n))).toBe('has it');
});

test('tells a machine that another one has had the file', async () => {
  const take = async (holder: LockHolder, type: LockType) => {
    const changed = await holder.lock('f', A, ALL, type);
    await holder.unlock('f', A, ALL);
    return changed;
  };
  // Nobody has changed a file that nobody has had.
  expect([await take(one, 'write'), await take(one, 'write')]).toEqual([false, false]);
  expect([await take(other, 'read'), await take(one, 'write')]).toEqual([true, false]);
  expect([await take(other, 'read'), await take(other, 'write')]).toEqual([true, false]);
  expect(await take(one, 'read')).toBe(true);
  // While both have ranges of the file, one may give up a range that it has written.
  await one.lock('f', A, range(0, 0), 'write');
  await other.lock('f', A, range(1, 1), 'write');
  await one.unlock('f', A, range(0, 0));
  expect(await other.lock('f', A, range(0, 0), 'write')).toBe(true);
});

test('does not forget that files have changed', async () => {
  const take = async (holder: LockHolder, file: string) => {
    const changed = await holder.lock(file, A, ALL, 'write');
    await holder.unlock(file, A, ALL);
    return changed;
  };
  const [first, second] = [table.addHolder(), table.addHolder()];
  await take(first, 'f');
  for (let i = 0; i < MAX_QUIET; i++) await take(first, `${i}`);
  expect([await take(first, 'new'), await take(second, 'newer'), await take(second, 'f')]).toEqual([
    ...[false, true, true],
  ]);
});

test('has bounds for each machine', async () => {
  for (let i = 0; i < MAX_LOCKS_OF_FILE; i++) await lock(one, A, range(2 * i, 2 * i));
  expect(await lock(one, A, range(1 << 20, 1 << 20))).toBe('ENOLCK');
  expect(await lock(one, A, range(0, 1 << 20))).toBe('has it');
  await other.lock('g', A, ALL, 'write');
  const waits = Array.from({ length: MAX_WAITING + 1 }, (_, i) => code(one.lock('g', A, ALL, 'write', i)));
  expect(await waits[MAX_WAITING]).toBe('ENOLCK');
  await other.unlock('g', A, ALL);
  expect(new Set(await Promise.all(waits))).toEqual(new Set(['has it', 'ENOLCK']));
});
