import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  ACLINT_START,
  FINISHER_START,
  H_INSTRET,
  H_IPI,
  H_MTIMECMP,
  H_WAKE,
  ICOUNT_PER_TICK,
  M_EXIT_CODE,
  M_POWER,
  MODE_ICOUNT,
  PLIC_START,
  POWER_FAIL,
  POWER_OFF,
  POWER_REBOOT,
  POWER_RUNNING,
  RTC_IRQ,
  RTC_START,
  UART_IRQ,
  UART_RX_SIZE,
  UART_START,
} from '../../layout.ts';
import { Board, hartBlock } from './board.ts';
import { compileCore } from './core.ts';

const MEIP = 1 << 11;
const MSIP = 1 << 3;

let module: WebAssembly.Module;
let board: Board;
beforeAll(async () => {
  module = await compileCore();
});
beforeEach(() => {
  board = new Board(module, 2);
});

/** Lets `source` interrupt hart 0 in M-mode. */
function route(source: number) {
  board.write(PLIC_START + 4 * source, 1);
  board.write(PLIC_START + 0x2000, 1 << source);
}

describe('ACLINT', () => {
  const MTIMECMP = ACLINT_START + 0x4000;
  const MTIME = ACLINT_START + 0xbff8;

  test('msip sets and clears MSIP of its hart and wakes it', () => {
    const wakes = board.wakes(1);
    board.write(ACLINT_START + 4, 0xffff_ffff);
    expect(board.get(hartBlock(1) + H_IPI)).toBe(MSIP);
    expect(board.get(hartBlock(0) + H_IPI)).toBe(0);
    expect(board.read(ACLINT_START + 4)).toBe(1);
    expect(board.wakes(1)).toBe(wakes + 1);
    board.write(ACLINT_START + 4, 0xffff_fffe);
    expect(board.get(hartBlock(1) + H_IPI)).toBe(0);
    expect(board.read(ACLINT_START + 4)).toBe(0);
  });

  test('a write to mtimecmp, as a doubleword or in halves, wakes its hart', () => {
    const wakes = board.wakes(1);
    board.write(MTIMECMP + 8, 0x0123_4567_89ab_cdefn, 8);
    expect(board.get64(hartBlock(1) + H_MTIMECMP)).toBe(0x0123_4567_89ab_cdefn);
    board.write(MTIMECMP + 12, 0xffff_fffe);
    board.write(MTIMECMP + 8, 0x8000_0001);
    expect(board.read64(MTIMECMP + 8)).toBe(0xffff_fffe_8000_0001n);
    expect([board.read(MTIMECMP + 8), board.read(MTIMECMP + 12)]).toEqual([0x8000_0001, 0xffff_fffe]);
    expect(board.wakes(1)).toBe(wakes + 3);
    expect(board.get64(hartBlock(0) + H_MTIMECMP)).toBe(0n);
  });

  test('mtime runs with the host, and continues from a written value', () => {
    board.now = 5_000_000_000;
    expect(board.read64(MTIME)).toBe(5_000_000_000n);
    expect([board.read(MTIME), board.read(MTIME + 4)]).toEqual([5_000_000_000 % 2 ** 32, 1]);
    board.write(MTIME, 100n, 8);
    board.now += 7;
    expect(board.read64(MTIME)).toBe(107n);
    board.write(MTIME + 4, 2);
    expect(board.read64(MTIME)).toBe((2n << 32n) + 107n);
    expect(board.core.mtime(hartBlock(1))).toBe((2n << 32n) + 107n);
  });

  test('harts that do not exist read as zero and ignore writes', () => {
    for (const pa of [ACLINT_START + 8, ACLINT_START + 0x3ffc, MTIMECMP + 16, MTIME - 8]) {
      board.write(pa, 0xffff_ffff);
      expect(board.read(pa)).toBe(0);
    }
  });

  test('other widths and the gap after mtime fault', () => {
    expect(() => board.read(ACLINT_START, 8)).toThrow('access fault');
    expect(() => board.read(MTIMECMP, 2)).toThrow('access fault');
    expect(() => board.read(ACLINT_START + 0xc000)).toThrow('access fault');
  });
});

describe('clock', () => {
  test('counts instructions in that mode, and skips forward only', () => {
    board = new Board(module, 1, MODE_ICOUNT);
    const hart = hartBlock(0);
    board.now = 1e12;
    board.set64(hart + H_INSTRET, BigInt(10 * ICOUNT_PER_TICK + 3));
    expect(board.core.mtime(hart)).toBe(10n);
    board.core.skipTo(hart, 500n);
    expect(board.core.mtime(hart)).toBe(500n);
    board.core.skipTo(hart, 400n);
    expect(board.core.mtime(hart)).toBe(500n);
    board.set64(hart + H_INSTRET, BigInt(12 * ICOUNT_PER_TICK));
    expect(board.core.mtime(hart)).toBe(502n);
    board.core.setMtime(hart, 7n);
    expect(board.core.mtime(hart)).toBe(7n);
  });
});

