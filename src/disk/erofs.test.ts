import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ImageError } from './errors.ts';
import { layerSpecs } from './testing/arbitrary.ts';
import { readErofs } from './testing/erofs-reader.ts';
import { differences, listErofs } from './testing/facts.ts';
import { makeDisk } from './testing/images.ts';
import { ModelError, mergeModel } from './testing/model.ts';
import { concat, type EntrySpec, end, entry } from './testing/tar-writer.ts';

const tarOf = (specs: readonly EntrySpec[]) => concat(...specs.map(entry), end());

test('random layers become the file system that they describe', () => {
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
    { numRuns: 500 },
  );
});
