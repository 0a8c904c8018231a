import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PLIC_CLAIMED, PLIC_LEVEL, PLIC_START } from '../../layout.ts';
import { Board, hartBlock } from './board.ts';
import { compileCore } from './core.ts';

const MEIP = 1 << 11;
const SEIP = 1 << 9;
const PENDING = PLIC_START + 0x1000;
const priority = (source: number) => PLIC_START + 4 * source;
const enable = (context: number) => PLIC_START + 0x2000 + 0x80 * context;
const threshold = (context: number) => PLIC_START + 0x20_0000 + 0x1000 * context;
const claim = (context: number) => threshold(context) + 4;

let module: WebAssembly.Module;
let board: Board;
beforeAll(async () => {
  module = await compileCore();
});
beforeEach(() => {
  board = new Board(module, 2);
});

/** Lets `source` interrupt `context` with a priority. */
function route(context: number, source: number, level: number) {
  board.write(priority(source), level);
  board.write(enable(context), board.read(enable(context)) | (1 << source));
}

describe('registers', () => {
  test('priorities and thresholds keep three bits, source 0 keeps none', () => {
    for (let source = 0; source < 32; source++) {
      board.write(priority(source), 0xffff_fffc | source);
      expect(board.read(priority(source))).toBe(source === 0 ? 0 : 4 | (source & 3));
    }
    board.write(threshold(3), 0xff);
    expect(board.read(threshold(3))).toBe(7);
  });

  test('enables are separate for each context; source 0 cannot be enabled', () => {
    board.write(enable(1), 0xffff_ffff);
    expect([0, 1, 2, 3].map((context) => board.read(enable(context)))).toEqual([0, 0xffff_fffe, 0, 0]);
  });

  test('absent registers read as zero and ignore writes', () => {
    const absent = [
      priority(32),
      PENDING + 4,
      enable(1) + 4,
      enable(4),
      threshold(4),
      claim(4),
      claim(0) + 4,
    ];
    for (const pa of absent) {
      board.write(pa, 0xffff_ffff);
      expect(board.read(pa)).toBe(0);
    }
  });

  test.each([1, 2, 8])('an access of %i bytes faults', (size) => {
    expect(() => board.read(priority(0), size)).toThrow('access fault');
    expect(() => board.write(priority(0), 0, size)).toThrow('access fault');
  });
});

describe('interrupts', () => {
  test('contexts 2n and 2n + 1 are M and S of hart n', () => {
    board.core.plicRaise(5);
    const seen = [0, 1, 2, 3].map((context) => {
      route(context, 5, 1);
      const bits = [board.external(0), board.external(1)];
      board.write(enable(context), 0);
      return bits;
    });
    expect(seen).toEqual([
      [MEIP, 0],
      [SEIP, 0],
      [0, MEIP],
      [0, SEIP],
    ]);
  });

  test('need a priority above the threshold, and above 0', () => {
    board.core.plicRaise(5);
    route(1, 5, 0);
    expect(board.external(0)).toBe(0);
    board.write(priority(5), 3);
    for (let level = 0; level < 8; level++) {
      board.write(threshold(1), level);
      expect(board.external(0)).toBe(level < 3 ? SEIP : 0);
    }
  });

  test('a line that falls before the claim is no longer pending', () => {
    route(1, 5, 1);
    board.core.plicRaise(5);
    expect(board.read(PENDING)).toBe(1 << 5);
    board.core.plicLower(5);
    expect(board.read(PENDING)).toBe(0);
    expect(board.external(0)).toBe(0);
    expect(board.read(claim(1))).toBe(0);
  });

  test('lines set by other threads count', () => {
    route(1, 8, 1);
    Atomics.or(board.words, PLIC_LEVEL / 4, 1 << 8);
    expect(board.external(0)).toBe(SEIP);
    expect(board.read(claim(1))).toBe(8);
  });
});

