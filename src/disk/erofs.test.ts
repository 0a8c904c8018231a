import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ImageError } from '../oci/errors.ts';
import { writeErofs } from './erofs.ts';
import type { TarEntry } from './tar-entry.ts';
import { layerSpecs } from './testing/arbitrary.ts';
import { readErofs } from './testing/erofs-reader.ts';
import { differences, listErofs } from './testing/facts.ts';
import { makeDisk, UUID } from './testing/images.ts';
import { ModelError, mergeModel } from './testing/model.ts';
import { concat, type EntrySpec, end, entry } from './testing/tar-writer.ts';
import { DISPUTED_LAYER, PLAIN_LAYERS } from './testing/torture.ts';
import { mergeLayers } from './tree.ts';

const tarOf = (specs: readonly EntrySpec[]) => concat(...specs.map(entry), end());

test('random layers become the file system that the model describes', () => {
  fc.assert(
    fc.property(layerSpecs, (layers) => {
      const tars = layers.map(tarOf);
      let expected: ReturnType<typeof mergeModel>;
      try {
        expected = mergeModel(layers);
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        expect(() => makeDisk(tars)).toThrow(ImageError);
        return;
      }
      expect(differences(listErofs(readErofs(makeDisk(tars))), expected)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test('awkward layers become the file system that the model describes', () => {
  const layers = [...PLAIN_LAYERS, DISPUTED_LAYER];
  const written = listErofs(readErofs(makeDisk(layers.map(({ tar }) => tar))));
  expect(differences(written, mergeModel(layers.map(({ specs }) => specs)))).toEqual([]);
});

test('no layers make an empty root', () => {
  expect([...listErofs(readErofs(makeDisk([])))]).toMatchObject([['', { mode: 0o040755, links: 2 }]]);
});

test('the same image gives the same bytes', () => {
  const tars = PLAIN_LAYERS.map(({ tar }) => tar);
  expect(Buffer.compare(makeDisk(tars), makeDisk(tars))).toBe(0);
});

describe('the limits', () => {
  const FILE = { path: 'f', mode: 0, uid: 0, gid: 0, mtime: 0, mtimeNs: 0, xattrs: [] };
  const write = (size: number, ...entries: TarEntry[]) =>
    writeErofs(mergeLayers([{ size, entries }]), [size], UUID);

  test('of a disk are 2^32 blocks', () => {
    const size = 2 ** 41 - 65536;
    const { metadata, layerOffsets, diskSize } = write(size, {
      ...FILE,
      type: 'file',
      size: 5,
      offset: size - 512,
    });
    expect(diskSize).toBeLessThan(2 ** 41);
    const root = new DataView(metadata.buffer, 1152);
    const address = new DataView(metadata.buffer, 1024 + 16 + 128 + 64).getUint32(0, true);
    expect(root.getUint16(4, true) & 0o170000).toBe(0o040000);
    expect(address * 512).toBeLessThanOrEqual((layerOffsets[0] as number) + size);
    expect(() => write(2 ** 41)).toThrow('too large for a disk of 2 TiB');
  });

  test('of metadata apply to sparse files of many chunks', () => {
    const extents = [{ offset: 512, length: 512 }];
    const file: TarEntry = { ...FILE, type: 'file', size: 2 ** 40, offset: 512, extents };
    expect(() => write(4096, file)).toThrow('bytes of metadata');
  });

  test('a UUID has 16 bytes', () => {
    expect(() => writeErofs(mergeLayers([]), [], UUID.subarray(1))).toThrow(RangeError);
    expect(() =>
      writeErofs(
        mergeLayers([{ size: 512, entries: [{ ...FILE, type: 'file', size: 0, offset: 512 }] }]),
        [],
        UUID,
      ),
    ).toThrow('fewer layers');
  });
});
