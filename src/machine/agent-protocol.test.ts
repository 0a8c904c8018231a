import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { processorTime } from '../../scripts/testing/processor-time.mjs';
import { MessageReader } from './agent-messages.ts';
import {
  encodeContainer,
  encodeExec,
  encodeListFolder,
  encodeMakeFolder,
  encodeMeasure,
  encodeNetwork,
  encodePowerOff,
  encodeReadFile,
  encodeRemoveFile,
  encodeRenameFile,
  encodeResize,
  encodeResume,
  encodeRun,
  encodeSignal,
  encodeStatFile,
  encodeSuspend,
  encodeWriteFile,
  newTokens,
} from './agent-requests.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const tokens = Uint8Array.from({ length: 64 }, (_, index) => index);
const TOKENS = hex(tokens);

describe('host to guest', () => {
  test('RUN', () => {
    const run = { process: 7, tokens, args: ['ls', '-l'], env: ['A=b'], directory: '/', console: true };
    expect(hex(encodeRun(run))).toBe(
      '5a000000' +
        '01' +
        '07000000' +
        TOKENS +
        '01' +
        '02000000' +
        '6c7300' +
        '2d6c00' +
        '01000000' +
        '413d6200' +
        '2f00',
    );
  });

  test('SIGNAL and POWEROFF', () => {
    expect(hex(encodeSignal(7, 15))).toBe('09000000' + '04' + '07000000' + '0f000000');
    expect(hex(encodePowerOff())).toBe('01000000' + '05');
  });

  test('CONTAINER and RESIZE', () => {
    const container = {
      process: 7,
      tokens,
      name: 'n',
      disks: { image: 'i', scratch: 's' },
      args: ['ls'],
      env: ['A=b'],
      directory: '/d',
      user: 'u',
      hostname: 'h',
      volumes: ['/v'],
      devices: ['/d'],
      tmpfs: [{ path: '/t', flags: 6, options: 'o' }],
    };
    const strings =
      '01000000' +
      '6c7300' +
      '01000000' +
      '413d6200' +
      '2f6400' +
      '7500' +
      '6800' +
      '01000000' +
      '2f7600' +
      '01000000' +
      '2f6400' +
      '04000000' +
      '002f740036006f00';
    expect(hex(encodeContainer(container))).toBe(
      `860000000607000000${TOKENS}6e0069007300${'0000'}000000000000000000${strings}`,
    );
    expect(
      hex(
        encodeContainer({
          ...container,
          emulator: { disk: 'd', machine: 62 },
          terminal: { columns: 80, rows: 25 },
        }),
      ),
    ).toBe(`870000000607000000${TOKENS}6e0069007300${'64003e'}015000000019000000${strings}`);
    expect(hex(encodeResize(7, { columns: 80, rows: 25 }))).toBe(
      '0d000000' + '07' + '07000000' + '50000000' + '19000000',
    );
  });

  test('EXEC', () => {
    const exec = {
      process: 8,
      tokens,
      container: 'n',
      args: ['ls'],
      env: ['A=b'],
      directory: '/d',
      user: 'u',
    };
    const strings = '01000000' + '6c7300' + '01000000' + '413d6200' + '2f6400' + '7500';
    expect(hex(encodeExec({ ...exec, terminal: { columns: 80, rows: 25 } }))).toBe(
      `640000000808000000${TOKENS}6e00015000000019000000${strings}`,
    );
  });

  test('READ_FILE, WRITE_FILE and MEASURE', () => {
    const file = { process: 8, tokens, container: 'n', path: '/f' };
    expect(hex(encodeReadFile(file))).toBe(`4a0000000908000000${TOKENS}6e002f6600`);
    const write = `4e0000000a08000000${TOKENS}6e00`;
    expect(hex(encodeWriteFile(file, 0o640))).toBe(`${write}a00100002f6600`);
    expect(hex(encodeWriteFile(file))).toBe(`${write}ffffffff2f6600`);
    expect(hex(encodeMeasure('n'))).toBe('03000000' + '0b' + '6e00');
    const network = {
      guest: Uint8Array.of(10, 0, 2, 15),
      prefix: 24,
      gateway: Uint8Array.of(10, 0, 2, 2),
      nameServer: Uint8Array.of(254, 0, 2, 3),
    };
    expect(hex(encodeNetwork(network))).toBe('0e000000' + '14' + '0a00020f' + '0a000202' + 'fe000203' + '18');
  });

  test('suspend and resume', () => {
    expect(hex(encodeSuspend())).toBe('01000000' + '19');
    const entropy = new Uint8Array(32).fill(0xab);
    const resume = encodeResume({ tick: 0x0102030405060708n, time: 5n, entropy });
    expect(hex(resume)).toBe(`31000000${'1b'}${'0807060504030201'}${'0500000000000000'}${'ab'.repeat(32)}`);
    expect(() => encodeResume({ tick: 0n, time: 0n, entropy: entropy.subarray(1) })).toThrow(RangeError);
  });

  test('LIST_FOLDER, STAT_FILE, MAKE_FOLDER, REMOVE_FILE and RENAME_FILE', () => {
    const file = { process: 8, tokens, container: 'n', path: '/\udcff' };
    const request = `08000000${TOKENS}6e00`;
    expect(hex(encodeListFolder(file))).toBe(`4a0000000e${request}2fff00`);
    expect(hex(encodeStatFile(file, true))).toBe(`4b0000000f${request}012fff00`);
    expect(hex(encodeMakeFolder(file, 0o755, false))).toBe(`4f00000010${request}00ed0100002fff00`);
    expect(hex(encodeMakeFolder(file, 0o755, true))).toBe(`4f00000010${request}01ed0100002fff00`);
    expect(hex(encodeRemoveFile(file, true))).toBe(`4b00000011${request}012fff00`);
    expect(hex(encodeRenameFile(file, '/g', true))).toBe(`4e00000012${request}012fff002f6700`);
  });

  test('refuses values that the guest would misread', () => {
    const run = { process: 1, tokens, args: ['a'], env: [], directory: '/', console: false };
    expect(() => encodeRun({ ...run, args: ['a\0b'] })).toThrow(/NUL/);
    expect(() => encodeRun({ ...run, args: ['x'.repeat(1 << 20)] })).toThrow(/1 MiB/);
    expect(() => encodeRun({ ...run, tokens: tokens.subarray(1) })).toThrow(/tokens/);
  });
});

