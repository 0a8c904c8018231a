import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  H_IPI,
  H_PRIVATE,
  H_REQUEST,
  H_RUN,
  H_START_A1,
  H_START_PC,
  H_STIMECMP,
  M_EXIT_CODE,
  M_POWER,
  PAGE_DIRTY,
  PAGE_WRITTEN,
  POWER_FAIL,
  POWER_OFF,
  POWER_REBOOT,
  POWER_RUNNING,
  RAM_START,
  REQUEST_FENCE_I,
  REQUEST_SFENCE,
  RUN_SLEEPING,
  RUN_START_PENDING,
  RUN_STARTED,
  RUN_STOPPED,
} from '../../layout.ts';
import { Board, hartBlock, RAM_SIZE } from './board.ts';
import { compileCore } from './core.ts';

const BASE = 0x10;
const TIME = 0x5449_4d45;
const IPI = 0x0073_5049;
const RFENCE = 0x5246_4e43;
const HSM = 0x0048_534d;
const SRST = 0x5352_5354;
const DBCN = 0x4442_434e;
const LEGACY = [0, 1, 2, 8];

const OK = 0;
const NOT_SUPPORTED = -2;
const INVALID_PARAM = -3;
const INVALID_ADDRESS = -5;
const ALREADY_AVAILABLE = -6;

const SSIP = 2;
const ALL = -1n;
const MAX = 2n ** 64n - 1n;
const HARTS = 3;

let module: WebAssembly.Module;
let board: Board;
beforeAll(async () => {
  module = await compileCore();
});
beforeEach(() => {
  board = new Board(module, HARTS);
});

const call = (extension: number, func: number, ...args: (number | bigint)[]) =>
  board.sbi(0, extension, func, ...args);
const perHart = (word: number) => [0, 1, 2].map((id) => board.get(hartBlock(id) + word));
const setRun = (id: number, run: number) => board.set(hartBlock(id) + H_RUN, run);

describe('base', () => {
  test('reports specification 2.0, an implementation, and machine ids', () => {
    expect(call(BASE, 0)).toEqual({ error: OK, value: 0x0200_0000n });
    for (const func of [1, 2]) expect(call(BASE, func).value).toBeGreaterThan(0n);
    for (const func of [4, 5, 6]) expect(call(BASE, func)).toEqual({ error: OK, value: 0n });
  });

  test('probes extensions', () => {
    const here = [...LEGACY, BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN];
    for (const extension of here) expect(call(BASE, 3, extension)).toEqual({ error: OK, value: 1n });
    for (const extension of [3, 4, 7, 9, 0x11, 0x504d_55, 0x5355_5350, 0xffff_ffff]) {
      expect(call(BASE, 3, extension)).toEqual({ error: OK, value: 0n });
    }
  });

  test('rejects unknown calls, which change neither power nor other registers', () => {
    for (const [extension, func] of [
      [0x11, 0],
      [0x0a00_0000, 0],
      [0xffff_ffff, 0],
      [BASE, 7],
      [TIME, 1],
      [IPI, 1],
      [RFENCE, 3],
      [RFENCE, 6],
      [HSM, 4],
      [SRST, 1],
      [DBCN, 3],
      [DBCN, 0x8000_0000],
    ] as const) {
      expect(call(extension, func, 0, 0, 0)).toEqual({ error: NOT_SUPPORTED, value: 0n });
    }
    expect(board.get(M_POWER)).toBe(POWER_RUNNING);
  });
});

test('set_timer sets stimecmp of the caller', () => {
  expect(board.sbi(1, TIME, 0, 0x1234_5678_9abc_def0n).error).toBe(OK);
  expect([0, 1].map((id) => board.get64(hartBlock(id) + H_STIMECMP))).toEqual([0n, 0x1234_5678_9abc_def0n]);
});

