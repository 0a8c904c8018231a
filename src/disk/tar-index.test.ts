import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ImageError } from '../oci/errors.ts';
import { checkEntry, normalizePath, type TarIndex } from './tar-entry.ts';
import { decodeIndex, encodeIndex } from './tar-index.ts';
import { layerSpecs } from './testing/arbitrary.ts';
import { HAS_IMAGES, indexTar, readLayers } from './testing/images.ts';
import { concat, end, entry } from './testing/tar-writer.ts';
import { PLAIN_LAYERS } from './testing/torture.ts';

const example = (): TarIndex => indexTar(PLAIN_LAYERS[1]?.tar as Uint8Array);

test('an index survives encoding and decoding', () => {
  fc.assert(
    fc.property(layerSpecs, (layers) => {
      const index = indexTar(concat(...layers.flat().map(entry), end()));
      expect(decodeIndex(encodeIndex(index))).toEqual(index);
    }),
    { numRuns: 100 },
  );
  for (const { tar } of PLAIN_LAYERS) {
    const index = indexTar(tar);
    expect(decodeIndex(encodeIndex(index))).toEqual(index);
  }
});

test.skipIf(!HAS_IMAGES)('an index is small: that of the Debian layer in ../shared/images', () => {
  const [tar] = readLayers('debian') as [Uint8Array];
  const index = indexTar(tar);
  const encoded = encodeIndex(index);
  expect(decodeIndex(encoded)).toEqual(index);
  expect(encoded.length).toBeLessThan(32 * index.entries.length);
});

describe('what is stored may be damaged', () => {
  test('at its end', () => {
    const encoded = encodeIndex(example());
    for (let length = 0; length < encoded.length; length++)
      expect(() => decodeIndex(encoded.subarray(0, length))).toThrow(ImageError);
    expect(() => decodeIndex(concat(encoded, new Uint8Array(1)))).toThrow('damaged');
  });

  test('in its version', () => {
    const encoded = encodeIndex(example());
    encoded[4] = 2;
    expect(() => decodeIndex(encoded)).toThrow('of another version');
  });

  test('anywhere, and is then refused or still obeys all rules', () => {
    const encoded = encodeIndex(example());
    fc.assert(
      fc.property(fc.nat(encoded.length - 1), fc.nat(255), (at, byte) => {
        const damaged = encoded.slice();
        damaged[at] = byte;
        let index: TarIndex;
        try {
          index = decodeIndex(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(ImageError);
          return;
        }
        for (const each of index.entries) {
          checkEntry(each);
          expect(normalizePath(each.path)).toBe(each.path);
          if (each.type === 'file' && !each.extents)
            expect(each.offset + each.size).toBeLessThanOrEqual(index.size);
        }
      }),
      { numRuns: 3000 },
    );
  });

  const FILE = { path: 'f', mode: 0, uid: 0, gid: 0, mtime: 0, mtimeNs: 0, xattrs: [] };
  test.each<[string, TarIndex['entries'][number]]>([
    ['a path that leads out', { ...FILE, path: '../f', type: 'fifo' }],
    ['an absolute path', { ...FILE, path: '/f', type: 'fifo' }],
    ['a link that leads out', { ...FILE, type: 'hardlink', target: 'a/../../b' }],
    ['a link that is absolute', { ...FILE, type: 'hardlink', target: '/a' }],
    ['contents behind the end', { ...FILE, type: 'file', offset: 512, size: 513 }],
    ['contents far behind the end', { ...FILE, type: 'file', offset: 2 ** 50, size: 0 }],
    [
      'extents behind the end',
      { ...FILE, type: 'file', offset: 512, size: 4096, extents: [{ offset: 0, length: 1024 }] },
    ],
    [
      'extents beyond the file',
      { ...FILE, type: 'file', offset: 0, size: 512, extents: [{ offset: 512, length: 512 }] },
    ],
    ['a mode of 13 bits', { ...FILE, type: 'fifo', mode: 0o10000 }],
    ['2^32 nanoseconds', { ...FILE, type: 'fifo', mtimeNs: 2 ** 32 }],
    ['a file as the root', { ...FILE, path: '', type: 'fifo' }],
  ])('with %s', (_, damaged) => {
    expect(() => decodeIndex(encodeIndex({ size: 1024, entries: [damaged] }))).toThrow(ImageError);
  });
});
