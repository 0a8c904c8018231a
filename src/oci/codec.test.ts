import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { Random } from '../../emulator-wasm/test/support/random.ts';
import { type Bytes, collect } from './bytes.ts';
import { type Codec, decompress } from './codec.ts';
import { ImageError } from './errors.ts';
import { nodeCodec } from './node-codec.ts';
import { browserCodecInNode } from './testing/browser-codec-in-node.ts';
import { gzipBody, pieceSize, unpackedByZlib } from './testing/gzip-bodies.ts';

/** Random files, which are the same in each run. */
const FILES = process.env.LONG_TESTS ? 500 : 150;

const codecs: Record<string, Codec> = { node: nodeCodec, browser: browserCodecInNode };

async function* inPieces(bytes: Uint8Array, size: number): Bytes {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const unpack = (codec: Codec, bytes: Uint8Array, size = 1000) =>
  collect(decompress(inPieces(bytes, size), codec), 1 << 30, 'the output');

/** The same in each run: damage must not depend on chance. */
const chance = new Random(10);

/** Returns bytes that do not compress. */
const noise = (size: number) => Uint8Array.from({ length: size }, () => chance.below(256));

/** Returns text that compresses, but not trivially. */
function sample(size: number): Uint8Array {
  const words = Array.from({ length: 50 }, () => Buffer.from(noise(chance.below(20))).toString('hex'));
  let text = '';
  while (text.length < size) text += chance.pick(words);
  return new TextEncoder().encode(text.slice(0, size));
}

/** Makes a zstd frame of raw blocks or of blocks that repeat a byte (RFC 8878, section 3.1.1). */
function zstdFrame(blocks: readonly { raw: Uint8Array }[] | { byte: number; size: number; times: number }) {
  const parts: Uint8Array[] = [new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0, 0x48])];
  const header = (size: number, type: number, last: boolean) => {
    const value = (size << 3) | (type << 1) | (last ? 1 : 0);
    return new Uint8Array([value & 255, (value >> 8) & 255, value >> 16]);
  };
  if ('byte' in blocks) {
    for (let i = 1; i <= blocks.times; i++)
      parts.push(header(blocks.size, 1, i === blocks.times), new Uint8Array([blocks.byte]));
  } else {
    blocks.forEach(({ raw }, i) => {
      parts.push(header(raw.length, 0, i === blocks.length - 1), raw);
    });
  }
  return new Uint8Array(Buffer.concat(parts));
}