describe('hart masks', () => {
  test.each([
    ['one', 0b10n, 0n, [0, SSIP, 0]],
    ['from a base', 0b11n, 1n, [0, SSIP, SSIP]],
    ['all, by base -1', 0n, ALL, [SSIP, SSIP, SSIP]],
    ['none', 0n, 2n, [0, 0, 0]],
  ])('send_ipi to %s', (_name, mask, base, expected) => {
    const before = [0, 1, 2].map((id) => board.wakes(id));
    expect(call(IPI, 0, mask, base)).toEqual({ error: OK, value: 0n });
    expect(perHart(H_IPI)).toEqual(expected);
    expect([0, 1, 2].map((id) => board.wakes(id) - (before[id] as number))).toEqual(
      expected.map((bit) => bit / SSIP),
    );
  });

  test.each([
    [1n << 3n, 0n],
    [0b1001n, 0n],
    [1n, 3n],
    [0n, 3n],
    [0b100n, 1n],
    [1n << 63n, 0n],
    [1n << 63n, 2n],
    [1n, MAX - 1n],
    [MAX, 0n],
    [1n, 1n << 63n],
    [1n, 1n << 32n],
  ])('mask %x from base %x names a hart that does not exist', (mask, base) => {
    expect(call(IPI, 0, mask, base)).toEqual({ error: INVALID_PARAM, value: 0n });
    expect(call(RFENCE, 1, mask, base, 0, MAX)).toEqual({ error: INVALID_PARAM, value: 0n });
    expect([perHart(H_IPI), perHart(H_REQUEST), perHart(H_PRIVATE)]).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });
});

describe('remote fences', () => {
  test.each([
    [0, REQUEST_FENCE_I],
    [1, REQUEST_SFENCE],
    [2, REQUEST_SFENCE],
  ])('function %i runs at once here and waits in the mailbox of harts that do not run', (func, request) => {
    setRun(1, RUN_SLEEPING);
    setRun(2, RUN_STOPPED);
    const wakes = board.wakes(1);
    expect(call(RFENCE, func, 0b111, 0, 0x1000, 0x2000, 5)).toEqual({ error: OK, value: 0n });
    expect(perHart(H_PRIVATE)).toEqual([request, 0, 0]);
    expect(perHart(H_REQUEST)).toEqual([0, request, request]);
    expect(board.wakes(1)).toBe(wakes + 1);
  });

  test('return after a running hart has served them', async () => {
    setRun(2, RUN_STOPPED);
    const served = board.thread(
      `while (Atomics.load(words, data.request) === 0) Atomics.wait(words, data.never, 0, 1);
       Atomics.wait(words, data.never, 0, 50);
       Atomics.store(words, data.served, 1);
       Atomics.store(words, data.request, 0);`,
      { request: (hartBlock(1) + H_REQUEST) / 4, served: board.ramBase / 4, never: board.ramBase / 4 + 1 },
    );
    expect(call(RFENCE, 0, 0b010, 0).error).toBe(OK);
    expect(board.get(board.ramBase)).toBe(1);
    expect(board.get(hartBlock(0) + H_PRIVATE)).toBe(0);
    await served;
  });

  test('end when the hart goes to sleep, or the machine powers off', async () => {
    for (const [word, value] of [
      [hartBlock(1) + H_RUN, RUN_SLEEPING],
      [M_POWER, POWER_OFF],
    ] as const) {
      setRun(1, RUN_STARTED);
      const other = board.thread(
        `while (Atomics.load(words, data.request) === 0) Atomics.wait(words, data.never, 0, 1);
         Atomics.wait(words, data.never, 0, 20);
         Atomics.store(words, data.word, data.value);`,
        { request: (hartBlock(1) + H_REQUEST) / 4, never: board.ramBase / 4, word: word / 4, value },
      );
      expect(call(RFENCE, 1, 0b010, 0, 0, MAX).error).toBe(OK);
      expect(board.get(hartBlock(1) + H_REQUEST)).toBe(REQUEST_SFENCE);
      await other;
      board.set(hartBlock(1) + H_REQUEST, 0);
    }
  });

  test('harts that ask each other do not wait forever', async () => {
    const body = `
      const x = (data.hart + data.x) / 8;
      const registers = new BigInt64Array(words.buffer);
      for (let round = 0; round < 500; round++) {
        registers.set([0n, -1n, 0n, -1n], x + 10);
        registers.set([BigInt(round % 3), data.extension], x + 16);
        core.sbiCall(data.hart);
        if (registers[x + 10] !== 0n) throw new Error('error ' + registers[x + 10]);
      }
      Atomics.store(words, (data.hart + data.run) / 4, data.sleeping);`;
    const data = { x: 0, run: H_RUN, sleeping: RUN_SLEEPING, extension: BigInt(RFENCE) };
    await Promise.all([0, 1, 2].map((id) => board.thread(body, { ...data, hart: hartBlock(id) })));
    expect(perHart(H_PRIVATE)).toEqual([3, 3, 3]);
  });
});

