import fc from 'fast-check';
import { expect, test } from 'vitest';
import { processorTime } from '../../scripts/testing/processor-time.mjs';
import { equalBytes, pattern } from '../machine/devices/testing/guest-driver.ts';
import { MemoryBlockBackend } from './block-backend.ts';

const SIZE = 320 << 10;

function split(bytes: Uint8Array, at: number): Uint8Array[] {
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

test('behaves like a plain array through any writes and discards', () => {
  const sector = fc.integer({ min: 0, max: SIZE / 512 - 1 });
  const operation = fc.record({
    kind: fc.constantFrom('write', 'discard', 'read'),
    from: sector,
    to: sector,
    cut: fc.nat(),
    seed: fc.nat(255),
  });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 12 }), (operations) => {
      const disk = new MemoryBlockBackend(SIZE);
      const model = new Uint8Array(SIZE);
      for (const { kind, from, to, cut, seed } of operations) {
        const offset = Math.min(from, to) * 512;
        const length = (Math.abs(from - to) + 1) * 512;
        const range = model.subarray(offset, offset + length);
        if (kind === 'write') {
          range.set(pattern(length, seed));
          disk.write(offset, split(pattern(length, seed), cut % length));
        } else if (kind === 'discard') {
          range.fill(0);
          disk.discard(offset, length);
        } else {
          const bytes = new Uint8Array(length).fill(0xee);
          disk.read(offset, split(bytes, cut % length));
          expect(equalBytes(bytes, range)).toBe(true);
        }
      }
      const all = new Uint8Array(SIZE).fill(0xee);
      disk.read(0, [all]);
      expect(equalBytes(all, model)).toBe(true);
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 100) },
  );
});

test('uses memory only for written data, and frees it', () => {
  const disk = new MemoryBlockBackend(2 ** 45);
  disk.write(2 ** 44, [pattern(512)]);
  disk.write(2 ** 44 + (64 << 10), [pattern(512)]);
  expect(disk.allocatedBytes).toBe(128 << 10);
  const bytes = new Uint8Array(512);
  disk.read(2 ** 44, [bytes]);
  expect(bytes).toEqual(pattern(512));
  disk.discard(2 ** 44, 128 << 10);
  expect(disk.allocatedBytes).toBe(0);
});

test('discards a range of any size in time proportional to its content', () => {
  const disk = new MemoryBlockBackend(2 ** 45);
  disk.write(2 ** 44, [pattern(512)]);
  const time = processorTime(() => {
    for (let i = 0; i < 1000; i++) disk.discard(0, 2 ** 45);
  });
  expect(disk.allocatedBytes).toBe(0);
  expect(time).toBeLessThan(1000);
});
