import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  M_DOORBELLS,
  M_POWER,
  PLIC_LEVEL,
  POWER_OFF,
  Q_DESC,
  Q_DEVICE,
  Q_DRIVER,
  Q_NUM,
  Q_NUM_MAX,
  SERVER_FOLDERS,
  V_CONFIG,
  V_CONFIG_GENERATION,
  V_DEVICE_FEATURES,
  V_DEVICE_ID,
  V_DRIVER_FEATURES,
  V_INTERRUPT_STATUS,
  V_NOTIFY,
  V_QUEUE_STRIDE,
  V_QUEUES,
  V_RESET,
  V_SERVER,
  V_SOURCE,
  V_STATUS,
  VIRTIO,
  VIRTIO_FILE_SIZE,
  VIRTIO_SLOTS,
  VIRTIO_START,
  VIRTIO_STRIDE,
} from '../../layout.ts';
import { Board, hartBlock } from './board.ts';
import { compileCore } from './core.ts';

const SLOT = 3;
const ABSENT = 5;
const BLOCK_DEVICE = 2;
const FILE = VIRTIO + SLOT * VIRTIO_FILE_SIZE;
const SOURCE = 12;
const LINE = 1 << SOURCE;
const QUEUE_SIZE = 256;

const register = (offset: number, slot = SLOT) => VIRTIO_START + slot * VIRTIO_STRIDE + offset;
const DEVICE_FEATURES = register(0x10);
const DEVICE_FEATURES_SEL = register(0x14);
const DRIVER_FEATURES = register(0x20);
const DRIVER_FEATURES_SEL = register(0x24);
const QUEUE_SEL = register(0x30);
const QUEUE_NUM_MAX = register(0x34);
const QUEUE_NUM = register(0x38);
const QUEUE_READY = register(0x44);
const QUEUE_NOTIFY = register(0x50);
const INTERRUPT_STATUS = register(0x60);
const INTERRUPT_ACK = register(0x64);
const STATUS = register(0x70);
const QUEUE_DESC = register(0x80);
const CONFIG_GENERATION = register(0xfc);
const CONFIG = register(0x100);

let module: WebAssembly.Module;
let board: Board;
beforeAll(async () => {
  module = await compileCore();
});
beforeEach(() => {
  board = new Board(module, 2);
  board.set(FILE + V_DEVICE_ID, BLOCK_DEVICE);
  board.set(FILE + V_SOURCE, SOURCE);
  board.set(FILE + V_DEVICE_FEATURES, 0x8000_0204);
  board.set(FILE + V_DEVICE_FEATURES + 4, 1);
  for (const queue of [0, 1]) board.set(queueFile(queue) + Q_NUM_MAX, QUEUE_SIZE);
  board.onDoorbell = stopWhenAsked;
});

const queueFile = (queue: number) => FILE + V_QUEUES + queue * V_QUEUE_STRIDE;

/** Answers a reset as the device does. */
function stopWhenAsked() {
  if (board.get(FILE + V_RESET) === 1) board.set(FILE + V_RESET, 0);
}

function offerFeatures(low: number, high: number) {
  [low, high].forEach((value, word) => {
    board.write(DRIVER_FEATURES_SEL, word);
    board.write(DRIVER_FEATURES, value);
  });
}

/** Does all that a driver writes on its way to DRIVER_OK, with one queue. */
function drive() {
  board.write(STATUS, 0);
  board.write(STATUS, 1);
  board.write(STATUS, 3);
  offerFeatures(0x200, 1);
  board.write(STATUS, 0xb);
  board.write(QUEUE_NUM, 16);
  [0x80, 0x90, 0xa0].forEach((offset, i) => {
    board.write(register(offset), 0x8000_1000 * (i + 1));
    board.write(register(offset + 4), i);
  });
  board.write(QUEUE_READY, 1);
  board.write(STATUS, 0xf);
}