describe('hart state', () => {
  test('start gives a stopped hart its pc and argument', () => {
    setRun(1, RUN_STOPPED);
    const wakes = board.wakes(1);
    expect(call(HSM, 2, 1)).toEqual({ error: OK, value: 1n });
    expect(call(HSM, 0, 1, RAM_START + 0x2002, 0xfedc_ba98_7654_3210n)).toEqual({ error: OK, value: 0n });
    expect(board.get64(hartBlock(1) + H_START_PC)).toBe(BigInt(RAM_START + 0x2002));
    expect(board.get64(hartBlock(1) + H_START_A1)).toBe(0xfedc_ba98_7654_3210n);
    expect(board.get(hartBlock(1) + H_RUN)).toBe(RUN_START_PENDING);
    expect(board.wakes(1)).toBe(wakes + 1);
    expect(call(HSM, 2, 1)).toEqual({ error: OK, value: 2n });
    expect(call(HSM, 0, 1, RAM_START, 0)).toEqual({ error: ALREADY_AVAILABLE, value: 0n });
    expect(board.get64(hartBlock(1) + H_START_PC)).toBe(BigInt(RAM_START + 0x2002));
  });

  test('a running or sleeping hart counts as started', () => {
    setRun(1, RUN_SLEEPING);
    for (const id of [0, 1]) {
      expect(call(HSM, 2, id)).toEqual({ error: OK, value: 0n });
      expect(call(HSM, 0, id, RAM_START, 0).error).toBe(ALREADY_AVAILABLE);
    }
  });

  test.each([0, 2, RAM_START - 2, RAM_START + 1, RAM_START + RAM_SIZE, MAX - 1n])(
    'no hart starts at %i',
    (pc) => {
      setRun(1, RUN_STOPPED);
      expect(call(HSM, 0, 1, pc, 0)).toEqual({ error: INVALID_ADDRESS, value: 0n });
      expect(board.get(hartBlock(1) + H_RUN)).toBe(RUN_STOPPED);
    },
  );

  test.each([3n, 8n, 1n << 32n, (1n << 32n) + 1n, MAX])('there is no hart %i', (id) => {
    expect(call(HSM, 0, id, RAM_START, 0)).toEqual({ error: INVALID_PARAM, value: 0n });
    expect(call(HSM, 2, id)).toEqual({ error: INVALID_PARAM, value: 0n });
  });

  test('stop stops the caller, whose mailbox keeps further requests', () => {
    board.sbi(1, HSM, 1);
    expect(perHart(H_RUN)).toEqual([RUN_STARTED, RUN_STOPPED, RUN_STARTED]);
    expect(call(RFENCE, 0, 0b010, 0).error).toBe(OK);
    expect(board.get(hartBlock(1) + H_REQUEST)).toBe(REQUEST_FENCE_I);
  });

  test('suspend supports the default retentive type only', () => {
    expect(call(HSM, 3, 0, 0, 0)).toEqual({ error: OK, value: 0n });
    expect(call(HSM, 3, 0x8000_0000, RAM_START, 0).error).toBe(NOT_SUPPORTED);
    for (const type of [1, 0x1000_0000, 0x8000_0001, 0xffff_ffff]) {
      expect(call(HSM, 3, type, RAM_START, 0).error).toBe(INVALID_PARAM);
    }
  });

  test('when several harts start the same one, exactly one succeeds, with its own pc and argument', async () => {
    const body = `
      const x = (data.hart + data.x) / 8;
      const registers = new BigInt64Array(words.buffer);
      for (let round = 1; round <= data.rounds; round++) {
        while (Atomics.load(words, data.round) < round) Atomics.wait(words, data.round, round - 1);
        registers.set([2n, data.pc, data.pc], x + 10);
        registers.set([0n, data.extension], x + 16);
        core.sbiCall(data.hart);
        if (registers[x + 10] === 0n) Atomics.add(words, data.successes, 1);
        Atomics.add(words, data.calls, 1);
        Atomics.notify(words, data.calls);
      }`;
    const rounds = 500;
    const at = { round: board.ramBase / 4, successes: board.ramBase / 4 + 1, calls: board.ramBase / 4 + 2 };
    const starters = [0, 1].map((id) =>
      board.thread(body, {
        ...at,
        ...{
          rounds,
          x: 0,
          extension: BigInt(HSM),
          hart: hartBlock(id),
          pc: BigInt(RAM_START + 64 * (id + 1)),
        },
      }),
    );
    const referee = board.thread(
      `const registers = new BigInt64Array(words.buffer);
       for (let round = 1; round <= data.rounds; round++) {
         Atomics.store(words, data.run, data.stopped);
         Atomics.store(words, data.round, round);
         Atomics.notify(words, data.round);
         for (let calls; (calls = Atomics.load(words, data.calls)) < 2 * round; ) Atomics.wait(words, data.calls, calls);
         if (Atomics.load(words, data.successes) !== round) throw new Error('round ' + round);
         if (registers[data.pc] !== registers[data.a1]) throw new Error('mixed in round ' + round);
       }`,
      {
        ...at,
        rounds,
        run: (hartBlock(2) + H_RUN) / 4,
        stopped: RUN_STOPPED,
        pc: (hartBlock(2) + H_START_PC) / 8,
        a1: (hartBlock(2) + H_START_A1) / 8,
      },
    );
    await Promise.all([...starters, referee]);
    expect(board.get(board.ramBase + 4)).toBe(rounds);
  });
});

