import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import {
  ACLINT_START,
  FINISHER_START,
  H_ID,
  H_IPI,
  H_MTIMECMP,
  H_RUN,
  H_WAKE,
  HART_STRIDE,
  HARTS,
  M_DOORBELLS,
  M_EXIT_CODE,
  M_POWER,
  M_TIME_OFFSET,
  PLIC,
  PLIC_START,
  POWER_RUNNING,
  Q_NUM,
  Q_NUM_MAX,
  RTC,
  RTC_START,
  UART,
  UART_START,
  V_CONFIG,
  V_CONFIG_GENERATION,
  V_CONFIG_SIZE,
  V_DEVICE_FEATURES,
  V_DEVICE_ID,
  V_DRIVER_FEATURES,
  V_INTERRUPT_STATUS,
  V_MAX_QUEUES,
  V_QUEUE_STRIDE,
  V_QUEUES,
  V_RESET,
  V_SOURCE,
  V_STATUS,
  VIRTIO,
  VIRTIO_FILE_SIZE,
  VIRTIO_SLOTS,
  VIRTIO_START,
  VIRTIO_STRIDE,
} from '../../layout.ts';
import { Board, hartBlock, RAM_SIZE } from './board.ts';
import { compileCore } from './core.ts';

let module: WebAssembly.Module;
beforeAll(async () => {
  module = await compileCore();
});

const HART_COUNT = 2;
const PRESENT_SLOTS = 3;

/** Addresses and lengths of the memory that devices may change when the guest accesses them. */
function ownedWords(): [number, number][] {
  const owned: [number, number][] = [
    [M_POWER, 8],
    [M_DOORBELLS, 8],
    [M_TIME_OFFSET, 8],
    [PLIC, UART - PLIC],
    [UART, RTC - UART],
    [RTC, 0x20],
  ];
  for (let slot = 0; slot < PRESENT_SLOTS; slot++) {
    const file = VIRTIO + slot * VIRTIO_FILE_SIZE;
    owned.push([file + V_STATUS, V_DEVICE_FEATURES - V_STATUS]);
    owned.push([file + V_DRIVER_FEATURES, V_CONFIG_GENERATION - V_DRIVER_FEATURES]);
    owned.push([file + V_RESET, 4], [file + V_CONFIG, V_CONFIG_SIZE]);
    for (let queue = 0; queue < V_MAX_QUEUES; queue++) {
      owned.push([file + V_QUEUES + queue * V_QUEUE_STRIDE + Q_NUM, V_QUEUE_STRIDE - Q_NUM]);
    }
  }
  for (let id = 0; id < HART_COUNT; id++) {
    owned.push([hartBlock(id) + H_IPI, 8], [hartBlock(id) + H_MTIMECMP, 8]);
  }
  return owned;
}

/** A machine with some devices. Patterns in guest RAM and in the hart blocks reveal stray writes. */
function guardedBoard(): Board {
  const board = new Board(module, HART_COUNT);
  for (let slot = 0; slot < PRESENT_SLOTS; slot++) {
    const file = VIRTIO + slot * VIRTIO_FILE_SIZE;
    board.set(file + V_DEVICE_ID, slot + 1);
    board.set(file + V_SOURCE, slot + 1);
    board.set(file + V_DEVICE_FEATURES, 0xffff_0000);
    board.set(file + V_DEVICE_FEATURES + 4, 1);
    for (let queue = 0; queue <= slot; queue++) {
      board.set(file + V_QUEUES + queue * V_QUEUE_STRIDE + Q_NUM_MAX, 64);
    }
  }
  for (let id = 0; id < HART_COUNT; id++) {
    const hart = hartBlock(id);
    for (let word = hart; word < hart + 0x1000; word += 4) {
      const meaningful = [H_ID, H_RUN, H_IPI, H_WAKE].includes(word - hart);
      if (!meaningful) board.set(word, 0x5a5a_5a5a);
    }
  }
  board.bytes.fill(0xa5, board.ramBase, board.ramBase + RAM_SIZE);
  board.onDoorbell = () => {
    for (let slot = 0; slot < VIRTIO_SLOTS; slot++) board.set(VIRTIO + slot * VIRTIO_FILE_SIZE + V_RESET, 0);
  };
  return board;
}

/**
 * Copies all memory except the bulk of the hart blocks, which nothing has touched and which must stay zero.
 */
function guarded(board: Board): Buffer {
  const harts = Array.from({ length: HART_COUNT }, (_, id) =>
    board.bytes.slice(hartBlock(id), hartBlock(id) + 0x1000),
  );
  const copy = Buffer.concat([board.bytes.slice(0, HARTS), ...harts, board.bytes.slice(board.pageFlags)]);
  for (const [start, length] of ownedWords()) {
    const id = start < HARTS ? 0 : Math.floor((start - HARTS) / HART_STRIDE);
    const at = start < HARTS ? start : HARTS + id * 0x1000 + ((start - HARTS) % HART_STRIDE);
    copy.fill(0, at, at + length);
  }
  return copy;
}