describe('identity', () => {
  test('shows magic, version 2, device and vendor', () => {
    expect([0, 4, 8].map((offset) => board.read(register(offset)))).toEqual([0x7472_6976, 2, BLOCK_DEVICE]);
    expect(board.read(register(0xc))).not.toBe(0);
  });

  test('an absent device has id 0, and its other registers do nothing', () => {
    expect([0, 4, 8].map((offset) => board.read(register(offset, ABSENT)))).toEqual([0x7472_6976, 2, 0]);
    const file = VIRTIO + ABSENT * VIRTIO_FILE_SIZE;
    const before = board.bytes.slice(file, file + VIRTIO_FILE_SIZE);
    const doorbells = board.doorbells();
    for (let offset = 0; offset < 0x200; offset += 4) {
      if (offset >= 0x10) expect(board.read(register(offset, ABSENT))).toBe(0);
      board.write(register(offset, ABSENT), offset === 0x70 ? 0 : 0xffff_ffff);
    }
    expect(board.bytes.slice(file, file + VIRTIO_FILE_SIZE)).toEqual(before);
    expect(board.doorbells()).toBe(doorbells);
  });

  test('read-only registers ignore writes, write-only ones read as zero', () => {
    for (const offset of [0x00, 0x04, 0x08, 0x0c, 0x10, 0x34, 0x60, 0xfc]) {
      const before = board.read(register(offset));
      board.write(register(offset), ~before >>> 0);
      expect(board.read(register(offset))).toBe(before);
    }
    drive();
    for (const offset of [
      0x14, 0x20, 0x24, 0x30, 0x38, 0x50, 0x64, 0x80, 0x84, 0x90, 0x94, 0xa0, 0xa4, 0xac,
    ]) {
      expect(board.read(register(offset))).toBe(0);
    }
  });

  test('there are no shared memory regions, and no queue reset', () => {
    for (const region of [0, 1, 0xffff_ffff]) {
      board.write(register(0xac), region);
      for (const offset of [0xb0, 0xb4, 0xb8, 0xbc]) expect(board.read(register(offset))).toBe(0xffff_ffff);
    }
    board.write(register(0xc0), 1);
    expect(board.read(register(0xc0))).toBe(0);
  });

  test.each([1, 2, 8])('control registers fault at %i bytes', (size) => {
    expect(() => board.read(register(0), size)).toThrow('access fault');
    expect(() => board.write(STATUS, 1, size)).toThrow('access fault');
    expect(board.get(FILE + V_STATUS)).toBe(0);
  });
});

describe('features', () => {
  test('are read by selected word, and there are none beyond the second', () => {
    const words = [0, 1, 2, 0xffff_ffff].map((word) => {
      board.write(DEVICE_FEATURES_SEL, word);
      return board.read(DEVICE_FEATURES);
    });
    expect(words).toEqual([0x8000_0204, 1, 0, 0]);
    offerFeatures(0x204, 1);
    for (const word of [2, 0x4000_0000, 0xffff_ffff]) {
      board.write(DRIVER_FEATURES_SEL, word);
      board.write(DRIVER_FEATURES, 0x5555_5555);
    }
    const driver = FILE + V_DRIVER_FEATURES;
    expect([driver, driver + 4].map((word) => board.get(word))).toEqual([0x204, 1]);
    expect(board.bytes.slice(FILE, FILE + VIRTIO_FILE_SIZE).includes(0x55)).toBe(false);
  });

  test.each([
    ['a subset', 0x8000_0000, 1, true],
    ['everything offered', 0x8000_0204, 1, true],
    ['no VIRTIO_F_VERSION_1', 0x204, 0, false],
    ['one not offered in the low word', 0x205, 1, false],
    ['one not offered in the high word', 0x200, 3, false],
  ])('FEATURES_OK for %s', (_name, low, high, accepted) => {
    offerFeatures(low, high);
    board.write(STATUS, 0xb);
    expect(board.read(STATUS)).toBe(accepted ? 0xb : 3);
    expect(board.get(FILE + V_STATUS)).toBe(accepted ? 0xb : 3);
  });

  test('are fixed after FEATURES_OK', () => {
    offerFeatures(0x200, 1);
    board.write(STATUS, 0xb);
    offerFeatures(0xffff_ffff, 0xffff_ffff);
    expect([board.get(FILE + V_DRIVER_FEATURES), board.get(FILE + V_DRIVER_FEATURES + 4)]).toEqual([
      0x200, 1,
    ]);
    board.write(STATUS, 0xf);
    expect(board.read(STATUS)).toBe(0xf);
  });
});

