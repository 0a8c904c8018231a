import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { MachineError, StateError } from '../machine/errors.ts';
import type { Plain } from '../machine/state.ts';
import { concat } from '../streams/concat.ts';
import { VersionError } from './errors.ts';
import { openSnapshot, readHeader, type SnapshotContents, type Versions, writeSnapshot } from './file.ts';
import { PAGE } from './pages.ts';
import { ENCODING } from './sections.ts';
import { FUZZ } from './testing/fuzz.ts';
import { loadZstd } from './zstd.ts';

const VERSIONS: Versions = { core: 'c0', kernel: 'k0', initramfs: 'i0' };
const STATE: Plain = { harts: 1, block: Uint8Array.of(1, 2), disk: new Uint8Array(64 << 10).fill(3) };

function contents(ramPages = 1500): SnapshotContents {
  const ram = new Uint8Array(ramPages * PAGE);
  for (const page of [0, 1, 2, 511, 512, 700, 1499]) ram.fill(page % 251, page * PAGE, page * PAGE + 99);
  const header = { release: '1.2', versions: VERSIONS, ramBytes: ram.length, created: 5, about: 'vim' };
  return { header, state: STATE, ram };
}

async function write(snapshot: SnapshotContents): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of writeSnapshot(snapshot)) pieces.push(piece.slice());
  return concat(pieces);
}

async function* cut(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Uint8Array, versions?: Versions) {
  const { header, state, fillRam } = await openSnapshot(cut(bytes), {}, versions);
  const ram = new Uint8Array(header.ramBytes);
  await fillRam(ram);
  return { header, state, ram };
}

describe('a file', () => {
  it('is the same afterwards', async () => {
    const snapshot = contents();
    const bytes = await write(snapshot);
    expect(bytes.length).toBeLessThan(64 * 1024 + 9 * PAGE);
    const { header, state, ram } = await read(bytes, VERSIONS);
    expect({ header, state }).toEqual({ header: snapshot.header, state: STATE });
    expect(Buffer.compare(ram, snapshot.ram)).toBe(0);
  });

  it('says which version made it', async () => {
    const bytes = await write(contents());
    const other = { ...VERSIONS, kernel: 'k1' };
    await expect(read(bytes, other)).rejects.toThrow(new VersionError('1.2'));
    await expect(read(bytes, other)).rejects.toThrow('another build of LinuxRun 1.2 saved this session');
    await expect(read(bytes.with(8, 2))).rejects.toThrow('another version of LinuxRun saved this session');
  });

  it('says what it holds by its beginning', async () => {
    const snapshot = contents();
    const bytes = await write(snapshot);
    async function* beginning() {
      yield bytes.subarray(0, 1000);
      throw new Error('read further');
    }
    expect(await readHeader(beginning(), {}, VERSIONS)).toEqual(snapshot.header);
    await expect(readHeader(beginning(), {}, { ...VERSIONS, core: 'c1' })).rejects.toThrow(VersionError);
    await expect(openSnapshot(beginning(), {})).rejects.toThrow('read further');
  });

  it('is read by code that is there already', async () => {
    const bytes = await write(contents());
    const instantiate = vi.spyOn(WebAssembly, 'instantiate');
    await read(bytes);
    expect(instantiate).not.toHaveBeenCalled();
    instantiate.mockRestore();
  });

  it('is told from other files', async () => {
    await expect(read(new TextEncoder().encode('hello, this is text'))).rejects.toThrow('no saved session');
    await expect(read(new Uint8Array(0))).rejects.toThrow(MachineError);
  });

  it('is refused when it is cut off or goes on', async () => {
    const bytes = await write(contents());
    for (let length = 12; length < bytes.length; length += 997)
      await expect(read(bytes.subarray(0, length))).rejects.toThrow(StateError);
    await expect(read(bytes.subarray(0, -1))).rejects.toThrow('it ends early');
    await expect(read(concat([bytes, Uint8Array.of(0)]))).rejects.toThrow('something follows its end');
  });

  it('is refused when a byte of it is changed', async () => {
    const bytes = await write(contents(600));
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = bytes.with(at, (bytes[at] as number) ^ change);
        await expect(read(changed)).rejects.toThrow(MachineError);
      }),
      FUZZ,
    );
  });

  it('is refused when a part is missing or moved', async () => {
    const bytes = await write(contents());
    const parts = partsOf(bytes);
    for (let n = 0; n < parts.length; n++) {
      const without = concat(parts.filter((_, i) => i !== n));
      await expect(read(without)).rejects.toThrow(MachineError);
    }
    await expect(
      read(concat([...parts.slice(0, 2), ...parts.slice(3, 4), ...parts.slice(2, 3)])),
    ).rejects.toThrow(StateError);
  });

  it('whose contents do not decompress is refused', async () => {
    const pieces: Uint8Array[] = [];
    const compressor = { encoding: ENCODING.zstd, compress: (all: Uint8Array) => all.slice(0, 1) };
    for await (const piece of writeSnapshot(contents(), compressor)) pieces.push(piece.slice());
    const open = (zstd?: () => Uint8Array) => openSnapshot(cut(concat(pieces)), zstd ? { zstd } : {});
    await expect(open()).rejects.toThrow('it is compressed in an unknown way');
    await expect(open(() => Uint8Array.of(1))).rejects.toThrow('it cannot be decompressed');
    await expect(
      open(() => {
        throw new Error('trap');
      }),
    ).rejects.toThrow('it cannot be decompressed');
  });

  it('is compressed by zstd', async () => {
    const pieces: Uint8Array[] = [];
    const compress = (all: Uint8Array) => execFileSync('zstd', ['-3', '--no-check', '-c'], { input: all });
    const snapshot = contents();
    const whole = snapshot.ram.length / PAGE;
    for await (const piece of writeSnapshot(snapshot, { encoding: ENCODING.zstd, compress }, whole))
      pieces.push(piece.slice());
    const bytes = concat(pieces);
    expect(bytes.length).toBeLessThan(2000);
    const zstd = await loadZstd();
    const { fillRam } = await openSnapshot(cut(bytes), { zstd });
    const ram = new Uint8Array(snapshot.ram.length);
    await fillRam(ram);
    expect(Buffer.compare(ram, snapshot.ram)).toBe(0);
  });

  it('ends its stream when it is refused', async () => {
    let ended = false;
    async function* stream() {
      try {
        for (;;) yield new Uint8Array(100);
      } finally {
        ended = true;
      }
    }
    await expect(openSnapshot(stream(), {})).rejects.toThrow('no saved session');
    expect(ended).toBe(true);
  });
});

/** The magic and each section. */
function partsOf(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer);
  const parts = [bytes.subarray(0, 12)];
  for (let at = 12; at < bytes.length; ) {
    const end = at + 20 + view.getUint32(at + 4, true);
    parts.push(bytes.subarray(at, end));
    at = end;
  }
  return parts;
}
