import { expect, test } from 'vitest';
import { MemoryBlockBackend } from './block-backend.ts';
import { LateDisk } from './late-disk.ts';

const SIZE = 1 << 20;
const bytes = (value: number) => new Uint8Array(512).fill(value);

test('a disk that is chosen late is the chosen one', async () => {
  const late = new LateDisk(SIZE);
  const chosen = new MemoryBlockBackend(SIZE);
  late.open(chosen);
  await late.write(512, [bytes(7)]);
  const read = new Uint8Array(512);
  await chosen.read(512, [read]);
  expect(read).toEqual(bytes(7));
  await late.discard(512, 512);
  await late.read(512, [read]);
  expect(read).toEqual(bytes(0));
  expect(await late.suspend()).toEqual(chosen.suspend());
});

test('before that, it reads and writes nothing, and a saved state has nothing of it', () => {
  const late = new LateDisk(SIZE);
  expect(late.sizeBytes).toBe(SIZE);
  expect(() => late.read(0, [bytes(0)])).toThrow('not open yet');
  expect(() => late.write(0, [bytes(0)])).toThrow('not open yet');
  expect(late.suspend()).toBeUndefined();
});

test('a disk of another size is refused, because the guest knows the size', () => {
  expect(() => new LateDisk(SIZE).open(new MemoryBlockBackend(2 * SIZE))).toThrow(RangeError);
});
