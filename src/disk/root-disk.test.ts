import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ByteSource } from './chunk-cache.ts';
import { RootDisk } from './root-disk.ts';
import { makeDisk, makeImage } from './testing/images.ts';
import { concat, end, file } from './testing/tar-writer.ts';

const CHUNK = 128 << 10;
const CACHE = 4 * CHUNK;

const contents = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * seed) & 0xff);

/** The second tar ends within a block. */
const TARS = [
  concat(file({ name: 'a' }, contents(12 * CHUNK, 3)), end()),
  file({ name: 'b' }, contents(700, 5)).subarray(0, 512 + 700),
  concat(file({ name: 'c' }, contents(2 * CHUNK, 7)), file({ name: 'd' }, contents(3000, 9)), end()),
];

/** A tar that counts reads, and answers when told to. */
class TestLayer implements ByteSource {
  readonly size: number;
  readonly reads: [offset: number, length: number][] = [];
  active = 0;
  mostActive = 0;
  failing = false;
  readonly #tar: Uint8Array;

  constructor(tar: Uint8Array) {
    this.#tar = tar;
    this.size = tar.length;
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    expect(offset + into.length).toBeLessThanOrEqual(this.size);
    this.reads.push([offset, into.length]);
    this.mostActive = Math.max(this.mostActive, ++this.active);
    await new Promise((resolve) => setImmediate(resolve));
    this.active--;
    if (this.failing) throw new Error('the layer is gone');
    into.set(this.#tar.subarray(offset, offset + into.length));
  }
}

const whole = makeDisk(TARS);
const image = makeImage(TARS);
let layers: TestLayer[];
let disk: RootDisk;
let errors: unknown[];

beforeEach(() => {
  layers = TARS.map((tar) => new TestLayer(tar));
  errors = [];
  disk = new RootDisk(image, layers, {
    chunkSize: CHUNK,
    cacheSize: CACHE,
    onError: (error) => errors.push(error),
  });
});

async function read(offset: number, ...lengths: number[]): Promise<Uint8Array> {
  const buffers = lengths.map((length) => new Uint8Array(length).fill(0xee));
  await disk.read(offset, buffers);
  return concat(...buffers);
}

/** Like toEqual, which takes long for this many bytes. */
const expectSame = (a: Uint8Array, b: Uint8Array | undefined) =>
  expect(Buffer.compare(a, b as Uint8Array)).toBe(0);

/** Waits for the end of read-ahead. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

test('is read-only, and has whole pages and the size in the metadata', () => {
  expect(disk.sizeBytes).toBe(whole.length);
  expect(disk.sizeBytes % 4096).toBe(0);
  expect(disk.readOnly).toBe(true);
  expect(() => disk.write()).toThrow('read-only');
  expect(disk.flush()).toBeUndefined();
});

test('any range reads like the tars end to end', async () => {
  const sectors = whole.length / 512;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(sectors - 1),
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 4 }),
      async (first, lengths) => {
        const offset = first * 512;
        const bytes = lengths.map((length) => length * 512);
        const total = bytes.reduce((a, b) => a + b);
        fc.pre(offset + total <= whole.length);
        expectSame(await read(offset, ...bytes), whole.slice(offset, offset + total));
      },
    ),
    { numRuns: 200 },
  );
});

test('many parallel reads are correct, and few reach the layers at a time', async () => {
  const results = await Promise.all(
    Array.from({ length: whole.length / 512 }, (_, sector) => read(sector * 512, 512)),
  );
  expectSame(concat(...results), whole);
  expect(layers[0]?.mostActive).toBeLessThanOrEqual(4);
});

test('metadata and cached data are available at once', async () => {
  expect(disk.read(0, [new Uint8Array(image.metadata.length)])).toBeUndefined();
  const start = image.layerOffsets[0] as number;
  expect(disk.read(start, [new Uint8Array(512)])).toBeInstanceOf(Promise);
  await settle();
  expect(disk.read(start, [new Uint8Array(1024)])).toBeUndefined();
  expect(layers[0]?.reads).toEqual([[0, CHUNK]]);
});

test('parallel reads of a chunk share one read of the layer', async () => {
  const start = image.layerOffsets[0] as number;
  const [a, b] = await Promise.all([read(start, 512), read(start + 512, 512)]);
  expect(concat(a, b)).toEqual(whole.slice(start, start + 1024));
  expect(layers[0]?.reads.filter(([offset]) => offset === 0)).toHaveLength(1);
});

test('the last chunk of a layer is as short as the layer', async () => {
  await read(image.layerOffsets[1] as number, 512);
  expect(layers[1]?.reads).toEqual([[0, 1212]]);
});

describe('the cache', () => {
  const at = (chunk: number) => (image.layerOffsets[0] as number) + chunk * CHUNK;
  const readsOf = (chunk: number) => layers[0]?.reads.filter(([offset]) => offset === chunk * CHUNK).length;

  test('is bounded, and keeps the most recently used chunks', async () => {
    // Backwards, so that nothing is read ahead.
    for (const chunk of [8, 6, 4, 2]) await read(at(chunk), 512);
    await read(at(8), 512);
    await read(at(0), 512); // in place of 6
    expect([8, 6, 4, 2, 0].map(readsOf)).toEqual([1, 1, 1, 1, 1]);
    for (const chunk of [8, 4, 2, 0, 6]) await read(at(chunk), 512);
    expect([8, 6, 4, 2, 0].map(readsOf)).toEqual([1, 2, 1, 1, 1]);
  });

  test('reads the next chunk in advance when reads are sequential', async () => {
    await read(at(0), 512);
    await settle();
    expect(readsOf(1)).toBe(0);
    await read(at(0) + 512, 512);
    await settle();
    expect([readsOf(0), readsOf(1), readsOf(2)]).toEqual([1, 1, 0]);
    expect(disk.read(at(1), [new Uint8Array(512)])).toBeUndefined();
  });

  test('follows several streams, also across the headers between files', async () => {
    await read(at(0), 512);
    await read(at(5), 512);
    await read(at(0) + 1536, 512);
    await read(at(5) + 2048, 512);
    await settle();
    expect([readsOf(1), readsOf(6)]).toEqual([1, 1]);
  });

  test('reads nothing ahead beyond a layer, or for random reads', async () => {
    await read(image.layerOffsets[1] as number, 512);
    await read((image.layerOffsets[1] as number) + 512, 512);
    for (const chunk of [7, 3, 5]) await read(at(chunk), 512);
    await settle();
    expect(layers.map(({ reads }) => reads.length)).toEqual([3, 1, 0]);
  });
});

describe('a layer that fails', () => {
  test('fails the reads that need it, reports the reason, and is read again', async () => {
    const [layer] = layers as [TestLayer];
    layer.failing = true;
    const start = image.layerOffsets[0] as number;
    await expect(read(start, 512)).rejects.toThrow('the layer is gone');
    expect(errors).toEqual([new Error('the layer is gone')]);
    expectSame(await read(image.layerOffsets[2] as number, 512), TARS[2]?.slice(0, 512));
    layer.failing = false;
    expectSame(await read(start, 512), TARS[0]?.slice(0, 512));
  });

  test('fails a read only after all its parts have settled', async () => {
    const [first, , last] = layers as [TestLayer, TestLayer, TestLayer];
    first.failing = true;
    const start = (image.layerOffsets[1] as number) - 512;
    const buffers = [new Uint8Array(512), new Uint8Array(8 * 512)];
    await expect(disk.read(start, buffers)).rejects.toThrow('the layer is gone');
    expect(last.active).toBe(0);
    expect(buffers[1]).toEqual(whole.slice(start + 512, start + 9 * 512));
  });

  test('is not reported when only read-ahead fails', async () => {
    const [layer] = layers as [TestLayer];
    const start = image.layerOffsets[0] as number;
    await read(start, 512);
    layer.failing = true;
    await read(start + 512, 512);
    await settle();
    expect(layer.reads).toHaveLength(2);
    expect(errors).toEqual([]);
  });
});

test('an image without layers is an empty root', async () => {
  const empty = makeImage([]);
  disk = new RootDisk(empty, []);
  expectSame(
    await read(0, empty.diskSize),
    concat(empty.metadata, new Uint8Array(empty.diskSize - empty.metadata.length)),
  );
});