function bulkIsZero(board: Board): boolean {
  for (let id = 0; id < HART_COUNT; id++) {
    const end = (hartBlock(id) + HART_STRIDE) / 8;
    for (let i = (hartBlock(id) + 0x1000) / 8; i < end; i++) if (board.doubles[i] !== 0n) return false;
  }
  return true;
}

const within = (start: number, size: number) => fc.nat(size - 1).map((offset) => BigInt(start + offset));
/** Multiples of 4 near the start of a device are more likely to be registers. */
const address = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.nat(PRESENT_SLOTS), fc.nat(0x80))
      .map(([slot, word]) => BigInt(VIRTIO_START + slot * VIRTIO_STRIDE + 4 * word)),
  },
  { weight: 2, arbitrary: within(VIRTIO_START - 16, (VIRTIO_SLOTS + 1) * VIRTIO_STRIDE) },
  { weight: 3, arbitrary: fc.nat(0x40).map((word) => BigInt(PLIC_START + 4 * word)) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.nat(5), fc.nat(2))
      .map(([context, word]) => BigInt(PLIC_START + 0x20_0000 + 0x1000 * context + 4 * word)),
  },
  { weight: 2, arbitrary: fc.nat(0x400).map((word) => BigInt(PLIC_START + 0x2000 + 4 * word)) },
  { weight: 1, arbitrary: within(PLIC_START - 16, 0x60_0020) },
  { weight: 3, arbitrary: within(UART_START - 8, 0x20) },
  { weight: 3, arbitrary: within(RTC_START - 8, 0x40) },
  { weight: 2, arbitrary: fc.nat(8).map((word) => BigInt(ACLINT_START + 4 * word)) },
  { weight: 2, arbitrary: fc.nat(8).map((word) => BigInt(ACLINT_START + 0x4000 + 4 * word)) },
  { weight: 1, arbitrary: within(ACLINT_START - 16, 0xc020) },
  { weight: 1, arbitrary: within(FINISHER_START - 8, 0x1010) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) },
);
const value = fc.oneof(
  fc.constantFrom(0n, 1n, 3n, 0xbn, 0xfn, 0x40n, 0xffffn, 0xffff_ffffn, 0x8000_0000n, 2n ** 64n - 1n),
  fc.bigInt({ min: 0n, max: 63n }),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const access = fc.record({
  write: fc.boolean(),
  hart: fc.nat(HART_COUNT - 1),
  address,
  size: fc.constantFrom(1, 2, 4, 4, 4, 8),
  value,
  /** Events before an access: clocks advance, bytes arrive, devices interrupt. */
  event: fc.constantFrom('none', 'none', 'time', 'input', 'interrupt', 'tick'),
});

test('no sequence of accesses traps, or changes memory outside the devices', () => {
  const board = guardedBoard();
  const before = guarded(board);
  const sequence = fc.array(access, { maxLength: 60 });
  const run = fc.property(sequence, (accesses) => {
    for (const { write, hart, address, size, value, event } of accesses) {
      const block = hartBlock(hart);
      if (event === 'time') board.wallClock = Number(value);
      if (event === 'time') board.now = Number(value >> 20n);
      if (event === 'input') board.type('input');
      if (event === 'interrupt') board.set(VIRTIO + V_INTERRUPT_STATUS, Number(value & 3n));
      if (event === 'tick') board.core.rtcTick(block);
      if (write) board.core.busWrite(block, address, size, value);
      else if (size < 8)
        expect(board.core.busRead(block, address, size) >> BigInt(8 * Math.min(size, 4))).toBe(0n);
      else board.core.busRead(block, address, size);
      expect(board.core.plicPending(block) & ~0xa00).toBe(0);
      board.core.uartFlush();
      board.set(M_POWER, POWER_RUNNING);
      board.set(M_EXIT_CODE, 0);
    }
    expect(guarded(board).equals(before)).toBe(true);
  });
  fc.assert(run, { numRuns: 200 });
  expect(bulkIsZero(board)).toBe(true);
});

test('nothing answers between or above the devices', () => {
  const board = new Board(module, 1);
  const gaps = [
    0n,
    BigInt(FINISHER_START - 4),
    BigInt(RTC_START + 0x1000),
    BigInt(ACLINT_START - 4),
    BigInt(ACLINT_START + 0x1_0000),
    BigInt(PLIC_START - 4),
    BigInt(PLIC_START + 0x60_0000),
    BigInt(UART_START + 0x100),
    BigInt(VIRTIO_START + VIRTIO_SLOTS * VIRTIO_STRIDE),
    0x7fff_fffcn,
    // The low words of these are devices.
    (1n << 32n) + BigInt(UART_START),
    (1n << 63n) + BigInt(PLIC_START),
    2n ** 64n - 8n,
  ];
  for (const pa of gaps) {
    for (const size of [1, 2, 4, 8]) {
      board.core.busRead(hartBlock(0), pa, size);
      expect(board.core.busFault.value).toBe(1);
      board.core.busWrite(hartBlock(0), pa, size, 1n);
      expect(board.core.busFault.value).toBe(1);
    }
  }
  board.read(PLIC_START);
  expect(board.core.busFault.value).toBe(0);
});
