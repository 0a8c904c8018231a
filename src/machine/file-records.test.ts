import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChangeReader, RecordReader } from './file-records.ts';

function record(
  name: string,
  target = '',
  numbers: Partial<Record<'mode' | 'seconds', number | bigint>> = {},
) {
  const head = Buffer.alloc(40);
  head.writeUInt32LE(Number(numbers.mode ?? 0o100644), 0);
  head.writeBigInt64LE(BigInt(numbers.seconds ?? 0), 16);
  return Buffer.concat([head, Buffer.from(`${name}\0${target}\0`)]);
}

test('records are read in pieces of any size', () => {
  const all = Buffer.concat([record('a'), record('', ''), record('ä'.repeat(100), 'x'.repeat(4095))]);
  fc.assert(
    fc.property(fc.array(fc.nat(all.length)), (cuts) => {
      const reader = new RecordReader();
      const edges = [0, ...cuts.sort((a, b) => a - b), all.length];
      const parts = edges.slice(1).map((end, index) => all.subarray(edges[index], end));
      const names = parts.flatMap((part) => reader.push(part)).map(({ name }) => name);
      expect(names).toEqual(['a', '', 'ä'.repeat(100)]);
      reader.end();
    }),
  );
});

test.each([
  ['a path', record('a/b')],
  ['the folder', record('.')],
  ['its parent', record('..')],
  ['too long', record('x'.repeat(256))],
  ['without its end', Buffer.alloc(40 + 256, 1)],
  ['of a link with a target that is too long', record('x', 'x'.repeat(4096))],
])('a name that is %s is refused', (_, bytes) => {
  expect(() => new RecordReader().push(bytes)).toThrow(RangeError);
});

test('an incomplete record is no end', () => {
  const reader = new RecordReader();
  expect(reader.push(record('a').subarray(0, -1))).toEqual([]);
  expect(() => reader.end()).toThrow(RangeError);
});

test('times that no Date holds are the last that one holds', () => {
  const [entry] = new RecordReader().push(record('a', '', { seconds: 2n ** 63n - 1n }));
  expect(entry?.mtime.getTime()).toBe(8.64e15);
});

test('a mode of no known type has none', () => {
  expect(new RecordReader().push(record('a', '', { mode: 0 }))).toMatchObject([{ type: 'unknown' }]);
});

test('changes are read in pieces of any size', () => {
  const all = Buffer.from('\x01a\0\x02\0\x01sub/b\0');
  fc.assert(
    fc.property(fc.nat(all.length), fc.nat(all.length), (one, other) => {
      const reader = new ChangeReader();
      const [first, second] = [Math.min(one, other), Math.max(one, other)];
      const parts = [all.subarray(0, first), all.subarray(first, second), all.subarray(second)];
      expect(parts.flatMap((part) => reader.push(part))).toEqual([
        { eventType: 'rename', filename: 'a' },
        { eventType: 'change', filename: '' },
        { eventType: 'rename', filename: 'sub/b' },
      ]);
    }),
  );
});

test.each(['\x03a\0', `\x01${'x'.repeat(5000)}`])('malformed changes are refused', (text) => {
  expect(() => new ChangeReader().push(Buffer.from(text))).toThrow(RangeError);
});
