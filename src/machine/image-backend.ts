import { writeErofs } from '../disk/erofs.ts';
import { RootDisk } from '../disk/root-disk.ts';
import { decodeIndex } from '../disk/tar.ts';
import { mergeLayers } from '../disk/tree.ts';
import type { LayerStore, StoredLayer } from '../storage/layer-store.ts';
import type { BlockBackend } from './devices/block-backend.ts';
import { MachineError } from './errors.ts';

const UUID_SIZE = 16;

/** The root disk of an image that may still be on its way when the machine starts: until then it has no room. */
export class ImageBackend implements BlockBackend {
  readonly readOnly = true;
  readonly #store: LayerStore;
  readonly #onError: (error: unknown) => void;
  #disk: RootDisk | undefined;

  /** @param onError told when stored layers cannot be read any more; the guest has an I/O error then */
  constructor(store: LayerStore, onError: (error: unknown) => void) {
    this.#store = store;
    this.#onError = onError;
  }

  get sizeBytes(): number {
    return this.#disk?.sizeBytes ?? 0;
  }

  /**
   * @param diffIds of the layers, the lowest first
   * @throws MachineError when one is not stored, ImageError when they make no root file system
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
    const layer = await this.#store.open(diffId);
    if (!layer) throw new MachineError(`layer ${diffId} of the image is not stored any more`);
    return layer;
  }
}