describe('status', () => {
  test('rings the doorbell and accumulates bits; DEVICE_NEEDS_RESET belongs to the device', () => {
    const doorbells = board.doorbells();
    board.write(STATUS, 0x1);
    board.write(STATUS, 0x40 | 0x2);
    expect(board.read(STATUS)).toBe(0x3);
    expect(board.doorbells()).toBe(doorbells + 2);
    Atomics.or(board.words, (FILE + V_STATUS) / 4, 0x40);
    board.write(STATUS, 0xffff_ff80);
    expect(board.read(STATUS)).toBe(0xc3);
  });

  test('0 resets the driver’s values and keeps the device’s identity', () => {
    drive();
    board.write(QUEUE_NOTIFY, 0);
    Atomics.or(board.words, (FILE + V_INTERRUPT_STATUS) / 4, 3);
    board.core.plicRaise(SOURCE);
    board.core.plicRaise(SOURCE + 1);
    const doorbells = board.doorbells();
    board.write(STATUS, 0);
    expect(board.doorbells()).toBe(doorbells + 1);
    expect(board.read(STATUS)).toBe(0);
    for (const word of [V_DRIVER_FEATURES, V_DRIVER_FEATURES + 4, V_INTERRUPT_STATUS, V_NOTIFY, V_RESET]) {
      expect(board.get(FILE + word)).toBe(0);
    }
    for (let offset = Q_NUM; offset < V_QUEUE_STRIDE; offset += 4)
      expect(board.get(queueFile(0) + offset)).toBe(0);
    expect(board.get(PLIC_LEVEL)).toBe(LINE << 1);
    expect(board.read(QUEUE_NUM_MAX)).toBe(QUEUE_SIZE);
    expect(board.read(register(8))).toBe(BLOCK_DEVICE);
  });

  test('a reset leaves no trace of the device’s actions until it stopped', () => {
    drive();
    board.onDoorbell = () => {
      if (board.get(FILE + V_RESET) === 0) return;
      Atomics.or(board.words, (FILE + V_INTERRUPT_STATUS) / 4, 1);
      Atomics.or(board.words, (FILE + V_STATUS) / 4, 0x40);
      Atomics.or(board.words, PLIC_LEVEL / 4, LINE);
      stopWhenAsked();
    };
    board.write(STATUS, 0);
    expect([STATUS, INTERRUPT_STATUS].map((pa) => board.read(pa))).toEqual([0, 0]);
    expect(board.get(PLIC_LEVEL)).toBe(0);
  });

  test('a reset waits for a device in another thread', async () => {
    drive();
    board.onDoorbell = () => {};
    const device = board.thread(
      `Atomics.wait(words, data.reset, 0);
       Atomics.wait(words, data.never, 0, 50);
       Atomics.store(words, data.stopped, 1);
       Atomics.store(words, data.reset, 0);
       Atomics.notify(words, data.reset);`,
      { reset: (FILE + V_RESET) / 4, stopped: board.ramBase / 4, never: board.ramBase / 4 + 1 },
    );
    // The core does not notify V_RESET when it sets it, because the doorbell tells the device.
    board.onDoorbell = () => Atomics.notify(board.words, (FILE + V_RESET) / 4);
    board.write(STATUS, 0);
    expect(board.get(board.ramBase)).toBe(1);
    await device;
  });

  test('a reset ends when the machine does', async () => {
    board.onDoorbell = () => {};
    const off = board.thread(
      `Atomics.wait(words, data.never, 0, 50); Atomics.store(words, data.power, data.off);`,
      {
        never: board.ramBase / 4,
        power: M_POWER / 4,
        off: POWER_OFF,
      },
    );
    board.write(STATUS, 0);
    expect(board.get(FILE + V_RESET)).toBe(1);
    expect(board.get(M_POWER)).toBe(POWER_OFF);
    await off;
  });
});