describe('UART', () => {
  const [RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR] = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => UART_START + i) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const THR = RBR;
  const FCR = IIR;
  const send = (text: string) => {
    for (const byte of Buffer.from(text, 'latin1')) board.write(THR, byte, 1);
  };

  test('passes on lines, full buffers, and the rest at a flush, in order', () => {
    send('one\ntwo');
    expect(board.output).toEqual(['one\n']);
    board.core.uartFlush();
    board.core.uartFlush();
    expect(board.output).toEqual(['one\n', 'two']);
    send('x'.repeat(300));
    board.core.uartFlush();
    expect(board.output.slice(2).join('')).toBe('x'.repeat(300));
  });

  test('receives bytes past the end of the ring, and shows them in LSR', () => {
    expect(board.read(LSR, 1)).toBe(0x60);
    for (let round = 0; round < 5; round++) {
      board.type('A\xff'.repeat(50));
      for (let i = 0; i < 100; i++) {
        expect(board.read(LSR, 1)).toBe(0x61);
        expect(board.read(RBR, 1)).toBe(i % 2 === 0 ? 0x41 : 0xff);
      }
      expect(board.read(LSR, 1)).toBe(0x60);
    }
    expect(board.read(RBR, 1)).toBe(0);
  });

  test('interrupts for received bytes until the guest reads them', () => {
    route(UART_IRQ);
    board.type('ab');
    expect(board.external(0)).toBe(0);
    expect(board.read(IIR, 1)).toBe(0x01);
    const wakes = board.wakes(1);
    board.write(IER, 1, 1);
    expect(board.wakes(1)).toBeGreaterThan(wakes);
    expect(board.external(0)).toBe(MEIP);
    expect(board.read(IIR, 1)).toBe(0x04);
    board.read(RBR, 1);
    expect(board.external(0)).toBe(MEIP);
    board.read(RBR, 1);
    expect(board.external(0)).toBe(0);
    expect(board.read(IIR, 1)).toBe(0x01);
  });

  test('interrupts when the transmitter is empty, until the guest reads IIR', () => {
    route(UART_IRQ);
    board.write(IER, 2, 1);
    expect(board.external(0)).toBe(MEIP);
    expect(board.read(IIR, 1)).toBe(0x02);
    expect(board.external(0)).toBe(0);
    expect(board.read(IIR, 1)).toBe(0x01);
    send('x');
    expect(board.external(0)).toBe(MEIP);
    board.write(IER, 0, 1);
    expect(board.external(0)).toBe(0);
  });

  test('IIR reports received bytes first, and then an empty transmitter', () => {
    board.write(IER, 3, 1);
    board.type('a');
    expect([board.read(IIR, 1), board.read(IIR, 1)]).toEqual([0x04, 0x04]);
    board.read(RBR, 1);
    expect([board.read(IIR, 1), board.read(IIR, 1)]).toEqual([0x02, 0x01]);
  });

  test('is a 16550A: FIFOs enabled show in IIR; FCR empties the receiver', () => {
    board.write(FCR, 1, 1);
    expect(board.read(IIR, 1)).toBe(0xc1);
    board.type('a'.repeat(UART_RX_SIZE));
    board.write(FCR, 3, 1);
    expect(board.read(LSR, 1)).toBe(0x60);
    board.type('b');
    board.write(FCR, 1, 1);
    expect(board.read(LSR, 1)).toBe(0x61);
    board.write(FCR, 0, 1);
    expect([board.read(LSR, 1), board.read(IIR, 1)]).toEqual([0x60, 0x01]);
  });

  test('DLAB selects the divisor, and writing it sends nothing', () => {
    board.write(IER, 5, 1);
    board.write(LCR, 0x83, 1);
    board.write(THR, 0x0a, 1);
    board.write(IER, 0x34, 1);
    expect([board.read(RBR, 1), board.read(IER, 1), board.read(LCR, 1)]).toEqual([0x0a, 0x34, 0x83]);
    board.write(LCR, 3, 1);
    expect(board.read(IER, 1)).toBe(5);
    expect(board.output).toEqual([]);
  });

  test('scratch, IER and MCR keep their bits; LSR and MSR cannot be written', () => {
    for (const register of [SCR, IER, MCR, LSR, MSR]) board.write(register, 0xff, 1);
    const values = [SCR, IER, MCR, LSR].map((register) => board.read(register, 1));
    expect(values).toEqual([0xff, 0x0f, 0x1f, 0x60]);
  });

  test("loop-back connects the modem's outputs to its inputs and keeps bytes inside", () => {
    expect(board.read(MSR, 1)).toBe(0xb0);
    const looped = [1, 2, 4, 8].map((output) => {
      board.write(MCR, 0x10 | output, 1);
      return board.read(MSR, 1);
    });
    expect(looped).toEqual([0x20, 0x10, 0x40, 0x80]);
    send('x\n');
    expect(board.output).toEqual([]);
  });

  test('accesses of every width reach their first register, and none after the last', () => {
    board.write(THR, 0x1234_560a, 4);
    expect(board.output).toEqual(['\n']);
    board.write(MCR, 0x0b, 2);
    expect([board.read(MCR, 2), board.read(MCR, 4), board.read(RBR, 8)]).toEqual([0x0b, 0x0b, 0]);
    expect(() => board.read(UART_START + 8, 1)).toThrow('access fault');
  });

  test('harts that send at the same time lose nothing', async () => {
    const sent = 5_000;
    const body = `for (let i = 0; i < data.sent; i++) core.busWrite(data.hart, data.thr, 1, data.byte);`;
    const data = (id: number) => ({ sent, hart: hartBlock(id), thr: BigInt(THR), byte: 0x41n + BigInt(id) });
    await Promise.all([board.thread(body, data(0)), board.thread(body, data(1))]);
    board.core.uartFlush();
    const received = board.output.join('');
    expect(received.replaceAll('B', '')).toBe('A'.repeat(sent));
    expect(received.replaceAll('A', '')).toBe('B'.repeat(sent));
  });
});

