import { expect, it, vi } from 'vitest';
import type { SaveRequest } from './saver.ts';
import { SaverPool } from './saver-pool.ts';

const REQUEST = {} as SaveRequest;

function makePool() {
  const started: { save: ReturnType<typeof vi.fn>; terminate: ReturnType<typeof vi.fn> }[] = [];
  const pool = new SaverPool({
    workers: 2,
    startSaver() {
      const worker = { save: vi.fn(async () => ({})), load: vi.fn(), terminate: vi.fn() };
      started.push(worker);
      return worker as never;
    },
  });
  return { pool, started };
}

it('starts its workers at once, and uses them again', async () => {
  const { pool, started } = makePool();
  expect(started).toHaveLength(2);
  for (let round = 0; round < 3; round++) {
    const savers = [pool.startSaver(), pool.startSaver()];
    for (const saver of savers) await saver.save(REQUEST);
    for (const saver of savers) saver.terminate();
  }
  expect(started).toHaveLength(2);
  expect(started.map(({ save }) => save.mock.calls.length)).toEqual([3, 3]);
});

it('ends workers that have failed or not answered, and all when it is closed', async () => {
  const { pool, started } = makePool();
  const [first, second] = [pool.startSaver(), pool.startSaver()];
  started[1]?.save.mockRejectedValueOnce(new Error('no room'));
  await expect(first.save(REQUEST)).rejects.toThrow('no room');
  started[0]?.save.mockReturnValueOnce(new Promise(() => {}));
  void second.save(REQUEST);
  first.terminate();
  second.terminate();
  expect(started.map(({ terminate }) => terminate.mock.calls.length)).toEqual([1, 1]);
  const third = pool.startSaver();
  expect(started).toHaveLength(3);
  pool.close();
  third.terminate();
  expect(started[2]?.terminate).toHaveBeenCalledOnce();
});
