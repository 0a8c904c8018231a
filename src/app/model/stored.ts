import type { ImageRecord } from '../../storage/image-store.ts';
import type { LayerUsage } from '../../storage/layer-store.ts';

/** An image in the browser's storage. */
export interface StoredImage {
  /** Canonical. */
  readonly reference: string;
  readonly layers: readonly string[];
  /** Bytes of all of its layers, some of which other images may share. */
  readonly size: number;
  /** Bytes that deleting it frees. */
  readonly ownSize: number;
  /** ms since 1970 */
  readonly lastUsed: number;
  /** Whether something runs from it, in any tab. */
  readonly inUse: boolean;
}

/** Images all of whose layers are there, as the store lists them. */
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

/** Layers that no image needs any more. */
export function orphans(images: readonly StoredImage[], layers: readonly LayerUsage[]): LayerUsage[] {
  const needed = new Set(images.flatMap((image) => image.layers));
  return layers.filter(({ diffId }) => !needed.has(diffId));
}

function total(layers: readonly LayerUsage[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}