test('tokens cannot be guessed', () => {
  const made = Array.from({ length: 100 }, () => newTokens());
  const each = made.flatMap((all) => [0, 16, 32, 48].map((at) => hex(all.subarray(at, at + 16))));
  expect(new Set(each).size).toBe(400);
});

describe('guest to host', () => {
  const HELLO = Buffer.from('05000000' + '02' + '03000000', 'hex');
  const STARTED = Buffer.from('05000000' + '13' + '07000000', 'hex');
  const EXIT = Buffer.from('0c000000' + '03' + '07000000' + '81000000' + '6e6f00', 'hex');
  const USAGE = Buffer.concat([
    Buffer.from('31000000' + '0c', 'hex'),
    Buffer.from(BigUint64Array.of(2n ** 32n, 1n, 2n, 3n, 4n, 5n).buffer),
  ]);
  const SUSPENDED = Buffer.from('01000000' + '1a', 'hex');
  const UNKNOWN = Buffer.from('03000000' + 'c8' + 'ffff', 'hex');
  const MESSAGES = [
    { type: 'hello', version: 3 },
    { type: 'started', process: 7 },
    { type: 'exit', process: 7, status: 129, reason: 'no' },
    {
      type: 'usage',
      usage: {
        memory: { totalBytes: 2 ** 32, availableBytes: 1 },
        disk: { totalBytes: 2, usedBytes: 3 },
        cpu: { uptime: 4, idle: 5 },
      },
    },
    { type: 'suspended' },
  ];

  test('reads messages in pieces of any size, and ignores unknown ones', () => {
    const all = Buffer.concat([HELLO, UNKNOWN, STARTED, EXIT, USAGE, SUSPENDED]);
    fc.assert(
      fc.property(fc.array(fc.nat(all.length)), (cuts) => {
        const reader = new MessageReader();
        const edges = [0, ...cuts.sort((a, b) => a - b), all.length];
        const parts = edges.slice(1).map((end, index) => all.subarray(edges[index], end));
        expect(parts.flatMap((part) => reader.push(part))).toEqual(MESSAGES);
      }),
    );
  });

  test.each([
    ['too long', '01001000'],
    ['empty', '00000000'],
    ['HELLO too short', '02000000' + '02' + '01'],
    ['STARTED too short', '03000000' + '13' + '0700'],
    ['EXIT too short', '05000000' + '03' + '07000000'],
    ['EXIT without a reason', '09000000' + '03' + '07000000' + '81000000'],
    ['USAGE too short', `210000000c${'00'.repeat(32)}`],
  ])('%s: refused', (_, bytes) => {
    expect(() => new MessageReader().push(Buffer.from(bytes, 'hex'))).toThrow(RangeError);
  });

  test('many short messages take linear time', () => {
    const unknown = Buffer.from('01000000ee', 'hex');
    const bytes = Buffer.concat(Array<Buffer>(100_000).fill(unknown));
    const time = processorTime(() => expect(new MessageReader().push(bytes)).toEqual([]));
    expect(time).toBeLessThan(2000);
  });

  test('never throws anything but RangeError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          new MessageReader().push(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
