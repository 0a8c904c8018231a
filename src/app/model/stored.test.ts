import { expect, it } from 'vitest';
import type { ImageRecord } from '../../storage/image-store.ts';
import type { LayerUsage } from '../../storage/layer-store.ts';
import { orphans, storedImages } from './stored.ts';

const layer = (diffId: string, size: number, inUse = false): LayerUsage => ({
  diffId,
  size,
  inUse,
  lastUsed: 0,
});
const image = (reference: string, ...layers: string[]): ImageRecord => ({
  ...{ reference, layers, lastUsed: 5 },
  ...{ digest: '', config: '' },
});
const LAYERS = [layer('base', 100), layer('a', 10), layer('b', 1, true), layer('left', 7)];

it('computes the size of images, and the space that deleting them frees', () => {
  expect(storedImages([image('A', 'base', 'a', 'a'), image('B', 'base', 'b')], LAYERS)).toEqual([
    { reference: 'A', layers: ['base', 'a'], size: 110, ownSize: 10, lastUsed: 5, inUse: false },
    { reference: 'B', layers: ['base', 'b'], size: 101, ownSize: 1, lastUsed: 5, inUse: true },
  ]);
});

it('leaves out images with a missing layer', () => {
  expect(storedImages([image('A', 'base', 'gone')], LAYERS)).toEqual([]);
});

it('finds layers that no image needs', () => {
  const images = storedImages([image('A', 'base', 'a')], LAYERS);
  expect(orphans(images, LAYERS).map(({ diffId }) => diffId)).toEqual(['b', 'left']);
});
