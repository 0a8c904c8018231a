import { ImageStore } from './image-store.ts';
import type { KeyValueStore, Locks } from './key-value.ts';
import { LayerStore } from './layer-store.ts';

/** Images and their shared layers, kept across runs. */
export class Store {
  readonly layers: LayerStore;
  readonly images: ImageStore;

  /** @param locks shared by all users of `values` */
  constructor(values: KeyValueStore, locks: Locks) {
    this.layers = new LayerStore(values, locks);
    this.images = new ImageStore(values);
  }

  /** Removes the remains of interrupted pulls, and images whose layers were evicted. */
  async sweep(): Promise<void> {
    await this.layers.sweep();
    for (const { reference, layers } of await this.images.list()) {
      const stored = await Promise.all(layers.map((diffId) => this.layers.has(diffId)));
      if (stored.includes(false)) await this.images.remove(reference);
    }
  }
}