describe('claim and complete', () => {
  test('goes by priority, then by number', () => {
    for (const [source, level] of [
      [31, 2],
      [3, 2],
      [9, 7],
      [4, 1],
      [6, 0],
    ] as const) {
      route(1, source, level);
      board.core.plicRaise(source);
    }
    expect([1, 2, 3, 4, 5].map(() => board.read(claim(1)))).toEqual([9, 3, 31, 4, 0]);
  });

  test('ignores the threshold', () => {
    route(1, 5, 1);
    board.write(threshold(1), 7);
    board.core.plicRaise(5);
    expect(board.external(0)).toBe(0);
    expect(board.read(claim(1))).toBe(5);
  });

  test('a claimed source does not interrupt until it is completed, then again while its line is up', () => {
    route(1, 5, 1);
    route(3, 5, 1);
    board.core.plicRaise(5);
    expect(board.read(claim(1))).toBe(5);
    expect([board.external(0), board.external(1), board.read(PENDING), board.read(claim(3))]).toEqual([
      0, 0, 0, 0,
    ]);
    const wakes = board.wakes(1);
    board.write(claim(1), 5);
    expect([board.external(0), board.external(1)]).toEqual([SEIP, SEIP]);
    expect(board.wakes(1)).toBeGreaterThan(wakes);
    expect(board.read(claim(3))).toBe(5);
    board.core.plicLower(5);
    board.write(claim(3), 5);
    expect([board.external(0), board.external(1), board.get(PLIC_CLAIMED)]).toEqual([0, 0, 0]);
  });

  test('ignores completion of no source, or of one that is not enabled for the context', () => {
    route(1, 5, 1);
    board.core.plicRaise(5);
    board.read(claim(1));
    board.write(claim(3), 5);
    board.write(claim(1), 5 + 32);
    board.write(claim(1), 0xffff_ffff);
    board.write(claim(1), 0);
    expect(board.get(PLIC_CLAIMED)).toBe(1 << 5);
    board.write(claim(1), 5);
    expect(board.get(PLIC_CLAIMED)).toBe(0);
  });

  test.each(['priority', 'enable', 'threshold'])('a change of %s wakes the harts', (what) => {
    board.core.plicRaise(5);
    route(1, 5, what === 'priority' ? 0 : 1);
    board.write(threshold(1), what === 'threshold' ? 7 : 0);
    if (what === 'enable') board.write(enable(1), 0);
    expect(board.external(0)).toBe(0);
    const wakes = board.wakes(0);
    if (what === 'priority') board.write(priority(5), 1);
    if (what === 'threshold') board.write(threshold(1), 0);
    if (what === 'enable') board.write(enable(1), 1 << 5);
    expect(board.external(0)).toBe(SEIP);
    expect(board.wakes(0)).toBeGreaterThan(wakes);
  });
});

test('parallel harts never claim the same source twice', async () => {
  const rounds = 20_000;
  board = new Board(module, 3);
  for (let source = 1; source < 32; source++) {
    for (let hart = 0; hart < 3; hart++) route(2 * hart + 1, source, source & 7 || 1);
    board.core.plicRaise(source);
  }
  const owners = board.ramBase;
  const total = owners + 4 * 32;
  const body = `
    for (let round = 0; round < data.rounds; round++) {
      const source = Number(core.busRead(data.hart, data.claim, 4));
      if (source === 0) continue;
      if (Atomics.add(words, data.owners / 4 + source, 1) !== 0) throw new Error('claimed twice: ' + source);
      Atomics.add(words, data.total / 4, 1);
      Atomics.sub(words, data.owners / 4 + source, 1);
      core.busWrite(data.hart, data.claim, 4, BigInt(source));
    }`;
  await Promise.all(
    [0, 1, 2].map((hart) =>
      board.thread(body, {
        rounds,
        hart: hartBlock(hart),
        claim: BigInt(claim(2 * hart + 1)),
        owners,
        total,
      }),
    ),
  );
  expect(board.get(total)).toBe(3 * rounds);
  expect(board.get(PLIC_CLAIMED)).toBe(0);
});
