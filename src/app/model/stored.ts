import type { ImageRecord } from '../../storage/image-store.ts';
import type { LayerUsage } from '../../storage/layer-store.ts';

/** An image in the browser's storage. */
export interface StoredImage {
  /** The canonical reference. */
  readonly reference: string;
  readonly layers: readonly string[];
  /** The size of all of its layers in bytes. Other images may share some of them. */
  readonly size: number;
  /** The bytes that deleting the image frees. */
  readonly ownSize: number;
  /** The time in ms since 1970. */
  readonly lastUsed: number;
  /** Whether it is running in any tab. */
  readonly inUse: boolean;
}

/** Lists the store's images whose layers are all there. */
export function storedImages(images: readonly ImageRecord[], layers: readonly LayerUsage[]): StoredImage[] {
  const byId = new Map(layers.map((layer) => [layer.diffId, layer]));
  const users = new Map<string, number>();
  const whole = images.filter((image) => image.layers.every((diffId) => byId.has(diffId)));
  for (const image of whole)
    for (const diffId of new Set(image.layers)) users.set(diffId, (users.get(diffId) ?? 0) + 1);
  return whole.map(({ reference, lastUsed, layers }) => {
    const own = [...new Set(layers)];
    const used = own.map((diffId) => byId.get(diffId) as LayerUsage);
    return {
      reference,
      lastUsed,
      layers: own,
      size: total(used),
      ownSize: total(used.filter(({ diffId }) => users.get(diffId) === 1)),
      inUse: used.some(({ inUse }) => inUse),
    };
  });
}

/** Returns the layers that no image needs any more. */
export function orphans(images: readonly StoredImage[], layers: readonly LayerUsage[]): LayerUsage[] {
  const needed = new Set(images.flatMap((image) => image.layers));
  return layers.filter(({ diffId }) => !needed.has(diffId));
}

function total(layers: readonly LayerUsage[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}