describe('queues', () => {
  test('take size, addresses and readiness by selection', () => {
    board.write(QUEUE_SEL, 1);
    board.write(QUEUE_NUM, 8);
    const written = [0x80, 0x84, 0x90, 0x94, 0xa0, 0xa4].map((offset) => {
      board.write(register(offset), 0xf000_0000 + offset);
      return 0xf000_0000 + offset;
    });
    board.write(QUEUE_READY, 1);
    const words = [Q_DESC, Q_DESC + 4, Q_DRIVER, Q_DRIVER + 4, Q_DEVICE, Q_DEVICE + 4];
    expect(words.map((word) => board.get(queueFile(1) + word))).toEqual(written);
    expect(board.get(queueFile(1) + Q_NUM)).toBe(8);
    expect(board.read(QUEUE_READY)).toBe(1);
    board.write(QUEUE_SEL, 0);
    expect([QUEUE_READY, QUEUE_NUM_MAX].map((pa) => board.read(pa))).toEqual([0, QUEUE_SIZE]);
  });

  test('do not change while ready', () => {
    drive();
    const before = board.bytes.slice(queueFile(0), queueFile(1));
    for (const offset of [0x38, 0x80, 0x84, 0x90, 0x94, 0xa0, 0xa4]) board.write(register(offset), 4);
    expect(board.bytes.slice(queueFile(0), queueFile(1))).toEqual(before);
    board.write(QUEUE_READY, 0);
    board.write(QUEUE_NUM, 4);
    expect(board.read(QUEUE_READY)).toBe(0);
    expect(board.get(queueFile(0) + Q_NUM)).toBe(4);
  });

  test('ignore a size larger than the maximum', () => {
    board.write(QUEUE_NUM, QUEUE_SIZE);
    for (const size of [QUEUE_SIZE + 1, 0x8000_0000, 0xffff_ffff]) board.write(QUEUE_NUM, size);
    expect(board.get(queueFile(0) + Q_NUM)).toBe(QUEUE_SIZE);
  });

  test.each([2, 7, 8, 0x0400_0000, 0x8000_0001, 0xffff_ffff])('queue %i does not exist', (queue) => {
    const before = board.bytes.slice(FILE, FILE + VIRTIO_FILE_SIZE);
    board.write(QUEUE_SEL, queue);
    expect([QUEUE_NUM_MAX, QUEUE_READY].map((pa) => board.read(pa))).toEqual([0, 0]);
    for (const pa of [QUEUE_NUM, QUEUE_READY, QUEUE_DESC, QUEUE_DESC + 4]) board.write(pa, 1);
    const doorbells = board.doorbells();
    board.write(QUEUE_NOTIFY, queue);
    board.write(QUEUE_SEL, 0);
    expect(board.bytes.slice(FILE, FILE + VIRTIO_FILE_SIZE)).toEqual(before);
    expect(board.doorbells()).toBe(doorbells);
  });

  test('rings the doorbell of the thread that serves the slot', () => {
    const rung: number[] = [];
    board.onDoorbell = (server) => rung.push(server);
    const doorbells = board.doorbells();
    board.set(FILE + V_SERVER, SERVER_FOLDERS);
    board.write(QUEUE_NOTIFY, 1);
    expect(rung).toEqual([SERVER_FOLDERS]);
    expect([board.doorbells(), board.get(M_DOORBELLS + 4 * SERVER_FOLDERS)]).toEqual([doorbells, 1]);
  });

  test('a notification marks its queue before it rings', () => {
    const seen: number[] = [];
    board.onDoorbell = () => {
      expect(board.get(M_DOORBELLS)).toBe(seen.length + 1);
      seen.push(board.get(FILE + V_NOTIFY));
    };
    board.write(QUEUE_NOTIFY, 1);
    board.write(QUEUE_NOTIFY, 0);
    board.write(QUEUE_NOTIFY, 0);
    expect(seen).toEqual([2, 3, 3]);
  });
});