const skippable = (size: number) =>
  new Uint8Array([0x50, 0x2a, 0x4d, 0x18, size, 0, 0, 0, ...new Uint8Array(size)]);

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe.each(Object.entries(codecs))('the %s codec', (_name, codec) => {
  it.each(['sha256', 'sha512'] as const)('hashes a stream by %s, one beside another', async (algorithm) => {
    const bytes = sample(100_000);
    const hashers = [await codec.createHasher(algorithm), await codec.createHasher(algorithm)];
    for (let at = 0; at < bytes.length; at += 777)
      for (const hasher of hashers) hasher.update(bytes.subarray(at, at + 777));
    const expected = createHash(algorithm).update(bytes).digest('hex');
    for (const hasher of hashers) expect(hasher.digest()).toBe(expected);
  });

  it.each([1, 3, 17, 1000, 1 << 20])('decompresses gzip in pieces of %i bytes', async (piece) => {
    const bytes = sample(20_000);
    expect(Buffer.compare(await unpack(codec, gzipSync(bytes), piece), bytes)).toBe(0);
    expect(await unpack(codec, gzipSync(new Uint8Array(0)), piece)).toHaveLength(0);
  });

  it.each([1, 19, 4096, 1 << 20])(
    'decompresses gzip of many members, in pieces of %i bytes',
    async (piece) => {
      const contents = [sample(30_000), new Uint8Array(0), sample(1), sample(5000), new Uint8Array(100_000)];
      const members = contents.map((bytes) => gzipSync(bytes));
      const whole = await unpack(codec, Buffer.concat(members), piece);
      expect(Buffer.compare(whole, Buffer.concat(contents))).toBe(0);
    },
  );

  it('is not confused by contents that look like headers', async () => {
    // Stored blocks contain the contents unchanged, such as compressed files.
    const bytes = Buffer.concat(Array.from({ length: 30 }, () => [noise(50), gzipSync('x')]).flat());
    const gzip = gzipSync(bytes, { level: 0 });
    expect(Buffer.compare(await unpack(codec, gzip, 64), bytes)).toBe(0);
  });

  it('agrees with zlib about gzip files full of look-alikes, in pieces of any size', async () => {
    const random = new Random(20);
    for (let i = 0; i < FILES; i++) {
      const body = gzipBody(random);
      const expected = unpackedByZlib(body);
      const found = await unpack(codec, body, pieceSize(random, body)).catch((error) => {
        expect(error.message).toMatch(/^damaged gzip data/);
      });
      expect(found && digestOf(found), `file ${i}`).toEqual(expected && digestOf(expected));
    }
  });

  it('reads all of its source, including zeros after the last member and data after them', async () => {
    const bytes = Buffer.concat([gzipSync('contents'), new Uint8Array(500), noise(5000)]);
    let read = 0;
    async function* source() {
      for await (const piece of inPieces(bytes, 100)) {
        read += piece.length;
        yield piece;
      }
    }
    const found = await collect(decompress(source(), codec), 1 << 20, 'the output');
    expect(Buffer.from(found).toString()).toBe('contents');
    expect(read).toBe(bytes.length);
  });

  it('lets no timer decide where a member ends', async () => {
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const contents = Buffer.concat(Array.from({ length: 200 }, () => gzipSync('x')));
    for (const level of [0, 6, 9])
      expect(Buffer.compare(await unpack(codec, gzipSync(contents, { level })), contents)).toBe(0);
    expect(timers).not.toHaveBeenCalled();
    timers.mockRestore();
  });

  it('refuses damaged and truncated gzip', async () => {
    const gzip = gzipSync(sample(50_000));
    const damaged = [
      gzip.subarray(0, gzip.length - 1),
      gzip.subarray(0, gzip.length / 2),
      gzip.subarray(0, 5),
      Buffer.concat([gzip, gzip.subarray(0, 20)]),
      Buffer.concat([gzip.subarray(0, 3000), noise(100), gzip.subarray(3100)]),
      Buffer.concat([gzip.subarray(0, 10), noise(5000)]),
    ];
    for (const bytes of damaged) {
      const error = await unpack(codec, bytes).catch((error) => error);
      expect(error).toBeInstanceOf(ImageError);
      expect(error.message).toMatch(/^damaged gzip data/);
    }
  });

  it('stops a gzip bomb where its reader stops', async () => {
    const bomb = gzipSync(new Uint8Array(1 << 28), { level: 9 });
    const before = process.memoryUsage().rss;
    const error = await collect(decompress(inPieces(bomb, 1 << 20), codec), 8 << 20, 'x').catch((e) => e);
    expect(error.message).toMatch(/larger than/);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20);
  });
});