describe('RTC', () => {
  const [LOW, HIGH, ALARM_LOW, ALARM_HIGH, ENABLED, CLEAR_ALARM, ALARM_STATUS, CLEAR_INTERRUPT] = [
    0, 4, 8, 12, 16, 20, 24, 28,
  ].map((i) => RTC_START + i) as [number, number, number, number, number, number, number, number];
  const hart = hartBlock(0);
  const START = 1_700_000_000_000_000_000;
  const time = () => BigInt(board.read(LOW)) | (BigInt(board.read(HIGH)) << 32n);
  const setAlarm = (ns: bigint) => {
    board.write(ALARM_HIGH, Number(ns >> 32n));
    board.write(ALARM_LOW, Number(ns & 0xffff_ffffn));
  };

  beforeEach(() => {
    board.wallClock = START;
  });

  test('reading the low word latches the high one', () => {
    expect(time()).toBe(BigInt(START));
    const low = board.read(LOW);
    board.wallClock += 2 ** 33;
    expect(BigInt(low) | (BigInt(board.read(HIGH)) << 32n)).toBe(BigInt(START));
    expect(time()).toBe(BigInt(START) + (1n << 33n));
  });

  test('a time that was set continues to run', () => {
    board.write(HIGH, 0x1234);
    board.write(LOW, 0);
    expect(time()).toBe(0x1234n << 32n);
    board.wallClock += 1024;
    expect(time()).toBe((0x1234n << 32n) + 1024n);
  });

  test('the alarm fires when it is due, not earlier, and only once', () => {
    route(RTC_IRQ);
    board.write(ENABLED, 1);
    setAlarm(BigInt(START) + 1_000_192n);
    expect(board.read(ALARM_STATUS)).toBe(1);
    expect([board.read(ALARM_LOW), board.read(ALARM_HIGH)]).toEqual([
      Number((BigInt(START) + 1_000_192n) & 0xffff_ffffn),
      Number((BigInt(START) + 1_000_192n) >> 32n),
    ]);
    board.now = 50;
    expect(board.core.rtcDeadline(hart)).toBe(50n + 10_002n);
    board.wallClock = START + 999_936;
    board.core.rtcTick(hart);
    expect(board.external(0)).toBe(0);
    board.wallClock = START + 1_000_192;
    const wakes = board.wakes(1);
    board.core.rtcTick(hart);
    expect(board.external(0)).toBe(MEIP);
    expect(board.wakes(1)).toBeGreaterThan(wakes);
    expect(board.read(ALARM_STATUS)).toBe(0);
    expect(board.core.rtcDeadline(hart)).toBe(-1n);
    board.write(CLEAR_INTERRUPT, 1);
    board.core.rtcTick(hart);
    expect(board.external(0)).toBe(0);
  });

  test('an alarm in the past fires at once', () => {
    route(RTC_IRQ);
    board.write(ENABLED, 1);
    setAlarm(1n);
    expect(board.external(0)).toBe(MEIP);
    expect(board.read(ALARM_STATUS)).toBe(0);
  });

  test('a disabled interrupt stays pending, a cleared alarm does not fire', () => {
    route(RTC_IRQ);
    setAlarm(1n);
    expect(board.external(0)).toBe(0);
    board.write(ENABLED, 1);
    expect(board.external(0)).toBe(MEIP);
    board.write(CLEAR_INTERRUPT, 0);
    setAlarm(BigInt(START) + 1024n);
    board.write(CLEAR_ALARM, 1);
    board.wallClock += 2048;
    board.core.rtcTick(hart);
    expect([board.external(0), board.read(ALARM_STATUS)]).toEqual([0, 0]);
  });

  test('setting the time past the alarm fires it', () => {
    route(RTC_IRQ);
    board.write(ENABLED, 1);
    setAlarm(BigInt(START) + (1n << 40n));
    board.write(HIGH, Number(BigInt(START) >> 32n) + 0x1000);
    expect(board.external(0)).toBe(MEIP);
  });

  test('starts at the epoch and follows the instruction count when that is the time', () => {
    board = new Board(module, 1, MODE_ICOUNT);
    board.wallClock = START;
    board.set64(hart + H_INSTRET, BigInt(20 * ICOUNT_PER_TICK));
    expect(time()).toBe(2_000n);
    setAlarm(2_350n);
    expect(board.core.rtcDeadline(hart)).toBe(24n);
    board.core.skipTo(hart, 24n);
    board.core.rtcTick(hart);
    expect(board.read(ALARM_STATUS)).toBe(0);
  });

  test('widths other than four bytes, and addresses after the registers, fault', () => {
    expect(() => board.read(LOW, 8)).toThrow('access fault');
    expect(() => board.read(LOW, 2)).toThrow('access fault');
    expect(() => board.read(RTC_START + 0x24)).toThrow('access fault');
  });
});