describe('interrupts', () => {
  const raise = (bits: number) => {
    Atomics.or(board.words, (FILE + V_INTERRUPT_STATUS) / 4, bits);
    Atomics.or(board.words, PLIC_LEVEL / 4, LINE);
  };

  test('lower the line when the last bit is acknowledged', () => {
    raise(3);
    expect(board.read(INTERRUPT_STATUS)).toBe(3);
    board.write(INTERRUPT_ACK, 0xffff_fffd);
    expect([board.read(INTERRUPT_STATUS), board.get(PLIC_LEVEL)]).toEqual([2, LINE]);
    board.write(INTERRUPT_ACK, 2);
    expect([board.read(INTERRUPT_STATUS), board.get(PLIC_LEVEL)]).toEqual([0, 0]);
  });

  test('none is lost or left over between a device and two harts', async () => {
    const rounds = 20_000;
    const index = { status: (FILE + V_INTERRUPT_STATUS) / 4, level: PLIC_LEVEL / 4, done: board.ramBase / 4 };
    const device = board.thread(
      `for (let i = 0; i < data.rounds; i++) {
         Atomics.or(words, data.status, 1);
         Atomics.or(words, data.level, data.line);
       }
       Atomics.store(words, data.done, 1);`,
      { ...index, rounds, line: LINE },
    );
    const harts = [0, 1].map((id) =>
      board.thread(
        `while (!Atomics.load(words, data.done)) core.busWrite(data.hart, data.ack, 4, 1n);
         Atomics.add(words, data.done, 1);`,
        { ...index, hart: hartBlock(id), ack: BigInt(INTERRUPT_ACK) },
      ),
    );
    await Promise.all([device, ...harts]);
    expect(board.get(PLIC_LEVEL) !== 0).toBe(board.get(FILE + V_INTERRUPT_STATUS) !== 0);
    expect(board.get(board.ramBase)).toBe(3);
  });
});

describe('configuration space', () => {
  test('reads bytes, halfwords and words; the device sets the generation', () => {
    board.set(FILE + V_CONFIG, 0x8899_aabb);
    board.set(FILE + V_CONFIG_GENERATION, 7);
    expect([1, 2, 4].map((size) => board.read(CONFIG, size))).toEqual([0xbb, 0xaabb, 0x8899_aabb]);
    expect([board.read(CONFIG + 3, 1), board.read(CONFIG + 2, 2)]).toEqual([0x88, 0x8899]);
    expect(board.read(CONFIG_GENERATION)).toBe(7);
  });

  test('writes reach the device and notify it', () => {
    const doorbells = board.doorbells();
    board.write(CONFIG + 0xfc, 0x1122_3344);
    board.write(CONFIG + 0xfd, 0xffff_ff55, 1);
    board.write(CONFIG + 0xfe, 0xffff_6677, 2);
    expect(board.get(FILE + V_CONFIG + 0xfc)).toBe(0x6677_5544);
    expect(board.doorbells()).toBe(doorbells + 3);
  });

  test('doublewords, misaligned accesses and addresses after it fault', () => {
    expect(() => board.read(CONFIG, 8)).toThrow('access fault');
    expect(() => board.read(CONFIG + 1, 2)).toThrow('access fault');
    expect(() => board.write(CONFIG + 2, 0, 4)).toThrow('access fault');
    for (const size of [1, 2, 4]) expect(() => board.read(CONFIG + 0x100, size)).toThrow('access fault');
    expect(() => board.read(register(0, VIRTIO_SLOTS))).toThrow('access fault');
  });
});
