import { StorageError } from '../storage/errors.ts';
import type { LayerStore, StoredLayer } from '../storage/layer-store.ts';
import type { BlockBackend } from './block-backend.ts';
import { writeErofs } from './erofs.ts';
import { RootDisk } from './root-disk.ts';
import { decodeIndex } from './tar.ts';
import { mergeLayers } from './tree.ts';

const UUID_SIZE = 16;

/**
 * The root disk of an image that may still be downloading when the machine starts. Until it is open, the disk
 * has size 0.
 */
export class ImageBackend implements BlockBackend {
  readonly readOnly = true;
  onResize = () => {};
  readonly #store: LayerStore;
  readonly #onError: (error: unknown) => void;
  #disk: RootDisk | undefined;

  /** @param onError called when stored layers cannot be read any more; the guest gets an I/O error then */
  constructor(store: LayerStore, onError: (error: unknown) => void) {
    this.#store = store;
    this.#onError = onError;
  }

  get sizeBytes(): number {
    return this.#disk?.sizeBytes ?? 0;
  }

  /**
   * @param diffIds of the layers, the lowest first, which the machine's owner holds
   * @throws StorageError when a layer is not stored, ImageError when the layers do not make a root file
   *   system
   */
  async open(diffIds: readonly string[]): Promise<void> {
    const layers = await Promise.all(diffIds.map((diffId) => this.#openLayer(diffId)));
    const root = mergeLayers(layers.map(({ index }) => decodeIndex(index)));
    const uuid = crypto.getRandomValues(new Uint8Array(UUID_SIZE));
    const image = writeErofs(
      root,
      layers.map(({ size }) => size),
      uuid,
    );
    this.#disk = new RootDisk(image, layers, { chunkSize: this.#store.readSize, onError: this.#onError });
    this.onResize();
  }

  read(offset: number, into: Uint8Array[]): void | Promise<void> {
    if (!this.#disk) throw new Error('the image is not open yet');
    return this.#disk.read(offset, into);
  }

  write(): never {
    throw new Error('the disk is read-only');
  }

  flush(): void {}

  async #openLayer(diffId: string): Promise<StoredLayer> {
    const layer = await this.#store.openHeld(diffId);
    if (!layer)
      throw new StorageError(
        `layer ${diffId} of the image is not stored any more: start the container again to pull it`,
      );
    return layer;
  }
}