describe('zstd', () => {
  it('decompresses one or several frames, and skippable ones', async () => {
    const parts = [sample(3000), sample(10), sample(70_000)];
    const frames = [
      skippable(0),
      zstdFrame(parts.slice(0, 2).map((raw) => ({ raw }))),
      skippable(100),
      skippable(0),
      zstdFrame([{ raw: parts[2] as Uint8Array }]),
      ...Array.from({ length: 20 }, () => skippable(3)),
    ];
    for (const piece of [1, 100, 1 << 20]) {
      const whole = await unpack(nodeCodec, Buffer.concat(frames), piece);
      expect(Buffer.compare(whole, Buffer.concat(parts))).toBe(0);
    }
  });

  it('decompresses two streams at a time', async () => {
    const contents = [sample(100_000), sample(120_000)];
    const outputs = await Promise.all(
      contents.map((raw) => unpack(nodeCodec, zstdFrame([{ raw }, { raw }]), 500)),
    );
    outputs.forEach((output, i) => {
      const raw = contents[i] as Uint8Array;
      expect(Buffer.compare(output, Buffer.concat([raw, raw]))).toBe(0);
    });
  });

  it('refuses damaged and truncated data', async () => {
    const frame = zstdFrame([{ raw: sample(1000) }, { raw: sample(1000) }]);
    const damaged = [
      frame.subarray(0, frame.length - 1),
      frame.subarray(0, 7),
      Buffer.concat([frame, noise(50)]),
      Buffer.concat([frame.subarray(0, 6), new Uint8Array([0xff]), noise(5000)]),
      // A reserved block type.
      Buffer.concat([frame.subarray(0, 6), new Uint8Array([7, 0, 0]), frame.subarray(9)]),
    ];
    for (const bytes of damaged) {
      const error = await unpack(nodeCodec, bytes).catch((error) => error);
      expect(error).toBeInstanceOf(ImageError);
      expect(error.message).toMatch(/^damaged zstd data/);
    }
    // The decoder works again.
    expect(await unpack(nodeCodec, frame)).toHaveLength(2000);
  });

  it('stops a bomb where its reader stops', async () => {
    const bomb = zstdFrame({ byte: 0, size: 128 << 10, times: 1000 });
    expect(await unpack(nodeCodec, bomb, 1 << 20)).toHaveLength(1000 * (128 << 10));
    const source = decompress(inPieces(bomb, 1 << 20), nodeCodec);
    await expect(collect(source, 8 << 20, 'x')).rejects.toThrow(/larger than/);
  });

  it.each<[string, number[], string]>([
    ['256 MiB', [0, 18 << 3], '256 MiB'],
    ['144 MiB, after a skippable frame', [0, (17 << 3) | 1], '144 MiB'],
    ['2 GiB', [0, 21 << 3], '2048 MiB'],
    ['a single segment of that size', [0xa0, 0, 0, 0, 0x20], '512 MiB'],
    ['a single segment, with a dictionary', [0xe3, 1, 2, 3, 4, 0, 0, 0, 0, 1, 0, 0, 0], '4096 MiB'],
  ])('names the limit for a window of %s', async (name, header, size) => {
    const frame = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, ...header, ...new Uint8Array(100)]);
    const bytes = name.includes('skippable') ? Buffer.concat([skippable(200), frame]) : frame;
    for (const piece of [1, 1000])
      await expect(unpack(nodeCodec, bytes, piece)).rejects.toThrow(
        `the zstd data needs a window of ${size}, and the limit is 128 MiB: compress it again without --long`,
      );
  });

  const hasZstd = spawnSync('zstd', ['--version']).status === 0;
  it.skipIf(!hasZstd).each([['-1'], ['-19'], ['-3', '--long=27'], ['-5', '--no-check', '-B4096']])(
    'undoes what zstd makes with %s',
    async (...flags) => {
      const bytes = sample(500_000);
      const compressed = execFileSync('zstd', ['-c', ...flags], { input: bytes, maxBuffer: 1 << 28 });
      expect(Buffer.compare(await unpack(nodeCodec, compressed, 10_000), bytes)).toBe(0);
    },
  );
});

/** What the format's own program makes of data, undefined if it refuses. */
function unpackedBy(program: string, bytes: Uint8Array): Uint8Array | undefined {
  const { status, stdout } = spawnSync(program, ['-dcq'], { input: bytes, maxBuffer: 1 << 28 });
  return status === 0 ? stdout : undefined;
}

const packedBy = (program: string, bytes: Uint8Array, ...flags: string[]) =>
  execFileSync(program, ['-c', ...flags], { input: bytes, maxBuffer: 1 << 28 });

const has = (program: string) => spawnSync(program, ['--help']).status === 0;

