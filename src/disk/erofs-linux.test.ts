import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layerSpecs, sideBySide } from './testing/arbitrary.ts';
import { readErofs } from './testing/erofs-reader.ts';
import { differences, listErofs, withoutDirectoryLinks } from './testing/facts.ts';
import { HAS_IMAGES, makeDisk, readLayers } from './testing/images.ts';
import { HAS_LINUX, HAS_UMOCI, mountInLinux, unpackWithUmoci } from './testing/linux.ts';
import { mergeModel } from './testing/model.ts';
import { concat, end, entry } from './testing/tar-writer.ts';
import { DISPUTED_LAYER, PLAIN_LAYERS } from './testing/torture.ts';

// A boot in QEMU can take half a minute on a busy machine.
describe.skipIf(!HAS_LINUX)('Linux sees', { timeout: 300_000 }, () => {
  test('everything awkward equals the model', async () => {
    const layers = [...PLAIN_LAYERS, DISPUTED_LAYER];
    const mounted = await mountInLinux(makeDisk(layers.map(({ tar }) => tar)));
    expect(differences(mounted, mergeModel(layers.map(({ specs }) => specs)))).toEqual([]);
  });

  test('random layers equal the model', async () => {
    const layers = sideBySide(fc.sample(layerSpecs, 100));
    const mounted = await mountInLinux(makeDisk(layers.map((specs) => concat(...specs.map(entry), end()))));
    expect(differences(mounted, mergeModel(layers))).toEqual([]);
  });

  test.skipIf(!HAS_UMOCI)('what umoci unpacks, except where tools disagree', async () => {
    const tars = PLAIN_LAYERS.map(({ tar }) => tar);
    const written = listErofs(readErofs(makeDisk(tars)));
    expect(differences(withoutDirectoryLinks(written), await unpackWithUmoci(tars))).toEqual([]);
  });

  const tags = ['hello-world', 'edge-whiteout', ...(process.env.LONG_TESTS ? ['python'] : [])];
  test.skipIf(!HAS_UMOCI || !HAS_IMAGES).each(tags)(
    '%s of ../shared/images as umoci unpacks it',
    async (tag) => {
      const tars = readLayers(tag);
      const mounted = await mountInLinux(makeDisk(tars));
      expect(differences(withoutDirectoryLinks(mounted), await unpackWithUmoci(tars))).toEqual([]);
    },
  );
});
