import { expect, test } from 'vitest';
import { SendQueue } from './send-queue.ts';

const filled = (length: number, value: number) => new Uint8Array(length).fill(value);

function contentOf(queue: SendQueue): Uint8Array {
  const content = new Uint8Array(queue.length);
  queue.copy(0, content);
  return content;
}

test.each([1, 3000, 40_000, 64 << 10, 100_000])('copies of %i bytes keep their values', (length) => {
  const queue = new SendQueue();
  const bytes = filled(length, 1);
  queue.pushCopy(bytes);
  bytes.fill(9);
  expect(contentOf(queue)).toEqual(filled(length, 1));
});

test('blocks are used again only when their bytes have been dropped', () => {
  const queue = new SendQueue();
  const other = new SendQueue();
  const size = 40_000;
  queue.pushCopy(filled(size, 1));
  queue.pushCopy(filled(size, 2));
  queue.drop(size - 1);
  other.pushCopy(filled(size, 3));
  expect(contentOf(queue)).toEqual(Uint8Array.of(1, ...filled(size, 2)));
  queue.drop(1);
  other.pushCopy(filled(size, 4));
  expect(contentOf(queue)).toEqual(filled(size, 2));
  expect(contentOf(other)).toEqual(Uint8Array.of(...filled(size, 3), ...filled(size, 4)));
});

test('bytes that are taken out do not change any more', () => {
  const queue = new SendQueue();
  const size = 50_000;
  queue.pushCopy(filled(size, 1));
  const [taken] = queue.takeAll();
  queue.pushCopy(filled(size, 2));
  expect(taken).toEqual(filled(size, 1));
});

test('pieces that were appended as they are belong to others', () => {
  const queue = new SendQueue();
  const frame = filled(64 << 10, 1);
  queue.push(frame);
  queue.drop(frame.length);
  queue.pushCopy(filled(64 << 10, 2));
  expect(frame).toEqual(filled(64 << 10, 1));
});
