import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { equalBytes, pattern } from '../machine/devices/testing/guest-driver.ts';
import type { DiskFile } from '../storage/disk-files.ts';
import { StorageError, StorageFullError } from '../storage/errors.ts';
import { MemoryDiskFile } from '../storage/memory.ts';
import { KeptDisk } from './kept-disk.ts';
import { PowerLossFile } from './testing/power-loss-file.ts';

const MIB = 1 << 20;
const SIZE = 6 * MIB;
/** Not in the file system's own area. */
const PLACE = 5 * MIB;
const RUNS = Number(process.env.FUZZ_RUNS ?? 20);

function contentOf(disk: KeptDisk): Uint8Array {
  const all = new Uint8Array(SIZE);
  disk.read(0, [all]);
  return all;
}

const place = fc.record({ sector: fc.nat(SIZE / 512 - 400), sectors: fc.integer({ min: 1, max: 400 }) });
const operation = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('write' as const), place, seed: fc.nat(255) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('discard' as const), place }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('revert' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('crash' as const), count: fc.nat(5) }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

function apply(disk: KeptDisk, model: Uint8Array, step: Operation): void {
  if (step.kind !== 'write' && step.kind !== 'discard') return;
  const [offset, length] = [step.place.sector * 512, step.place.sectors * 512];
  if (step.kind === 'discard') {
    disk.discard(offset, length);
    model.fill(0, offset, offset + length);
    return;
  }
  const bytes = pattern(length, step.seed);
  disk.write(offset, [bytes.subarray(0, 512), bytes.subarray(512)]);
  model.set(bytes, offset);
}

test('behaves like a plain array through any writes, discards, checkpoints and reverts', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (steps) => {
      const file = new PowerLossFile();
      let disk = await KeptDisk.open(file, { sizeBytes: SIZE });
      const model = contentOf(disk).slice();
      let saved: { checkpoint: number; content: Uint8Array } | undefined;
      for (const step of steps) {
        apply(disk, model, step);
        if (step.kind === 'flush') await disk.flush();
        if (step.kind === 'checkpoint')
          saved = { checkpoint: await disk.checkpoint(), content: model.slice() };
        if (step.kind === 'drop') {
          await disk.dropCheckpoints();
          saved = undefined;
        }
        if (step.kind === 'reopen' || (step.kind === 'revert' && saved)) {
          await disk.close();
          const checkpoint = step.kind === 'revert' ? saved?.checkpoint : undefined;
          disk = await KeptDisk.open(file, { sizeBytes: SIZE });
          if (checkpoint !== undefined) disk.revert(checkpoint);
          if (checkpoint !== undefined && saved) model.set(saved.content);
          else saved = undefined;
        }
        if (step.kind !== 'write') expect(equalBytes(contentOf(disk), model)).toBe(true);
      }
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
});

test('after a loss of power every sector holds what was flushed last, or something later', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { maxLength: 60 }),
      fc.infiniteStream(fc.nat()),
      async (steps, choices) => {
        const file = new PowerLossFile();
        let disk = await KeptDisk.open(file, { sizeBytes: SIZE });
        await disk.flush();
        const model = contentOf(disk).slice();
        /** The contents that each sector may have. */
        let possible = [model.slice()];
        let saved: { checkpoint: number; content: Uint8Array } | undefined;
        for (const step of steps) {
          apply(disk, model, step);
          if (step.kind === 'write' || step.kind === 'discard') possible.push(model.slice());
          if (step.kind === 'flush') {
            await disk.flush();
            possible = [model.slice()];
          }
          if (step.kind === 'checkpoint') {
            saved = { checkpoint: await disk.checkpoint(), content: model.slice() };
            possible = [model.slice()];
          }
          if (step.kind === 'crash') {
            file.remaining = step.count;
            // Odd numbers lose the power in the middle of a checkpoint.
            await (step.count % 2 ? disk.checkpoint() : disk.flush()).catch(() => {});
          }
          if (step.kind !== 'reopen' && step.kind !== 'revert' && step.kind !== 'crash') continue;
          file.losePower(() => choices.next().value);
          if (saved) {
            const copy = await KeptDisk.open(file.copy(), { sizeBytes: SIZE });
            copy.revert(saved.checkpoint);
            expect(equalBytes(contentOf(copy), saved.content)).toBe(true);
          }
          const isReverted = step.kind === 'revert' && saved !== undefined;
          disk = await KeptDisk.open(file, { sizeBytes: SIZE });
          if (isReverted) disk.revert(saved?.checkpoint as number);
          const found = contentOf(disk);
          if (isReverted) expect(equalBytes(found, saved?.content as Uint8Array)).toBe(true);
          else expect(firstImpossible(found, possible)).toBe(-1);
          if (!isReverted) saved = undefined;
          model.set(found);
          await disk.flush();
          possible = [model.slice()];
        }
      },
    ),
    { numRuns: RUNS, endOnFailure: true },
  );
});