describe('test finisher', () => {
  test.each([
    ['pass', 0x5555, POWER_OFF, 0],
    ['fail', 0x3333 | (77 << 16), POWER_FAIL, 77],
    ['reset', 0x7777, POWER_REBOOT, 0],
    ['nothing it knows', 0x1234, POWER_RUNNING, 0],
  ])('%s', (_name, value, power, code) => {
    const wakes = board.wakes(1);
    board.write(FINISHER_START, value);
    expect([board.get(M_POWER), board.get(M_EXIT_CODE)]).toEqual([power, code]);
    expect(board.wakes(1) > wakes).toBe(power !== POWER_RUNNING);
    expect(board.read(FINISHER_START)).toBe(0);
  });

  test('accepts halfwords, flushes sent output, and keeps the first word', () => {
    board.write(UART_START, 0x21, 1);
    board.write(FINISHER_START, 0x5555, 2);
    board.write(FINISHER_START, 0x3333 | (5 << 16));
    expect(board.output).toEqual(['!']);
    expect(board.get(M_POWER)).toBe(POWER_OFF);
  });

  test('ignores or faults on other registers and widths', () => {
    board.write(FINISHER_START + 4, 0x5555);
    expect(() => board.write(FINISHER_START, 0x5555, 8)).toThrow('access fault');
    expect(() => board.write(FINISHER_START, 0x55, 1)).toThrow('access fault');
    expect(board.get(M_POWER)).toBe(POWER_RUNNING);
  });
});

describe('a wait', () => {
  const WORD = hartBlock(1) + H_WAKE;
  const LONG = 5000;
  let readings: number;

  /** Waits while each reading of the clock takes some ticks. Returns the readings. */
  function wait(step: number, onReading = () => {}): number {
    readings = 0;
    const get = () => {
      onReading();
      return step * readings++;
    };
    Object.defineProperty(board, 'now', { get, configurable: true });
    board.core.pollWhile(WORD, board.get(WORD), 1000 * step);
    return readings;
  }

  test('looks at its word first after short waits, and sleeps at once after a long one', () => {
    const asleep = wait(1);
    expect(wait(1)).toBeGreaterThan(asleep + 90);
    expect(wait(1)).toBeGreaterThan(asleep + 190);
    wait(LONG);
    expect(wait(1)).toBe(asleep);
  });

  test('ends when the word changes while it looks', () => {
    wait(1);
    const onReading = () => {
      if (readings === 50) board.set(WORD, 77);
    };
    expect(wait(1, onReading)).toBe(51);
  });
});