describe('system reset', () => {
  test.each([
    ['shutdown', 0, 0, POWER_OFF, 0],
    ['shutdown after a failure', 0, 1, POWER_FAIL, 1],
    ['cold reboot', 1, 0, POWER_REBOOT, 0],
    ['warm reboot after a failure', 2, 1, POWER_REBOOT, 0],
  ])('%s', (_name, type, reason, power, code) => {
    const wakes = board.wakes(2);
    call(SRST, 0, type, reason);
    expect([board.get(M_POWER), board.get(M_EXIT_CODE)]).toEqual([power, code]);
    expect(board.wakes(2)).toBeGreaterThan(wakes);
  });

  test.each([
    [3, 0],
    [0xf000_0000, 0],
    [0xffff_ffff, 0],
    [0, 2],
    [0, 0xe000_0000],
  ])('type %i, reason %i is invalid', (type, reason) => {
    expect(call(SRST, 0, type, reason)).toEqual({ error: INVALID_PARAM, value: 0n });
    expect(board.get(M_POWER)).toBe(POWER_RUNNING);
  });
});

describe('debug console', () => {
  const put = (offset: number, text: string) =>
    board.bytes.set(Buffer.from(text, 'latin1'), board.ramBase + offset);

  test('writes from RAM, after earlier output', () => {
    put(100, 'hello');
    call(DBCN, 2, 0x1_0000_0041n);
    expect(call(DBCN, 0, 5, RAM_START + 100, 0)).toEqual({ error: OK, value: 5n });
    expect(board.output).toEqual(['A', 'hello']);
  });

  test('writes up to the last byte of RAM, in pieces', () => {
    put(RAM_SIZE - 1, '!');
    let rest = RAM_SIZE;
    while (rest > 0) {
      const { error, value } = call(DBCN, 0, rest, RAM_START + RAM_SIZE - rest, 0);
      expect(error).toBe(OK);
      expect(value).toBeGreaterThan(0n);
      rest -= Number(value);
    }
    const all = board.output.join('');
    expect([all.length, all.at(-1)]).toEqual([RAM_SIZE, '!']);
  });

  test.each([
    ['before RAM', 1n, BigInt(RAM_START) - 1n, 0n],
    ['over the end', 2n, BigInt(RAM_START + RAM_SIZE) - 1n, 0n],
    ['behind the end', 1n, BigInt(RAM_START + RAM_SIZE), 0n],
    ['longer than RAM', BigInt(RAM_SIZE) + 1n, BigInt(RAM_START), 0n],
    ['wrapping round', MAX, BigInt(RAM_START) + 1n, 0n],
    ['wrapping round to RAM', 2n ** 63n, 2n ** 63n + BigInt(RAM_START), 0n],
    ['a device', 8n, 0x1000_0000n, 0n],
    ['with a high word', 1n, BigInt(RAM_START), 1n],
    ['at an address whose low word is in RAM', 1n, (1n << 32n) + BigInt(RAM_START), 0n],
  ])('neither writes nor reads %s', (_name, length, low, high) => {
    board.type('x');
    for (const func of [0, 1]) {
      expect(call(DBCN, func, length, low, high)).toEqual({ error: INVALID_PARAM, value: 0n });
    }
    expect(board.output).toEqual([]);
    expect(call(2, 0).error).toBe(0x78);
  });

  test('reads the available input, and marks the pages as written', () => {
    board.type('abc');
    const offset = 0x2000 - 1;
    expect(call(DBCN, 1, 2, RAM_START + offset, 0)).toEqual({ error: OK, value: 2n });
    expect(
      Buffer.from(board.bytes.slice(board.ramBase + offset - 1, board.ramBase + offset + 4)).toString(),
    ).toBe('\0ab\0\0');
    expect([...board.bytes.slice(board.pageFlags, board.pageFlags + 4)]).toEqual([
      0,
      PAGE_WRITTEN | PAGE_DIRTY,
      PAGE_WRITTEN | PAGE_DIRTY,
      0,
    ]);
    expect(call(DBCN, 1, RAM_SIZE, RAM_START, 0)).toEqual({ error: OK, value: 1n });
    expect(call(DBCN, 1, RAM_SIZE, RAM_START, 0)).toEqual({ error: OK, value: 0n });
  });

  test('a length of 0 writes and reads nothing', () => {
    board.type('x');
    for (const func of [0, 1]) expect(call(DBCN, func, 0, RAM_START, 0)).toEqual({ error: OK, value: 0n });
    expect(board.output).toEqual([]);
  });
});

describe('legacy', () => {
  test('the console calls keep a1', () => {
    expect(call(1, 0, 0x41, 77)).toEqual({ error: OK, value: 77n });
    board.core.uartFlush();
    expect(board.output).toEqual(['A']);
    board.type('\xff');
    expect(call(2, 0, 0, 77)).toEqual({ error: 0xff, value: 77n });
    expect(call(2, 0, 0, 77)).toEqual({ error: -1, value: 77n });
  });

  test('has timer and shutdown, and none of the others', () => {
    expect(call(0, 0, 5n).error).toBe(OK);
    expect(board.get64(hartBlock(0) + H_STIMECMP)).toBe(5n);
    for (const extension of [3, 4, 5, 6, 7, 9, 15]) expect(call(extension, 0, 0).error).toBe(NOT_SUPPORTED);
    expect(board.get(M_POWER)).toBe(POWER_RUNNING);
    call(8, 0);
    expect(board.get(M_POWER)).toBe(POWER_OFF);
  });
});