/** The first sector that is in none of the contents. */
function firstImpossible(found: Uint8Array, possible: readonly Uint8Array[]): number {
  for (let sector = 0; sector < SIZE / 512; sector++) {
    const [from, to] = [sector * 512, (sector + 1) * 512];
    const part = found.subarray(from, to);
    if (!possible.some((content) => equalBytes(content.subarray(from, to), part))) return sector;
  }
  return -1;
}

describe('checkpoints', () => {
  test('the disk can be opened at the committed one until the next is committed', async () => {
    const file = new PowerLossFile();
    const disk = await KeptDisk.open(file, { sizeBytes: SIZE });
    disk.write(PLACE, [pattern(4096, 1)]);
    const first = await disk.checkpoint();
    disk.write(PLACE, [pattern(4096, 2)]);
    // One whose session was never committed, and then another.
    await disk.checkpoint();
    disk.write(PLACE, [pattern(4096, 3)]);
    const third = await disk.checkpoint();
    disk.write(PLACE, [pattern(4096, 4)]);
    await disk.flush();
    const at = async (checkpoint?: number) => {
      const opened = await KeptDisk.open(file.copy(), { sizeBytes: SIZE });
      if (checkpoint !== undefined) opened.revert(checkpoint);
      const bytes = new Uint8Array(4096);
      opened.read(PLACE, [bytes]);
      return bytes;
    };
    expect(await at(first)).toEqual(pattern(4096, 1));
    expect(await at(third)).toEqual(pattern(4096, 3));
    expect(await at()).toEqual(pattern(4096, 4));
    await disk.dropCheckpoints(third);
    expect(await at(third)).toEqual(pattern(4096, 3));
    await expect(at(first)).rejects.toThrow(/does not have the state of the saved session/);
  });

  test('a disk that was reverted can be reverted again', async () => {
    const file = new PowerLossFile();
    let disk = await KeptDisk.open(file, { sizeBytes: SIZE });
    disk.write(PLACE, [pattern(4096, 1)]);
    const checkpoint = await disk.checkpoint();
    for (let round = 2; round < 5; round++) {
      disk.write(PLACE, [pattern(4096, round)]);
      await disk.flush();
      disk = await KeptDisk.open(file, { sizeBytes: SIZE });
      disk.revert(checkpoint);
      const bytes = new Uint8Array(4096);
      disk.read(PLACE, [bytes]);
      expect(bytes).toEqual(pattern(4096, 1));
    }
  });

  test('take room only for what changes, which is given back', async () => {
    const file = new PowerLossFile();
    const disk = await KeptDisk.open(file, { sizeBytes: SIZE });
    disk.write(PLACE, [pattern(MIB)]);
    await disk.flush();
    const before = file.size;
    for (let round = 0; round < 20; round++) {
      await disk.dropCheckpoints(await disk.checkpoint());
      disk.write(PLACE, [pattern(MIB, round)]);
    }
    await disk.dropCheckpoints();
    expect(file.size).toBeLessThanOrEqual(before + 6 * MIB);
    disk.discard(PLACE, MIB);
    await disk.flush();
    disk.write(0, [new Uint8Array(512)]);
    await disk.flush();
    expect(file.size).toBeLessThan(before + 6 * MIB);
  });
});

test('the file is compact after the end', async () => {
  const file = new PowerLossFile();
  const disk = await KeptDisk.open(file, { sizeBytes: 64 * MIB });
  disk.write(8 * MIB, [pattern(24 * MIB, 1)]);
  disk.write(40 * MIB, [pattern(MIB, 2)]);
  const checkpoint = await disk.checkpoint();
  disk.write(40 * MIB, [pattern(MIB, 3)]);
  disk.discard(8 * MIB, 24 * MIB);
  await disk.dropCheckpoints(await disk.checkpoint());
  disk.write(40 * MIB, [pattern(512, 4)]);
  await disk.flush();
  expect(file.size).toBeGreaterThan(24 * MIB);
  await disk.close();
  expect(file.size).toBeLessThan(8 * MIB);
  const opened = await KeptDisk.open(file, { sizeBytes: 64 * MIB });
  const bytes = new Uint8Array(MIB);
  opened.read(40 * MIB, [bytes]);
  expect(equalBytes(bytes.subarray(512), pattern(MIB, 3).subarray(512))).toBe(true);
  opened.revert(checkpoint + 1);
  opened.read(40 * MIB, [bytes]);
  expect(equalBytes(bytes, pattern(MIB, 3))).toBe(true);
});

