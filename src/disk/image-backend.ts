import { StorageError } from '../storage/errors.ts';
import type { LayerStore, StoredLayer } from '../storage/layer-store.ts';
import type { BlockBackend, DiskState } from './block-backend.ts';
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
  /** Called with the layers of the image that was opened. */
  onOpen: (layers: readonly string[]) => void = () => {};
  readonly #store: LayerStore;
  readonly #onError: (error: unknown) => void;
  #disk: RootDisk | undefined;
  /** The layers of the open disk. */
  #layers: readonly StoredLayer[] = [];
  /** What makes up the open disk. */
  #content: { readonly layers: readonly string[]; readonly uuid: Uint8Array<ArrayBuffer> } | undefined;

  /** @param onError called when stored layers cannot be read any more; the guest gets an I/O error then */
  constructor(store: LayerStore, onError: (error: unknown) => void) {
    this.#store = store;
    this.#onError = onError;
  }

  get sizeBytes(): number {
    return this.#disk?.sizeBytes ?? 0;
  }

  /**
   * Opens an image, also in place of one that the guest has not read. Keeps what is open if it is the same.
   * @param diffIds of the layers, the lowest first, which the machine's owner holds
   * @throws StorageError when a layer is not stored, ImageError when the layers do not make a root file
   *   system
   */
  async open(
    diffIds: readonly string[],
    uuid = crypto.getRandomValues(new Uint8Array(UUID_SIZE)),
  ): Promise<void> {
    const layers = await Promise.all(diffIds.map((diffId, n) => this.#openLayer(diffId, this.#layers[n])));
    if (this.#disk && isSame(layers, this.#layers)) return;
    const root = mergeLayers(layers.map(({ index }) => decodeIndex(index)));
    const image = writeErofs(
      root,
      layers.map(({ size }) => size),
      uuid,
    );
    this.#disk = new RootDisk(image, layers, { chunkSize: this.#store.readSize, onError: this.#onError });
    this.#disk.prefetch();
    this.#layers = layers;
    this.#content = { layers: diffIds, uuid };
    this.onResize();
    this.onOpen(diffIds);
  }

  suspend(): DiskState | undefined {
    return this.#content;
  }

  /** Opens the same layers. The guest has the file system mounted, and knows it by its UUID. */
  async resume(state: DiskState): Promise<void> {
    if (!('layers' in state)) throw new RangeError('is of another kind');
    if (state.uuid.length !== UUID_SIZE) throw new RangeError('has no UUID');
    await this.open(state.layers, new Uint8Array(state.uuid));
  }

  read(offset: number, into: Uint8Array[]): void | Promise<void> {
    if (!this.#disk) throw new Error('the image is not open yet');
    return this.#disk.read(offset, into);
  }

  write(): never {
    throw new Error('the disk is read-only');
  }

  flush(): void {}

  async #openLayer(diffId: string, known: StoredLayer | undefined): Promise<StoredLayer> {
    const layer = await this.#store.openHeld(diffId, known);
    if (!layer)
      throw new StorageError(
        `layer ${diffId} of the image is not stored any more: start the container again to pull it`,
      );
    return layer;
  }
}

function isSame(layers: readonly StoredLayer[], others: readonly StoredLayer[]): boolean {
  return layers.length === others.length && layers.every((layer, n) => layer === others[n]);
}
