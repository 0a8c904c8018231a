import { expect, test } from 'vitest';
import { H_REQUEST, H_RUN, RUN_STOPPED } from '../../layout.ts';
import { Board, hartBlock } from './board.ts';
import { compileCore } from './core.ts';
test('x', async () => {
  const board = new Board(await compileCore(), 3);
  board.set(hartBlock(2) + H_RUN, RUN_STOPPED);
  for (let i = 0; i < 5; i++) {
  board.set(board.ramBase, 0);
  const t0 = performance.now();
  const served = board.thread(
      `while (Atomics.load(words, data.request) === 0) {}
       Atomics.wait(words, data.never, 0, 50);
       Atomics.store(words, data.served, 1);
       Atomics.store(words, data.request, 0);`,
      { request: (hartBlock(1) + H_REQUEST) / 4, served: board.ramBase / 4, never: board.ramBase / 4 + 1 },
    );
  const r = board.sbi(0, 0x52464e43, 0, 2, 0);
  console.log(r, performance.now() - t0, board.get(board.ramBase), board.get(hartBlock(1) + H_REQUEST), board.get(hartBlock(1)+H_RUN));
  await served;
  console.log(board.get(board.ramBase), board.get(hartBlock(1) + H_REQUEST));
  }
});