describe('a full store', () => {
  test('fails writes, takes the metadata and goes on when there is room', async () => {
    const file = new PowerLossFile(12 * MIB);
    const told: (string | undefined)[] = [];
    const disk = await KeptDisk.open(file, {
      sizeBytes: 256 * MIB,
      onProblem: (problem) => told.push(problem),
    });
    const chunk = pattern(64 << 10, 7);
    let written = 0;
    const fill = () => {
      for (; written < 1000; written++) disk.write(100 * MIB + written * chunk.length, [chunk]);
    };
    expect(fill).toThrow(StorageFullError);
    expect(told).toEqual(['the file is full']);
    expect(written).toBeGreaterThan(4);
    // A bitmap, and then everything that a flush needs.
    disk.write(128 * MIB, [pattern(4096)]);
    await disk.flush();
    const copy = await KeptDisk.open(file.copy(), { sizeBytes: 256 * MIB });
    const bytes = new Uint8Array(chunk.length);
    for (let index = 0; index < written; index++) {
      copy.read(100 * MIB + index * chunk.length, [bytes]);
      expect(equalBytes(bytes, chunk)).toBe(true);
    }
    file.capacity = 128 * MIB;
    await new Promise((resolve) => setTimeout(resolve, 250));
    fill();
    expect(told).toEqual(['the file is full', undefined]);
  });
});

describe('a stored disk that is damaged', () => {
  async function made(): Promise<PowerLossFile> {
    const file = new PowerLossFile();
    const disk = await KeptDisk.open(file, { sizeBytes: SIZE });
    await disk.flush();
    disk.write(PLACE, [pattern(4096, 1)]);
    await disk.flush();
    return file;
  }

  test('is opened by its other super block if one is torn', async () => {
    for (const at of [0, 32 << 10]) {
      const file = await made();
      file.write(at, new Uint8Array(512));
      await expect(KeptDisk.open(file, { sizeBytes: SIZE })).resolves.toBeInstanceOf(KeptDisk);
    }
  });

  test('is refused, never formatted again', async () => {
    const file = await made();
    for (const at of [0, 32 << 10]) file.write(at + 20, new Uint8Array([1, 2, 3]));
    await expect(KeptDisk.open(file, { sizeBytes: SIZE })).rejects.toThrow(StorageError);
    await expect(KeptDisk.open(await made(), { sizeBytes: 2 * SIZE })).rejects.toThrow(/has 6291456 bytes/);
  });
});

test('a disk in memory becomes durable when it gets a file, and stays whole if that fails', async () => {
  const disk = KeptDisk.inMemory({ sizeBytes: SIZE });
  disk.write(PLACE, [pattern(MIB, 1)]);
  await disk.flush();
  const full: DiskFile = new PowerLossFile(MIB);
  await expect(disk.moveTo(full)).rejects.toThrow(StorageFullError);
  disk.write(PLACE, [pattern(4096, 2)]);
  const file = new PowerLossFile();
  await disk.moveTo(file);
  file.losePower(() => 0);
  expect(equalBytes(contentOf(await KeptDisk.open(file, { sizeBytes: SIZE })), contentOf(disk))).toBe(true);
  disk.write(PLACE, [pattern(4096, 3)]);
  await disk.flush();
  file.losePower(() => 0);
  expect(equalBytes(contentOf(await KeptDisk.open(file, { sizeBytes: SIZE })), contentOf(disk))).toBe(true);
});

test('a file in memory is cut and grown with zeros', () => {
  const file = new MemoryDiskFile();
  file.resize(600_000);
  file.write(299_000, pattern(200_000));
  file.resize(300_000);
  file.resize(600_000);
  const bytes = new Uint8Array(300_000).fill(1);
  file.read(300_000, bytes);
  expect(bytes.every((byte) => byte === 0)).toBe(true);
});