describe.each([
  ['xz', 64 << 10, ['-0', '-9', '--block-size=20000', '--check=none', '--check=crc32']],
  ['bzip2', 3000, ['-1', '-9']],
])('%s (skipped where its program is absent)', (format, bombSize, ways) => {
  const isAbsent = !has(format);

  it.skipIf(isAbsent).each(ways)('is undone after %s', async (flag) => {
    for (const bytes of [sample(0), sample(1), sample(1_000_000), noise(1_000_000)]) {
      const packed = packedBy(format, bytes, flag);
      expect(Buffer.compare(await unpack(nodeCodec, packed, 10_000), bytes)).toBe(0);
    }
  });

  it.skipIf(isAbsent).each([1, 7, 1 << 20])('is undone in pieces of %i bytes', async (piece) => {
    const contents = [sample(20_000), new Uint8Array(0), new Uint8Array(100_000), noise(9000)];
    const packed = Buffer.concat([...contents.map((bytes) => packedBy(format, bytes)), new Uint8Array(512)]);
    expect(Buffer.compare(await unpack(nodeCodec, packed, piece), Buffer.concat(contents))).toBe(0);
  });

  it.skipIf(isAbsent)('is undone in several streams at a time, one within another', async () => {
    const contents = [sample(300_000), noise(200_000), sample(400_000)];
    const twice = contents.map((bytes) => packedBy(format, packedBy(format, bytes)));
    const whole = (bytes: Uint8Array) =>
      collect(decompress(decompress(inPieces(bytes, 5000), nodeCodec), nodeCodec), 1 << 24, 'x');
    const unpacked = await Promise.all(twice.map(whole));
    unpacked.forEach((bytes, i) => {
      expect(Buffer.compare(bytes, contents[i] as Uint8Array)).toBe(0);
    });
  });

  it.skipIf(isAbsent)('agrees with the program about damaged files', async () => {
    const random = new Random(30);
    const whole = [sample(3000), noise(500), new Uint8Array(0)].map((bytes) => packedBy(format, bytes));
    for (let i = 0; i < FILES / 3; i++) {
      const parts = Array.from({ length: 1 + random.below(3) }, () => random.pick(whole));
      const body = damaged(random, Buffer.concat(parts));
      const found = await unpack(nodeCodec, body, random.pick([1, 97, 1 << 20])).catch((error) => {
        expect(error).toBeInstanceOf(ImageError);
        expect(error.message).toMatch(/^(damaged|the) (xz|bzip2) data/);
        return undefined;
      });
      // Bytes that are not of the format are no concern of its decoder.
      if (found && Buffer.compare(found, body) === 0) continue;
      const expected = unpackedBy(format, body);
      // bzip2 ignores whatever follows a stream; we ignore only zeros.
      if (format === 'bzip2' && !found && expected) {
        const junk = spawnSync('bzip2', ['-dc'], { input: body }).stderr.toString();
        expect(junk, `file ${i}`).toMatch(/trailing garbage/);
      } else expect(found && digestOf(found), `file ${i}`).toEqual(expected && digestOf(expected));
    }
  });

  it.skipIf(isAbsent)('is refused when it is truncated', async () => {
    const packed = packedBy(format, sample(50_000));
    for (const size of [11, 20, packed.length / 2, packed.length - 5, packed.length - 1])
      await expect(unpack(nodeCodec, packed.subarray(0, size))).rejects.toThrow(
        `damaged ${format} data (unexpected end of file)`,
      );
  });

  it.skipIf(isAbsent)('stops a bomb where its reader stops', async () => {
    const bomb = packedBy(format, new Uint8Array(1 << 26));
    expect(bomb.length).toBeLessThan(bombSize);
    const before = process.memoryUsage().rss;
    const source = decompress(inPieces(bomb, 1 << 20), nodeCodec);
    await expect(collect(source, 8 << 20, 'x')).rejects.toThrow(/larger than/);
    expect(process.memoryUsage().rss - before).toBeLessThan(60 << 20);
  });

  it('is not what only begins like it', async () => {
    const head = format === 'xz' ? [0xfd, 0x37, 0x7a, 0x58, 0x5a] : [0x42, 0x5a, 0x68, 0x39, 0x31];
    const bytes = Buffer.concat([Uint8Array.from(head), Uint8Array.of(1), new Uint8Array(500)]);
    expect(Buffer.compare(await unpack(nodeCodec, bytes), bytes)).toBe(0);
  });
});

/** Changes, cuts or lengthens most files. */
function damaged(random: Random, bytes: Uint8Array): Uint8Array {
  const body = Buffer.from(bytes);
  switch (random.below(5)) {
    case 0:
      return body;
    case 1:
      return body.subarray(0, random.below(body.length));
    case 2:
      return Buffer.concat([body, new Uint8Array(1 + random.below(9))]);
    case 3:
      return Buffer.concat([body, body.subarray(0, random.below(20))]);
    default: {
      const at = random.below(body.length);
      body[at] = (body[at] as number) ^ (1 << random.below(8));
      return body;
    }
  }
}

