import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameQueue } from './frame-queue.ts';

const SIZES = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 1900, max: 2200 }), fc.constant(20_000)),
);

test('gives frames as they came, in their order', () => {
  fc.assert(
    fc.property(SIZES, fc.infiniteStream(fc.boolean()), (sizes, takes) => {
      const queue = new FrameQueue();
      const expected: Uint8Array[] = [];
      const check = () =>
        expect(Buffer.compare(queue.shift() as Uint8Array, expected.shift() as Uint8Array)).toBe(0);
      for (const [index, size] of sizes.entries()) {
        const frame = new Uint8Array(size).fill(index);
        queue.push(frame);
        expected.push(frame.slice());
        if (takes.next().value) check();
        expect(queue.bytes).toBe(expected.reduce((sum, { length }) => sum + length, 0));
        expect(queue.isEmpty).toBe(expected.length === 0);
      }
      while (expected.length > 0) check();
      expect([queue.shift(), queue.bytes, queue.isEmpty]).toEqual([undefined, 0, true]);
    }),
  );
});

test('copies small frames, so they keep no larger memory alive', () => {
  const queue = new FrameQueue();
  const chunk = new Uint8Array(64 << 10);
  queue.push(chunk.subarray(0, 60));
  expect(queue.shift()?.buffer).not.toBe(chunk.buffer);
});