/** Makes a bzip2 file of one block, in which each symbol is four bits. */
function bzip2Block(symbols: string, checksum: string): Uint8Array {
  const binary = (hex: string) =>
    [...hex].map((digit) => Number(`0x${digit}`).toString(2).padStart(4, '0')).join('');
  const bits = [
    binary(`425a6839314159265359${checksum}`),
    // Not randomized, the origin, and the fourteen bytes from "`" on.
    '0',
    binary('000000' + '0200' + 'fffc'),
    // Two tables, one group of symbols in the first table, and the length of all codes.
    '010' + '000000000000001' + '0',
    `00100${'0'.repeat(16)}`.repeat(2),
    binary(`${symbols}f177245385090${checksum}`),
  ].join('');
  const bytes = bits.match(/.{1,8}/g) ?? [];
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
}

it('undoes a bzip2 block whose contents look like the start of another block', async () => {
  const packed = bzip2Block('23456789' + '314159265359' + '2345', 'd3fad87b');
  const expected = '`egdeffdgfdfecafghdfdba`eg';
  for (const piece of [1, 1000])
    expect(Buffer.from(await unpack(nodeCodec, packed, piece)).toString()).toBe(expected);
});

it('refuses bzip2 full of false blocks at once', async () => {
  const block = Buffer.from('314159265359', 'hex');
  const bytes = Buffer.concat([Buffer.from('BZh9'), ...Array.from({ length: 300_000 }, () => block)]);
  await expect(unpack(nodeCodec, bytes, 1 << 20)).rejects.toThrow('damaged bzip2 data (invalid bzip2 data)');
  const endless = Buffer.concat([Buffer.from('BZh9'), block, new Uint8Array(4 << 20)]);
  await expect(unpack(nodeCodec, endless, 1 << 20)).rejects.toThrow('damaged bzip2 data');
});

it.skipIf(!has('xz')).each([
  ['a filter', ['--x86', '--lzma2=preset=1'], /uses a filter or check other than LZMA2, CRC32 and CRC64/],
  ['a check', ['-C', 'sha256'], /uses a filter or check other than/],
  ['a dictionary', ['--lzma2=preset=1,dict=65MiB'], /needs a dictionary of over 64 MiB, which is the limit/],
])('names what it cannot undo of xz: %s', async (_name, flags, message) => {
  const error = await unpack(nodeCodec, packedBy('xz', sample(5000), ...flags)).catch((error) => error);
  expect(error).toBeInstanceOf(ImageError);
  expect(error.message).toMatch(message);
});

it('leaves other data unchanged', async () => {
  for (const size of [0, 1, 3, 4, 5000]) {
    const bytes = sample(size);
    expect(Buffer.compare(await unpack(nodeCodec, bytes, 2), bytes)).toBe(0);
  }
});

const compressedSamples = (size: number) => [
  gzipSync(sample(size)),
  zstdFrame([{ raw: sample(size) }]),
  ...['xz', 'bzip2'].filter(has).map((program) => packedBy(program, sample(size))),
];

it('passes on the errors of the source unchanged', async () => {
  for (const head of compressedSamples(9000)) {
    for (const codec of Object.values(codecs)) {
      async function* failing(): Bytes {
        yield head.subarray(0, 1000);
        throw new ImageError('the network is down', 'network');
      }
      await expect(collect(decompress(failing(), codec), 1e6, 'x')).rejects.toThrow('the network is down');
    }
  }
});

it('closes the source when its reader stops', async () => {
  for (const head of [...compressedSamples(90_000), sample(90_000)]) {
    for (const codec of Object.values(codecs)) {
      let closed = false;
      async function* source(): Bytes {
        try {
          for (;;) yield head;
        } finally {
          closed = true;
        }
      }
      for await (const _ of decompress(source(), codec)) break;
      await expect.poll(() => closed).toBe(true);
    }
  }
});
